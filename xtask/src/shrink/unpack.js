// Puts a program together again that streams.rs took apart: what is where is said there.
async function unpack(response) {
  const packed = new Uint8Array(await response.arrayBuffer());
  const number = (stream) => {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = packed[stream.at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };

  const header = { at: 0 };
  const code = new Uint8Array(number(header));
  const keys = [];
  for (let count = number(header); count; count--) {
    keys.push([number(header), number(header)]);
  }
  const streams = [];
  for (const [key, length] of keys) {
    streams[key] = { at: header.at, end: (header.at += length) };
  }
  const whole = (key) => packed.subarray(streams[key].at, streams[key].end);

  const spelled = Array.from({ length: 256 }, (_, symbol) => [symbol]);
  const pairs = whole(2);
  for (let at = 0; at < pairs.length; at += 3) {
    spelled[pairs[at]] = spelled[pairs[at + 1]].concat(spelled[pairs[at + 2]]);
  }
  const opcodes = [];
  for (const symbol of whole(3)) {
    for (const opcode of spelled[symbol]) opcodes.push(opcode);
  }

  let end = 0;
  const put = (value) => {
    for (; value > 127; value = Math.floor(value / 128)) code[end++] = (value & 127) | 128;
    code[end++] = value;
  };
  const bytes = (key, count) => {
    while (count--) code[end++] = packed[streams[key].at++];
  };
  // A number as it is written.
  const copy = (key) => {
    const stream = streams[key];
    let byte;
    do code[end++] = byte = packed[stream.at++];
    while (byte > 127);
  };
  const copies = (key, count) => {
    while (count--) copy(key);
  };
  // What it is, too.
  const read = (key) => {
    const { at } = streams[key];
    copy(key);
    return number({ at });
  };

  // Instructions with operands that nothing is known of, and how many.
  const others = [];
  for (const op of "\x23\x24\x25\x26\x3f\x40\xd0\xd2") others[op.charCodeAt()] = 1;
  others[0x11] = 2;
  let next = 0;
  for (let functions = read(4); functions; functions--) {
    const begin = end;
    for (let groups = read(4); groups; groups--) copies(4, 2);
    for (let depth = 1; depth; ) {
      const op = (code[end++] = opcodes[next++]);
      if (op === 0x20) copy(0x200 + opcodes[next]);
      else if (op === 0x21) copy(7);
      else if (op === 0x22) copy(13);
      else if (op > 0x27 && op < 0x3f) {
        copy(0x300 + op);
        const low = op < 0x36 ? 8 : 10;
        put(packed[streams[low].at++] + 256 * number(streams[low + 1]));
      } else if (op === 0x41) copy(0x100 + opcodes[next]);
      else if (op === 0x10) copy(6);
      else if (op > 1 && op < 5) depth++, copy(14);
      else if (op === 0x0c || op === 0x0d) copy(15);
      else if (op === 0x0b) depth--;
      else if (op === 0x42) copy(12);
      else if (op === 0x43) bytes(5, 4);
      else if (op === 0x44) bytes(5, 8);
      else if (op === 0x0e) copies(5, read(5) + 1);
      else if (op === 0x1c) copies(5, read(5));
      else if (op === 0xfc) {
        const which = read(5);
        if (which > 7) copies(5, which > 14 || which % 2 ? 1 : 2);
      } else if (others[op]) copies(5, others[op]);
    }
    // Its length comes before it.
    const length = end - begin;
    put(length);
    const digits = code.slice(begin + length, end);
    code.copyWithin(begin + digits.length, begin, begin + length);
    code.set(digits, begin);
  }
  return new Blob([whole(0), code, whole(1)]).arrayBuffer();
}
