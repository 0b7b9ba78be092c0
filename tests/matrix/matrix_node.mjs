// The parts of the operation matrix that need a node process of their own (matrix.mjs starts them).
//
//   node matrix_node.mjs DIR reference|relaxed    V8: the results of DIR/NAME.wasm's functions, to DIR/ROW.node
//   node matrix_node.mjs DIR dawn                 Dawn: verdicts to DIR/dawn.txt
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { difference, runRow } from './matrix_webgpu.mjs';

const [directory, what] = process.argv.slice(2);
const { rows } = JSON.parse(readFileSync(join(directory, 'rows.json'), 'utf8'));
const bytesOf = (name) => new Uint8Array(readFileSync(join(directory, name)));
await (what === 'dawn' ? dawn() : reference());

async function reference() {
  const { instance: { exports } } = await WebAssembly.instantiate(bytesOf(`${what}.wasm`));
  const memory = new Uint8Array(exports.memory.buffer);
  for (const row of rows.filter((r) => r.name in exports)) {
    memory.fill(0xa5);
    memory.set(bytesOf(`${row.name}.in`));
    exports[row.name](0, row.outAt, row.tuples);
    writeFileSync(join(directory, `${row.name}.node`), memory.slice(row.outAt, row.outAt + row.tuples * row.outStride));
  }
}

async function dawn() {
  // The package is installed beside the kernel validators.
  const packages = resolve(dirname(fileURLToPath(import.meta.url)), '../kernels/package.json');
  const { create, globals } = await import(pathToFileURL(createRequire(packages).resolve('webgpu')));
  Object.assign(globalThis, globals);
  globalThis.keptGpu = create(['backend=vulkan']); // collected too early, it takes its devices along
  const adapter = await keptGpu.requestAdapter();
  const device = await adapter.requestDevice();
  const verdicts = [];
  for (const row of rows.filter((r) => !r.wgslWhy)) {
    let verdict = 'ok';
    try {
      const code = readFileSync(join(directory, `${row.name}.wgsl`), 'utf8');
      const bad = difference(row, bytesOf(`${row.name}.want`), await runRow(device, row, code, bytesOf(`${row.name}.in`)));
      verdict = bad ? `WRONG: ${bad}` : 'ok';
    } catch (e) {
      verdict = `WRONG: ${e.message}`;
    }
    verdicts.push([row.name, verdict]);
  }
  writeFileSync(join(directory, 'dawn.txt'), JSON.stringify({ adapter: adapter.info.description || adapter.info.device, verdicts }));
  process.reallyExit(0);
}
