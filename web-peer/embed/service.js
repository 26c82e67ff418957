// The service worker (`stream.js`), which answers for files as a server would, so that a <video> can
// play and seek while they come. What it is asked for, it asks of this page, which passes it on to
// the engine: as our own page does in web-peer/src/page/service.rs.

import { TabswarmError } from "./error.js";

// Browsers end one that has nothing to do for half a minute; each sign keeps it for longer.
const AWAKE_MS = 30_000;
// It has the page by then, or the browser doesn't want it to.
const TAKEN_OVER_MS = 3_000;

export class Service {
  #script;
  #engine;
  #found;
  #beat;

  constructor(script, engine) {
    this.#script = script;
    this.#engine = engine;
  }

  /** Where a file is, as long as this page is open. */
  async address({ torrent, index, name }) {
    this.#found ??= this.#find();
    const { scope, tab, worker } = await this.#found.catch((cause) => {
      this.#found = undefined;
      const words = "The browser gives this page no service worker.";
      throw new TabswarmError("no-service-worker", words, { cause });
    });
    this.#beat ??= setInterval(() => worker.postMessage(null), AWAKE_MS);
    const path = `stream/${tab}/${torrent.infoHash}/${index}/${encodeURIComponent(name)}`;
    return new URL(path, scope).href;
  }

  end() {
    clearInterval(this.#beat);
    navigator.serviceWorker?.removeEventListener("message", this.#passOn);
  }

  async #find() {
    const container = navigator.serviceWorker;
    container.addEventListener("message", this.#passOn);
    container.startMessages();
    const registration = await container.register(this.#script);
    const worker = await active(registration);
    const { port1, port2 } = new MessageChannel();
    const answered = new Promise((resolve) => (port1.onmessage = resolve));
    worker.postMessage(null, [port2]);
    const { data: tab } = await answered;
    if (!container.controller) {
      // What is requested before it has taken the page over goes past it, to the server.
      await new Promise((resolve) => {
        container.addEventListener("controllerchange", resolve, { once: true });
        setTimeout(resolve, TAKEN_OVER_MS);
      });
    }
    return { scope: registration.scope, tab, worker };
  }

  #passOn = ({ data, ports }) => {
    if (Array.isArray(data) && ports.length === 1) {
      const [infoHash, file, save] = data;
      const index = /^\d+$/.test(file) ? Number(file) : null;
      this.#engine.tell("stream", [infoHash, index, save], [...ports], [...ports]);
    }
  };
}

const active = async (registration) => {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  while (worker.state !== "activated") {
    await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
  }
  return worker;
};
