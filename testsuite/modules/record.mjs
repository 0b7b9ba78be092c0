// Uses a package of scenarios.mjs in node and records what its module did: NAME.wasm and NAME.trace.
//
//   node record.mjs NAME FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { install } from './recorder.mjs';
import { scenarios } from './scenarios.mjs';

const [name, folder] = process.argv.slice(2);
const scenario = scenarios[name];
if (!scenario || !folder) {
  console.error(`usage: record.mjs NAME FOLDER; names: ${Object.keys(scenarios).join(' ')}`);
  process.exit(2);
}
// Nothing a trace holds should depend on the clock or on chance, so that two recordings are alike.
let clock = 1_700_000_000_000, dice = 1;
Date.now = () => (clock += 1);
performance.now = () => (clock += 1) - 1_700_000_000_000;
Math.random = () => (dice = (dice * 48271) % 2147483647) / 2147483647; // minimal standard generator, Park and Miller

const recorder = install((bytes) => bytes.length >= scenario.least);
await scenario.run();
const { wasm, trace, crossings } = recorder.finish();
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, `${name}.wasm`), wasm);
writeFileSync(join(folder, `${name}.trace`), trace);
console.log(`${name} (${scenario.from}): ${wasm.length} bytes, ${crossings} crossings, trace of ${trace.length} bytes`);
process.exit(0);
