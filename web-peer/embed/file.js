import { Reading } from "./reading.js";

/** One file of a torrent. */
export class TorrentFile {
  #own;

  /** `own` is what its torrent lets it use. */
  constructor(torrent, index, { path, length, offset }, own) {
    this.#own = own;
    this.torrent = torrent;
    this.index = index;
    this.path = path;
    this.name = path.split("/").pop();
    this.length = length;
    this.offset = offset;
  }

  get progress() {
    const { have, pieceLength } = this.#own.pieces();
    const [from, to] = [this.offset, this.offset + this.length];
    let there = 0;
    for (let piece = Math.floor(from / pieceLength); piece * pieceLength < to; piece += 1) {
      if (have[piece >> 3] & (0x80 >> (piece & 7))) {
        const begin = piece * pieceLength;
        there += Math.min(to, begin + pieceLength) - Math.max(from, begin);
      }
    }
    return this.length === 0 ? 1 : there / this.length;
  }

  get isWanted() {
    return this.#own.isWanted(this.index);
  }

  set isWanted(wanted) {
    this.#own.tell("want", [this.index, wanted]);
  }

  stream({ start = 0, end = this.length } = {}) {
    const to = Math.min(end, this.length);
    if (!(start >= 0 && start <= to)) {
      throw new RangeError(`The file has no bytes from ${start} to ${end}.`);
    }
    this.#own.check();
    return new Reading(this, this.#own).stream(start, to);
  }

  async blob() {
    this.#own.check();
    const reading = new Reading(this, this.#own);
    // The browser may put it on the disk.
    const blob = await new Response(reading.stream(0, this.length)).blob().catch((error) => {
      throw reading.error ?? error;
    });
    return blob.slice(0, blob.size, reading.type);
  }

  url() {
    return this.#own.address(this);
  }
}
