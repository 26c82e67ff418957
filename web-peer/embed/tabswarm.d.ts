/**
 * Tabswarm in a page of your own: a BitTorrent peer in a tab.
 *
 * Lengths and positions are bytes, rates bytes a second, progress is 0 to 1. Info-hashes are 40
 * lower-case hexadecimal digits.
 */

/** How a {@link Tabswarm} is made. */
export interface TabswarmOptions {
  /**
   * The tracker and relay: a `ws:` or `wss:` address, or `http:` and `https:` for the same. By default
   * `swarm` beside {@link page}. A server of another origin has to allow yours (`--allow-origin`).
   */
  tracker?: string | URL;
  /** The app that {@link Torrent.link} leads to; by default the server that this module came from. */
  page?: string | URL;
  /**
   * Whether peers may be linked with directly (WebRTC), which shows them this one's address; `true`
   * by default. Otherwise, and where a browser can't, everything goes through the relay.
   */
  direct?: boolean;
  /**
   * The address of `stream.js` on your own origin, at which it is registered as a service worker;
   * only {@link TorrentFile.url} needs it. The page has to be in its folder, or below.
   */
  serviceWorker?: string | URL;
}

/**
 * What went wrong:
 *
 * - `bad-link`: no share link, magnet link or info-hash.
 * - `bad-torrent`: no `.torrent` file, or a private one whose trackers can't be reached from here.
 * - `bad-files`: the files can't be read, or there are none.
 * - `closed`: the swarm was closed.
 * - `removed`: the torrent was removed.
 * - `torrent-failed`: it stopped, mostly because there is no more room; `resume()` tries again.
 * - `read-failed`: bytes of a file can't be read.
 * - `tracker-refused`: a tracker does not take the torrent, or can't be spoken with from a page. The
 *   others go on.
 * - `no-service-worker`: the browser gives this page none, or none was named.
 * - `engine-failed`: the engine could not be loaded, or has a bug. The swarm is closed.
 * - `notice`: something else that a person should know.
 */
export type ErrorCode =
  | "bad-link"
  | "bad-torrent"
  | "bad-files"
  | "closed"
  | "removed"
  | "torrent-failed"
  | "read-failed"
  | "tracker-refused"
  | "no-service-worker"
  | "engine-failed"
  | "notice";

/** Every error of this module; but for `RangeError`, and an abort's own reason. */
export class TabswarmError extends Error {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions);
  readonly name: "TabswarmError";
  readonly code: ErrorCode;
}

/** Events of a {@link Tabswarm}, by what their `detail` is. */
export interface TabswarmEvents {
  /** A torrent is there: added, seeded, or kept from the last visit. */
  torrent: Torrent;
  /** The line to the tracker changed. */
  connection: Connection;
  /** Files that are to be seeded are read and hashed. */
  hashing: { name: string; progress: number };
  /** Something that a person should know; everything goes on. */
  warning: TabswarmError;
  /** It broke and is closed: `engine-failed`. */
  error: TabswarmError;
}

/** The line to the tracker: not there (it is tried again), not welcomed yet, there. */
export type Connection = "down" | "connecting" | "up";

/** One peer in any number of swarms: a worker with the engine, and what this tab keeps. */
export class Tabswarm extends EventTarget {
  /** Starts the engine. Nothing is thrown but a `TypeError` for what is no address. */
  constructor(options?: TabswarmOptions);
  /** In the order in which they were added. */
  readonly torrents: readonly Torrent[];
  readonly connection: Connection;
  readonly isClosed: boolean;
  /** Resolves when what was kept from the last visit is in {@link torrents}. */
  readonly ready: Promise<this>;
  /** A torrent by its info-hash. */
  get(infoHash: string): Torrent | undefined;
  /**
   * Takes part in what a share link, magnet link or info-hash names, or a `.torrent` file describes.
   * Resolves once it is known what is in it, which takes a peer where there is only a link; an abort
   * before that removes it again. What is there already is returned as it is.
   *
   * Rejects with `bad-link`, `bad-torrent`, `torrent-failed`, `removed`, `closed`, or the signal's
   * reason.
   */
  add(
    source: string | URL | Blob | BufferSource,
    options?: { signal?: AbortSignal },
  ): Promise<Torrent>;
  /**
   * Shares files: one as itself, several as a folder called `name`. The paths of a picked folder are
   * kept. They are hashed first, which reads all of them (see the event `hashing`).
   *
   * Rejects with `bad-files`, `closed`.
   */
  seed(files: Blob | Iterable<Blob>, options?: { name?: string }): Promise<Torrent>;
  /** Bytes a second of all torrents together; 0, which is the default, for as many as there can be. */
  limit(rates?: { up?: number; down?: number }): void;
  /** Ends the worker, its connections and every read. What was kept stays for the next visit. */
  close(): void;

  addEventListener<K extends keyof TabswarmEvents>(
    type: K,
    listener: (event: CustomEvent<TabswarmEvents[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/**
 * What a torrent does: its description is asked for; pieces are missing; everything that is wanted is
 * here; paused; stopped by an error; removed. `hashing` is what kept files are before they are shared
 * again.
 */
export type TorrentState =
  | "metadata"
  | "hashing"
  | "downloading"
  | "seeding"
  | "paused"
  | "error"
  | "removed";

/** A connected peer. */
export interface Peer {
  /** What it calls itself. */
  readonly id: string;
  /** Its software, as it says. */
  readonly client: string;
  /** Through the server; directly; directly, by a WebTorrent tracker; a server of files (BEP 19). */
  readonly path: "relay" | "direct" | "webtorrent" | "webseed" | "tcp";
  readonly progress: number;
  /** Bytes of pieces that came from it, and that went to it. */
  readonly downloaded: number;
  readonly uploaded: number;
  readonly downRate: number;
  readonly upRate: number;
}

/** A tracker or web seed of a torrent. */
export interface Tracker {
  readonly url: string;
  readonly state: "connecting" | "up" | "idle" | "waiting" | "down" | "refused" | "unsupported";
  /** Why, in words; empty where there is nothing to say. */
  readonly reason: string;
}

/**
 * Events of a {@link Torrent}, by what their `detail` is. `ready` comes once, and before `done`; `done`
 * right after the `progress` to 1, and again when something was lost and fetched anew; `removed` is the
 * last.
 */
export interface TorrentEvents {
  /** It is known what is in it: its name and its files. */
  ready: null;
  /** Something of it is new; at most some ten times a second. */
  progress: null;
  /** Everything that is wanted is here. */
  done: null;
  /** A peer came. */
  peer: Peer;
  /** `tracker-refused`. */
  warning: TabswarmError;
  /** `torrent-failed`. */
  error: TabswarmError;
  /** It was removed, or the swarm was closed. */
  removed: null;
}

/** One torrent. Its properties are what the engine last said, a few times a second. */
export class Torrent extends EventTarget {
  private constructor();
  readonly infoHash: string;
  /** Its info-hash while its name is not known. */
  readonly name: string;
  /** Bytes of its files; 0 while they are not known. */
  readonly length: number;
  readonly pieceLength: number;
  /** Empty while they are not known. */
  readonly files: readonly TorrentFile[];
  readonly state: TorrentState;
  /** Of what is wanted. */
  readonly progress: number;
  readonly downRate: number;
  readonly upRate: number;
  /** Bytes of pieces since this page was loaded. */
  readonly downloaded: number;
  readonly uploaded: number;
  /** At the present rate; `Infinity` where that is not known. */
  readonly secondsLeft: number;
  /** Members of the swarm that have everything, and that don't, as its trackers last said. */
  readonly seeders: number;
  readonly leechers: number;
  readonly peers: readonly Peer[];
  readonly trackers: readonly Tracker[];
  readonly isDone: boolean;
  /** Resolves when it is known what is in it; rejects as {@link Tabswarm.add} does. */
  readonly ready: Promise<this>;
  /** Resolves when everything that is wanted is here; rejects with `removed` or `closed`. */
  readonly done: Promise<this>;
  /** A link that opens it in the app (see {@link TabswarmOptions.page}). */
  readonly link: string;
  /** A link for every client that knows its trackers. */
  readonly magnet: string;
  /** Stops transfers. Throws `removed`, `closed`. */
  pause(): void;
  /** Goes on, also after an error. Throws `removed`, `closed`. */
  resume(): void;
  /** Forgets it, and frees what is kept of it. Whoever reads a file of it gets `removed`. */
  remove(): Promise<void>;

  addEventListener<K extends keyof TorrentEvents>(
    type: K,
    listener: (event: CustomEvent<TorrentEvents[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** One file of a torrent. */
export class TorrentFile {
  private constructor();
  readonly torrent: Torrent;
  readonly index: number;
  /** With `/` between its parts, from the torrent's folder on where it has one. */
  readonly path: string;
  /** The last part of its path. */
  readonly name: string;
  readonly length: number;
  /** Where it begins in the torrent. */
  readonly offset: number;
  /** Verified bytes of it, over all. */
  readonly progress: number;
  /** Whether it is to be fetched; `true` by default. What is set shows once the engine knows it. */
  isWanted: boolean;
  /**
   * The bytes from `start` to the one before `end`, in order, each as soon as its piece was verified;
   * what is not asked for is not read. As long as somebody reads, the file comes before all others and
   * in the order in which it is read.
   *
   * Throws `RangeError`, `removed`, `closed`. Errors with `read-failed`, `removed`, `closed`.
   */
  stream(range?: { start?: number; end?: number }): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * All of it, once all of it is here. Its type comes from a list that has no pages in it, so that it
   * is safe to show. Rejects as {@link stream} errors.
   */
  blob(): Promise<Blob>;
  /**
   * An address at which it can be played, and sought in, while it comes, as long as this page is open.
   * Needs {@link TabswarmOptions.serviceWorker}; rejects with `no-service-worker`.
   */
  url(): Promise<string>;
}
