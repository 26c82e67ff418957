// Tabswarm in a page of your own. What there is to use, with types, is in tabswarm.d.ts, and in
// words in docs/embedding.md.

import { Directs } from "./direct.js";
import { Engine } from "./engine.js";
import { TabswarmError, closed } from "./error.js";
import { Service } from "./service.js";
import { Torrent, end, update } from "./torrent.js";

export { TabswarmError };

// The server that this module came from.
const SERVER = new URL("../", import.meta.url).href;

/** A peer in swarms: the engine in its worker, and the torrents that it has. */
export class Tabswarm extends EventTarget {
  #engine;
  #directs;
  #service;
  #own;
  #torrents = new Map();
  #connection = "down";
  #ready = Promise.withResolvers();
  // Who reads which file, in the order in which they began.
  #readings = new Map();
  #ending;

  constructor({ tracker, page, direct = true, serviceWorker } = {}) {
    super();
    page = new URL(page ?? SERVER).href.split("#")[0];
    tracker = new URL(tracker ?? new URL("swarm", page)).href.replace(/^http/, "ws");
    const relayOnly = !direct || !("RTCPeerConnection" in globalThis);
    this.#ready.promise.catch(() => {});
    this.#engine = new Engine({
      tracker,
      relayOnly,
      hear: (message) => this.#hear(message),
      fail: (error) => {
        this.#dispatch("error", error);
        this.#end(error);
      },
    });
    this.#directs = new Directs(this.#engine);
    this.#service = serviceWorker && new Service(serviceWorker, this.#engine);
    this.#own = {
      page,
      tracker,
      tell: (...message) => this.#engine.tell(...message),
      play: (reading, file) => this.#play(reading, file),
      address: (file) => this.#address(file),
    };
    addEventListener("pagehide", this.#leave);
  }

  get torrents() {
    return [...this.#torrents.values()];
  }

  get connection() {
    return this.#connection;
  }

  get ready() {
    return this.#ready.promise;
  }

  get isClosed() {
    return this.#ending !== undefined;
  }

  get(infoHash) {
    return this.#torrents.get(infoHash.toLowerCase());
  }

  async add(source, { signal } = {}) {
    this.#check(signal);
    const before = new Set(this.#torrents.values());
    const torrent = this.#of(await this.#ask(source));
    try {
      return await until(torrent.ready, signal);
    } catch (error) {
      if (signal?.aborted && !before.has(torrent) && !this.#ending) {
        await torrent.remove();
      }
      throw error;
    }
  }

  async seed(files, { name } = {}) {
    this.#check();
    const list = files instanceof Blob ? [files] : [...files];
    if (list.length === 0) {
      throw new TabswarmError("bad-files", "There are no files to share.");
    }
    const named = list.map((file) => (file instanceof File ? file : new File([file], name ?? "file")));
    const { folder, paths } = arrange(named, name);
    await this.#removals();
    const infoHash = await this.#engine.ask("bad-files", "share", [folder, paths], named);
    return this.#of(infoHash).ready;
  }

  limit({ up = 0, down = 0 } = {}) {
    this.#check();
    this.#engine.tell("limit", [up, down]);
  }

  close() {
    this.#end(closed());
  }

  #check(signal) {
    if (this.#ending) {
      throw this.#ending;
    }
    signal?.throwIfAborted();
  }

  // What is being removed is gone before it may come again.
  async #removals() {
    const leaving = this.torrents.filter(({ state }) => state === "removed");
    await Promise.all(leaving.map((torrent) => torrent.remove()));
  }

  async #ask(source) {
    await this.#removals();
    if (typeof source === "string" || source instanceof URL) {
      return this.#engine.ask("bad-link", "add", [`${source}`]);
    }
    const bytes = new Uint8Array(await new Response(source).arrayBuffer());
    return this.#engine.ask("bad-torrent", "open", [source.name ?? "the .torrent file", bytes]);
  }

  #hear(message) {
    switch (message?.what) {
      case "state":
        return this.#show(message);
      case "direct":
        return void this.#directs.handle(message);
      case "notice":
        return this.#dispatch("warning", new TabswarmError("notice", message.text));
    }
  }

  #show({ connection, torrents, changes, trackers, hashing }) {
    const here = new Set(torrents.map(({ infoHash }) => infoHash));
    for (const [infoHash, torrent] of [...this.#torrents]) {
      if (!here.has(infoHash)) {
        this.#torrents.delete(infoHash);
        end(torrent);
      }
    }
    for (const view of torrents) {
      const { infoHash } = view;
      const torrent = this.#of(infoHash);
      update(torrent, view, changes.get(infoHash), trackers.get(infoHash));
    }
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.#dispatch("connection", connection);
    }
    for (const work of hashing) {
      this.#dispatch("hashing", work);
    }
    this.#ready.resolve(this);
  }

  #of(infoHash) {
    const known = this.#torrents.get(infoHash);
    if (known) {
      return known;
    }
    const torrent = new Torrent(infoHash, this.#own);
    this.#torrents.set(infoHash, torrent);
    this.#dispatch("torrent", torrent);
    return torrent;
  }

  // What was opened last is what comes first.
  #play(reading, file) {
    file ? this.#readings.set(reading, file) : this.#readings.delete(reading);
    this.#engine.tell("play", [...this.#readings.values()].pop() ?? []);
  }

  #address(file) {
    if (!this.#service) {
      const words = "The swarm was made without the address of a service worker.";
      return Promise.reject(new TabswarmError("no-service-worker", words));
    }
    return this.#service.address(file);
  }

  #leave = () => this.#directs.end();

  #end(error) {
    if (this.#ending) {
      return;
    }
    this.#ending = error;
    this.#engine.end(error);
    this.#directs.end();
    this.#service?.end();
    removeEventListener("pagehide", this.#leave);
    this.#ready.reject(error);
    for (const torrent of this.#torrents.values()) {
      end(torrent, error);
    }
    this.#torrents.clear();
  }

  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const until = (promise, signal) => {
  if (!signal) {
    return promise;
  }
  const aborted = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, aborted]);
};

// One file is itself, and several are a folder.
const arrange = (files, name) => {
  const paths = files.map((file) => file.webkitRelativePath || file.name);
  if (files.length === 1 && !paths[0].includes("/")) {
    return { folder: null, paths: [name ?? paths[0]] };
  }
  const tops = new Set(paths.map((path) => path.split("/")[0]));
  if (tops.size === 1 && paths.every((path) => path.includes("/"))) {
    const [top] = tops;
    return { folder: name ?? top, paths: paths.map((path) => path.slice(top.length + 1)) };
  }
  return { folder: name ?? `${paths[0]} and ${files.length - 1} more`, paths };
};
