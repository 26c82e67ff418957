// The worker with the engine, and how one speaks with it: messages are lists, and what stands where
// is written here and in web-peer/src/worker/embed.rs.

import { TabswarmError, closed } from "./error.js";

// The build knows what they are called with their hashes, and puts that here.
const GLUE = new URL("../engine.js", import.meta.url).href;
const PROGRAM = new URL("../engine_bg.wasm", import.meta.url).href;

// Under which a reloaded tab finds its own pieces again.
const SLOT = "tabswarm-embedded-slot";

export class Engine {
  #worker;
  #options;
  #isReady = false;
  #isOver = false;
  #waiting = [];
  #asked = 0;
  #answers = new Map();

  /** `hear` gets each message that is no answer, `fail` the error with which everything ends. */
  constructor({ tracker, relayOnly, hear, fail }) {
    this.#options = { tracker, relayOnly, hear, fail };
    // A worker's script has to be of the page's own origin, and the engine may be of another: so
    // two lines of the page's own import it. The program is on its way while the glue is.
    const script = `const program = fetch(${JSON.stringify(PROGRAM)});
      import(${JSON.stringify(GLUE)}).then((glue) => glue.default({ module_or_path: program }))
        .catch(reportError);`;
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.#worker = new Worker(url, { type: "module", name: "tabswarm" });
    this.#worker.onmessage = ({ data }) => {
      this.#isReady ? this.#hear(data) : this.#begin(url);
    };
    this.#worker.onerror = (event) => {
      const reason = event.message || "it could not be loaded";
      fail(new TabswarmError("engine-failed", `Tabswarm’s worker failed: ${reason}.`));
    };
  }

  /** Says something; what is in `moved` is the worker's from then on. */
  tell(what, fields = [], attached = [], moved = []) {
    if (this.#isOver) {
      return;
    }
    if (!this.#isReady) {
      this.#waiting.push([what, fields, attached, moved]);
      return;
    }
    this.#worker.postMessage([what, attached, ...fields], moved);
  }

  /** Has something added; its info-hash, or an error with this code. */
  ask(code, what, fields, attached = []) {
    const number = (this.#asked += 1);
    return new Promise((resolve, reject) => {
      this.#answers.set(number, { code, resolve, reject });
      this.tell(what, fields, [...attached, number]);
    });
  }

  /** Frees the worker, and all that it has. What nobody got an answer to fails. */
  end(error = closed()) {
    this.#isOver = true;
    this.#worker.terminate();
    for (const { reject } of this.#answers.values()) {
      reject(error);
    }
    this.#answers.clear();
  }

  // The first message says that it listens.
  #begin(url) {
    URL.revokeObjectURL(url);
    this.#isReady = true;
    const { tracker, relayOnly } = this.#options;
    this.tell("start", [tracker, remembered(), relayOnly]);
    for (const message of this.#waiting.splice(0)) {
      this.tell(...message);
    }
    this.tell("look");
  }

  #hear([what, ...fields]) {
    switch (what) {
      case "slot":
        return remember(fields[0]);
      case "added":
      case "notice":
        return this.#answer(what, fields);
      case "state":
        // The next, once something is new.
        this.tell("look");
    }
    this.#options.hear(READ[what]?.(...fields));
  }

  #answer(what, fields) {
    const [text, number] = what === "added" ? fields : fields.slice(1);
    const asked = this.#answers.get(number);
    if (asked) {
      this.#answers.delete(number);
      what === "added" ? asked.resolve(text) : asked.reject(new TabswarmError(asked.code, text));
    } else if (what === "notice" && fields[0]) {
      this.#options.hear({ what, text });
    }
  }
}

const READ = {
  direct: (link, channel, attempt, work, theirs, stun) => ({
    what: "direct",
    id: [link, channel, attempt],
    work,
    theirs,
    stun: stun.flat(),
  }),
  state: (connection, torrents, changes, trackers, hashing) => ({
    what: "state",
    connection,
    torrents: torrents.map(readTorrent),
    changes: new Map(changes.map(([infoHash, ...rest]) => [infoHash, readChanges(rest)])),
    trackers: new Map(trackers.map(([infoHash, list]) => [infoHash, list.map(readTracker)])),
    hashing: hashing.map(([name, progress]) => ({ name, progress })),
  }),
};

const readTorrent = (fields) => {
  const [infoHash, state, progress, downRate, upRate, downloaded, uploaded, ...rest] = fields;
  const [secondsLeft, seeders, leechers, error, peers] = rest;
  const known = { infoHash, state, progress, downRate, upRate, downloaded, uploaded };
  return { ...known, secondsLeft, seeders, leechers, error, peers: peers.map(readPeer) };
};

const readPeer = ([id, client, path, progress, downloaded, uploaded, downRate, upRate]) =>
  ({ id, client, path, progress, downloaded, uploaded, downRate, upRate });

const readTracker = ([url, state, reason]) => ({ url, state, reason });

const readChanges = ([name, described, have, wanted]) => {
  const [length, pieceLength, files] = described ?? [];
  const list = files?.map(([path, length, offset]) => ({ path, length, offset }));
  return { name, description: described && { length, pieceLength, files: list }, have, wanted };
};

const remembered = () => {
  try {
    const slot = sessionStorage.getItem(SLOT);
    return slot === null ? null : Number(slot);
  } catch {
    return null;
  }
};

// Where nothing can be kept, that only costs a reloaded tab its slot.
const remember = (slot) => {
  try {
    sessionStorage.setItem(SLOT, slot);
  } catch {}
};
