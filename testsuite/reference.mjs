// Runs a module in node's own engine: the independent answer that Wasmetal's is compared with.
//
//   node reference.mjs [--invoke=FUNC] [--dump-memory=FILE] [--argv0=NAME] MODULE [ARGS...]
//
// Prints what the program prints; with --invoke one line "TYPE:VALUE" for each result.  Exits with the program's code, or
// 134 after a trap.  The dump is the whole exported memory as the program left it.  It is written before anything can
// go wrong in node itself: node 20 sometimes crashes while it exits, so callers judge the run by its last line on
// stderr, "reference: exit N" or "reference: trap TEXT", never by the process status alone.
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { WASI } from 'node:wasi';
import { functionTypes } from './wasm_types.mjs';

function functionType(bytes, name) {
  const found = functionTypes(bytes).exports.find((e) => e.name === name);
  if (!found) throw new Error(`no exported function "${name}"`);
  return found.type;
}

const argument = { i32: (s) => Number(s) | 0, i64: (s) => BigInt(s), f32: Number, f64: Number };

const options = {};
const rest = process.argv.slice(2);
while (rest.length && rest[0].startsWith('--')) {
  const [key, ...value] = rest.shift().slice(2).split('=');
  options[key] = value.join('=');
}
const [path, ...args] = rest;
const bytes = readFileSync(path);
const wasi = new WASI({
  version: 'preview1',
  args: [options.argv0 ?? path, ...args],
  env: {},
  preopens: { '.': '.' },
  returnOnExit: true,
});

// uvwasi, as node 20 has it, answers fd_fdstat_get with the host's open flags where WASI's own fdflags belong; they stay
// behind on the program's stack, in the memory that is compared.  O_APPEND, O_DSYNC and O_NONBLOCK of Linux:
const hostFlags = [[0o2000, 1], [0o10000, 2], [0o4000, 4]];
const imports = { ...wasi.wasiImport };
imports.fd_fdstat_get = (fd, address) => {
  const result = wasi.wasiImport.fd_fdstat_get(fd, address);
  if (result === 0) {
    const view = new DataView(instance.exports.memory.buffer);
    const host = view.getUint16(address + 2, true);
    view.setUint16(address + 2, hostFlags.reduce((f, [h, w]) => ((host & h) === h ? f | w : f), 0), true);
  }
  return result;
};

const module = await WebAssembly.compile(bytes);
const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: imports });
let verdict, code;
try {
  if (options.invoke !== undefined) {
    const type = functionType(bytes, options.invoke);
    wasi.initialize(instance);
    const values = type.params.map((t, i) => argument[t](args[i]));
    let results = instance.exports[options.invoke](...values);
    results = type.results.length === 0 ? [] : type.results.length === 1 ? [results] : results;
    type.results.forEach((t, i) => {
      const text = Object.is(results[i], -0) ? '-0' : String(results[i]);
      writeSync(1, `${t}:${text}\n`);
    });
    code = 0;
  } else {
    code = wasi.start(instance);
  }
  verdict = `exit ${code}`;
} catch (error) {
  if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
  verdict = `trap ${error.message}`;
  code = 134;
}
if (options['dump-memory']) writeFileSync(options['dump-memory'], new Uint8Array(instance.exports.memory.buffer));
writeSync(2, `reference: ${verdict}\n`);
process.exitCode = code;
