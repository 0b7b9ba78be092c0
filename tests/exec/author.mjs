// Fills in the expected results of `;; call:` lines of a wat file with node's answers, once, when the test is written:
//   wat2wasm x.wat -o x.wasm && node author.mjs x.wasm x.wat
// Each call gets a fresh instance.
import { readFileSync, writeFileSync } from 'node:fs';

const [wasm, wat] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(wasm));
const text = readFileSync(wat, 'utf8');

// JavaScript values do not tell i32 from f32: result types are read from the wat, by the export's name.
function resultTypes(name) {
  const head = new RegExp(`\\(export "${name}"\\)((?:\\s*\\((?:type|param|result)[^)]*\\))*)`).exec(text)[1];
  if (/\(type \$pair\)/.test(head)) return ['i32', 'i32'];
  return [...head.matchAll(/\(result ([^)]*)\)/g)].flatMap((m) => m[1].split(/\s+/));
}
const parse = { i32: (s) => Number(s) | 0, i64: (s) => BigInt(s), f32: number, f64: number };
function number(s) { return s === 'nan' ? NaN : s === 'inf' ? Infinity : s === '-inf' ? -Infinity : Number(s); }
const show = (x) => Number.isNaN(x) ? 'nan' : Object.is(x, -0) ? '-0' : x === Infinity ? 'inf' : x === -Infinity ? '-inf' : String(x);
// The spec's texts where node's say as much; else none, which matches any trap.
const traps = { 'divide by zero': 'integer divide by zero', 'remainder by zero': 'integer divide by zero',
  'divide result unrepresentable': 'integer overflow', 'memory access out of bounds': 'out of bounds memory access',
  unreachable: 'unreachable', 'table index is out of bounds': 'undefined element' };
function trap(message, args) {
  if (message === 'float unrepresentable in integer range')
    return /nan/.test(args) ? 'invalid conversion to integer' : 'integer overflow';
  return traps[message] ?? '';
}
const lines = text.split('\n').map((line) => {
  const m = /^;; call: (\S+)([^=]*)(=>.*)?$/.exec(line);
  if (!m || m[3]) return line;
  const args = m[2].trim().split(/\s+/).filter((a) => a).map((a) => { const [t, v] = a.split(':'); return parse[t](v); });
  let answer;
  try {
    let r = new WebAssembly.Instance(module).exports[m[1]](...args);
    const types = resultTypes(m[1]);
    r = types.length === 0 ? [] : types.length === 1 ? [r] : r;
    answer = types.map((t, i) => `${t}:${show(r[i])}`).join(' ');
  } catch (e) {
    answer = `trap ${trap(e.message, m[2])}`;
  }
  return `;; call: ${m[1]}${m[2].trimEnd()} => ${answer}`.trimEnd();
});
writeFileSync(wat, lines.join('\n'));
