// The service worker (`stream.js`), which answers for files as a server would, so that a <video> can
// play and seek while they come. What it is asked for, it asks of this page, which passes it on to
// the engine: as our own page does in web-peer/src/page/service.rs.

import { TabswarmError } from "./error.js";

// Browsers end one that has nothing to do for half a minute; each sign keeps it for longer.
const AWAKE_MS = 30_000;
// It has answered by then, or does not know the question any more: browsers end it with that.
const ASKED_AGAIN_MS = 1_000;
// One that does not answer so many never will.
const QUESTIONS = 20;
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
    const tab = await nameFrom(worker);
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

// What the service worker calls this tab.
const nameFrom = async (worker) => {
  let told;
  const answer = new Promise((resolve) => (told = ({ data }) => resolve(data)));
  for (let asked = 0; asked < QUESTIONS; asked += 1) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = told;
    worker.postMessage(null, [port2]);
    const later = new Promise((resolve) => setTimeout(resolve, ASKED_AGAIN_MS));
    const tab = await Promise.race([answer, later]);
    if (tab) {
      return tab;
    }
  }
  throw new Error("It does not answer.");
};

const active = async (registration) => {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  while (worker.state !== "activated") {
    await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
  }
  return worker;
};
