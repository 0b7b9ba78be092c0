// Calls every exported function of a module in node's own engine and tells what came out: the reference half of
// differential.mjs; replay.c is the product's half, writes the same lines, and explains them.
//
//   replayModule(bytes) -> text without the "module" line; "end\n" is last
//
// Also a worker: posts the text for each { bytes } it is sent, so that a module that hangs can be ended from outside.
import { parentPort } from 'node:worker_threads';
import { functionTypes } from '../wasm_types.mjs';

const WORDS = [0n, 1n, 0xffffffffffffffffn, 2n, 42n, 0x7fffffffn, 0x80000000n, 0x8000000000000000n, 255n, 65536n];
const REALS = [0.0, 1.0, -1.0, 0.5, 3.25e9, -7e18, 1e-40, -0.0, 1e300, 255.0];

const scratch = new DataView(new ArrayBuffer(8));
const hex = (value, digits) => value.toString(16).padStart(digits, '0');

function argument(type, seed) {
  const word = WORDS[seed % 10];
  if (type === 'i32') return Number(BigInt.asIntN(32, word));
  if (type === 'i64') return BigInt.asIntN(64, word);
  if (type === 'f32') return Math.fround(REALS[seed % 10]);
  return type === 'f64' ? REALS[seed % 10] : null;
}

function show(type, value) {
  if (type === 'i32') return `i32:${hex(value >>> 0, 8)}`;
  if (type === 'i64') return `i64:${hex(BigInt.asUintN(64, value), 16)}`;
  if (type === 'funcref' || type === 'externref') return `${type}:${value === null ? 'null' : 'some'}`;
  if (Number.isNaN(value)) return `${type}:nan`;
  if (type === 'f32') {
    scratch.setFloat32(0, value);
    return `f32:${hex(scratch.getUint32(0), 8)}`;
  }
  scratch.setFloat64(0, value);
  return `f64:${hex(scratch.getBigUint64(0), 16)}`;
}

const zero = (type) => (type === 'i64' ? 0n : type.endsWith('ref') ? null : 0);

// V8's messages, in the words of replay.c.
const TRAPS = [
  [/unreachable/, 'unreachable'],
  [/null function or function signature/, 'indirect'],
  [/memory access out of bounds|data segment/, 'memory'],
  [/unrepresentable/, 'integer'], // before "table"
  [/table|element segment/, 'table'],
  [/divide by zero|remainder by zero/, 'divide'],
  [/call stack/, 'stack'],
  [/type incompatibility/, 'host'], // a v128 on its way to an imported function
];
function trapKind(error) {
  if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError) &&
      !(error instanceof TypeError)) throw error;
  return TRAPS.find(([pattern]) => pattern.test(error.message))?.[1] ?? error.message;
}

function memoryLine(exports) {
  const memory = Object.values(exports).find((e) => e instanceof WebAssembly.Memory);
  const words = memory ? new Uint32Array(memory.buffer) : [];
  let hash = 0;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i], 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return `memory ${words.length / 16384} ${hex(hash >>> 0, 8)}\n`;
}

export function replayModule(bytes) {
  const types = functionTypes(bytes);
  let text = '';
  const imports = {};
  for (const { module, name, type } of types.imports) {
    imports[module] ??= {};
    imports[module][name] = (...args) => {
      text += `import ${module}.${name}${type.params.map((t, i) => ' ' + show(t, args[i])).join('')}\n`;
      return type.results.length === 1 ? zero(type.results[0]) : type.results.map(zero);
    };
  }
  let instance;
  try {
    instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) throw error;
    return `${text}not started: ${trapKind(error)}\nend\n`;
  }
  let call = 0;
  for (const { name, type } of types.exports) {
    const n = call++;
    if ([...type.params, ...type.results].includes('v128')) continue;
    const args = type.params.map((t, i) => argument(t, n * 7 + i * 3));
    text += `call ${name}${args.map((a, i) => ' ' + show(type.params[i], a)).join('')}\n`;
    try {
      const value = instance.exports[name](...args);
      const results = type.results.length === 1 ? [value] : value ?? [];
      text += `=${results.map((r, i) => ' ' + show(type.results[i], r)).join('')}\n`;
    } catch (error) {
      const kind = trapKind(error);
      text += `! ${kind}\n`;
      if (kind === 'stack') return `${text}end\n`;
    }
  }
  return `${text}${memoryLine(instance.exports)}end\n`;
}

parentPort?.on('message', ({ bytes }) => {
  try {
    parentPort.postMessage({ text: replayModule(bytes) });
  } catch (error) {
    parentPort.postMessage({ error: String(error) });
  }
});
