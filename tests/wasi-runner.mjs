// Runs a WebAssembly program under Node's WASI, with this process's arguments and
// environment, and ends with its exit code. It sees no files and no network.
//
// Cargo calls it for the tests of wasm32-wasip1: see .cargo/config.toml.

import { readFile } from "node:fs/promises";
import { argv, env, exit } from "node:process";
import { WASI } from "node:wasi";

const program = argv[2];
if (!program) {
  console.error("usage: node wasi-runner.mjs PROGRAM.wasm [ARGUMENT …]");
  exit(2);
}

// A panic's own machinery takes the first dozen.
Error.stackTraceLimit = 50;

const wasi = new WASI({ version: "preview1", args: argv.slice(2), env, returnOnExit: true });
const module = await WebAssembly.compile(await readFile(program));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
try {
  exit(wasi.start(instance));
} catch (trap) {
  // A panic aborts. The program has said why on standard error, the trap says where.
  console.error(trap.stack);
  exit(101);
}
