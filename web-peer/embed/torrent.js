import { TabswarmError, removed } from "./error.js";
import { TorrentFile } from "./file.js";

/** Takes in what the engine says of a torrent; and that it is not there any more. */
export let update, end;

/** One torrent. */
export class Torrent extends EventTarget {
  static {
    update = (torrent, view, changes, trackers) => torrent.#update(view, changes, trackers);
    end = (torrent, error) => torrent.#end(error);
  }

  #own;
  #view = { state: "metadata", progress: 0, secondsLeft: Infinity, peers: [], trackers: [], error: "" };
  #name;
  #description = { length: 0, pieceLength: 0 };
  #files = [];
  #have = new Uint8Array();
  #wanted = [];
  #peers = new Set();
  #refused = new Set();
  #readings = new Set();
  #isDone = false;
  #ending;
  #ready = Promise.withResolvers();
  #done = Promise.withResolvers();
  #removed = Promise.withResolvers();

  constructor(infoHash, own) {
    super();
    this.infoHash = infoHash;
    this.#own = own;
    this.#name = infoHash;
    for (const { promise } of [this.#ready, this.#done]) {
      promise.catch(() => {});
    }
  }

  get name() {
    return this.#name;
  }

  get length() {
    return this.#description.length;
  }

  get pieceLength() {
    return this.#description.pieceLength;
  }

  get files() {
    return this.#files;
  }

  get state() {
    return this.#ending ? "removed" : this.#view.state;
  }

  get progress() {
    return this.#view.progress;
  }

  get downRate() {
    return this.#view.downRate ?? 0;
  }

  get upRate() {
    return this.#view.upRate ?? 0;
  }

  get downloaded() {
    return this.#view.downloaded ?? 0;
  }

  get uploaded() {
    return this.#view.uploaded ?? 0;
  }

  get secondsLeft() {
    return this.#view.secondsLeft;
  }

  get seeders() {
    return this.#view.seeders ?? 0;
  }

  get leechers() {
    return this.#view.leechers ?? 0;
  }

  get peers() {
    return this.#view.peers;
  }

  get trackers() {
    return this.#view.trackers;
  }

  get isDone() {
    return this.#isDone;
  }

  get ready() {
    return this.#ready.promise;
  }

  get done() {
    return this.#done.promise;
  }

  get magnet() {
    const trackers = this.trackers.filter(({ url }) => url.startsWith("ws"));
    return magnet(this, trackers);
  }

  get link() {
    const { page, tracker } = this.#own;
    const others = this.trackers.filter(({ url }) => url.startsWith("ws") && url !== tracker);
    return `${page}#${magnet(this, others.slice(0, MOST_SHARED))}`;
  }

  pause() {
    this.#check();
    this.#tell("pause");
  }

  resume() {
    this.#check();
    this.#tell("resume");
  }

  async remove() {
    if (!this.#ending) {
      this.#ending = removed();
      this.#tell("remove");
      // It is gone once the engine says how everything is without it.
      this.#own.tell("look", [true]);
      this.#failReadings();
    }
    await this.#removed.promise;
  }

  #check() {
    if (this.#ending) {
      throw this.#ending;
    }
  }

  #tell(what, fields = [], attached, moved) {
    this.#own.tell(what, [this.infoHash, ...fields], attached, moved);
  }

  #update(view, changes, trackers) {
    const before = JSON.stringify(this.#view);
    this.#view = { ...view, trackers: trackers ?? this.#view.trackers };
    this.#meet(view.peers);
    if (changes) {
      this.#learn(changes);
    }
    this.#hearTrackers(trackers ?? []);
    if (before !== JSON.stringify(this.#view)) {
      this.#dispatch("progress");
    }
    const isDone = view.state === "seeding" || (this.#isDone && view.state === "paused");
    if (isDone && !this.#isDone) {
      this.#done.resolve(this);
      this.#dispatch("done");
    }
    this.#isDone = isDone;
    if (view.error && view.error !== JSON.parse(before).error) {
      const error = new TabswarmError("torrent-failed", view.error);
      this.#ready.reject(error);
      this.#dispatch("error", error);
    }
  }

  #learn({ name, description, have, wanted }) {
    this.#name = name || this.#name;
    this.#wanted = wanted ?? this.#wanted;
    if (have instanceof Uint8Array) {
      this.#have = have;
    }
    for (const piece of Array.isArray(have) ? have : []) {
      this.#have[piece >> 3] ^= 0x80 >> (piece & 7);
    }
    if (description) {
      this.#description = description;
      const own = this.#ownOfFiles();
      this.#files = description.files.map((file, at) => new TorrentFile(this, at, file, own));
      Object.freeze(this.#files);
      this.#ready.resolve(this);
      this.#dispatch("ready");
    }
  }

  #ownOfFiles() {
    return {
      check: () => this.#check(),
      tell: (...message) => this.#tell(...message),
      pieces: () => ({ have: this.#have, pieceLength: this.pieceLength }),
      isWanted: (file) => this.#wanted[file] ?? true,
      address: (file) => this.#own.address(file),
      begin: (reading, file) => {
        this.#readings.add(reading);
        this.#own.play(reading, [this.infoHash, file]);
      },
      end: (reading) => {
        this.#readings.delete(reading);
        this.#own.play(reading);
      },
    };
  }

  // Peers that were not here before.
  #meet(peers) {
    const name = ({ id, path }) => `${path} ${id}`;
    const here = new Set(peers.map(name));
    const strangers = peers.filter((peer) => !this.#peers.has(name(peer)));
    this.#peers = here;
    for (const peer of strangers) {
      this.#dispatch("peer", peer);
    }
  }

  #hearTrackers(trackers) {
    const refused = trackers.filter(({ state }) => ["refused", "unsupported"].includes(state));
    for (const { url, reason } of refused) {
      const words = `The tracker ${url}: ${reason}`;
      if (!this.#refused.has(words)) {
        this.#refused.add(words);
        this.#dispatch("warning", new TabswarmError("tracker-refused", words));
      }
    }
  }

  #end(error) {
    this.#ending ??= error;
    this.#failReadings();
    this.#ready.reject(this.#ending);
    this.#done.reject(this.#ending);
    this.#removed.resolve();
    this.#dispatch("removed");
  }

  #failReadings() {
    for (const reading of this.#readings) {
      reading.fail(this.#ending);
    }
  }

  #dispatch(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// As many as our own page puts into a link.
const MOST_SHARED = 8;

const magnet = ({ infoHash, name }, trackers) => {
  const named = name === infoHash ? "" : `&dn=${encodeURIComponent(name)}`;
  const found = trackers.map(({ url }) => `&tr=${encodeURIComponent(url)}`);
  return `magnet:?xt=urn:btih:${infoHash}${named}${found.join("")}`;
};
