import { TabswarmError } from "./error.js";

/** Somebody reads a file: the engine is asked for a stretch when there is room for it, so nothing
 * waits in memory. While it lasts, the file comes before all others, in the order in which it is
 * read. */
export class Reading {
  #file;
  #own;
  #port;
  #controller;
  #heard = [];
  #waiting;

  /** Its media type, from a list that has no pages in it, once something of it came. */
  type;
  /** Why it ended before its end. */
  error;

  constructor(file, own) {
    this.#file = file;
    this.#own = own;
  }

  /** The bytes from `from` to the one before `to`. */
  stream(from, to) {
    return new ReadableStream(
      {
        start: (controller) => this.#start(controller),
        pull: async (controller) => {
          if (from < to) {
            this.#port.postMessage([from, to]);
            const bytes = await this.#next();
            if (!(bytes instanceof ArrayBuffer)) {
              return this.fail(new TabswarmError("read-failed", bytes));
            }
            from += bytes.byteLength;
            controller.enqueue(new Uint8Array(bytes));
          }
          if (from >= to) {
            this.#end();
            controller.close();
          }
        },
        cancel: () => this.#end(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Ends it with an error. */
  fail(error) {
    if (this.#end()) {
      this.error = error;
      this.#controller.error(error);
    }
  }

  async #start(controller) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#controller = controller;
    port1.onmessage = ({ data }) => {
      this.#heard.push(data);
      this.#waiting?.();
    };
    this.#own.begin(this, this.#file.index);
    this.#own.tell("stream", [this.#file.index, false], [port2], [port2]);
    const described = await this.#next();
    if (!Array.isArray(described)) {
      return this.fail(new TabswarmError("read-failed", described || "There is no such file."));
    }
    [, this.type] = described;
  }

  async #next() {
    if (this.#heard.length === 0) {
      await new Promise((resolve) => (this.#waiting = resolve));
    }
    return this.#heard.shift();
  }

  // Whether it had not ended before.
  #end() {
    if (!this.#port) {
      return false;
    }
    this.#port.postMessage(null);
    this.#port.close();
    this.#port = undefined;
    this.#own.end(this);
    return true;
  }
}
