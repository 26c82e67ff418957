/** Everything that goes wrong, by its `code`; see tabswarm.d.ts for the codes. */
export class TabswarmError extends Error {
  name = "TabswarmError";

  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }
}

export const closed = () => new TabswarmError("closed", "The swarm was closed.");
export const removed = () => new TabswarmError("removed", "The torrent was removed.");
