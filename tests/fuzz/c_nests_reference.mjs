// The answers of node's engine to the programs of c_nests.mjs: node c_nests_reference.mjs MODULE RUNS
//
// For each K below RUNS: a new instance, one line "K VALUE" or "K trap TEXT" for run(K), and the memory it left in
// node.K.mem.
import { readFileSync, writeFileSync } from 'node:fs';

const [path, runs] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(path));
for (let k = 0; k < Number(runs); k++) {
  const { exports } = new WebAssembly.Instance(module, {});
  let line;
  try {
    line = `${k} ${exports.run(k)}`;
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
    line = `${k} trap ${error.message}`;
  }
  writeFileSync(`node.${k}.mem`, new Uint8Array(exports.memory.buffer));
  console.log(line);
}
