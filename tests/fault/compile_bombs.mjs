#!/usr/bin/env node
// Modules that are large in one dimension, through the whole compiler: each is refused with a diagnostic, or compiled,
// within a limit of processor time and of address space that the system enforces (ulimit).
//
//   compile_bombs.mjs --wasmetal=PATH [--work=DIR] [--seconds=60] [--megabytes=2048] [--only=NAME,...] [--all]
//
// --megabytes=0: no limit, for sanitizers, which reserve address space without bound.  The quick ones run always, the
// others with --all.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const options = { work: 'bombs', seconds: '60', megabytes: '2048', only: '', all: '' };
for (const arg of process.argv.slice(2)) {
  const m = /^--(wasmetal|work|seconds|megabytes|only|all)(?:=(.*))?$/.exec(arg);
  if (!m) {
    console.error('usage: compile_bombs.mjs --wasmetal=PATH [--work=DIR] [--seconds=N] [--megabytes=N] [--only=NAME,...] [--all]');
    process.exit(2);
  }
  options[m[1]] = m[2] ?? 'yes';
}
const wasmetal = resolve(options.wasmetal), work = resolve(options.work);
mkdirSync(work, { recursive: true });

// ---- writing modules ----

const u32 = (v) => {
  const out = [];
  do {
    out.push((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
    v = Math.floor(v / 128);
  } while (v);
  return Buffer.from(out);
};
const s32 = (v) => {
  const out = [];
  for (;;) {
    const byte = v & 0x7f;
    v >>= 7;
    if ((v === 0 && !(byte & 0x40)) || (v === -1 && byte & 0x40)) {
      out.push(byte);
      return Buffer.from(out);
    }
    out.push(byte | 0x80);
  }
};
const cat = (...parts) => Buffer.concat(parts.map((p) => (Buffer.isBuffer(p) ? p : Buffer.from(p))));
const times = (n, part) => Buffer.alloc(part.length * n, Buffer.from(part));
const each = (n, make) => Buffer.concat(Array.from({ length: n }, (_, i) => make(i)));
const list = (parts) => cat(u32(parts.length), ...parts);
const sized = (bytes) => cat(u32(bytes.length), bytes);
const I32 = 0x7f;
const type = (params, results) => cat([0x60], u32(params), times(params, [I32]), u32(results), times(results, [I32]));
const body = (code, locals = [0]) => sized(cat(locals, code, [0x0b]));
// sections: [id, content] in order; ids as in the binary format.
const module = (...sections) => cat('\0asm', [1, 0, 0, 0], ...sections.map(([id, content]) => cat([id], sized(content))));
const memory = [5, cat([1, 0, 1])];
const exported = [7, cat([1, 1], 'f', [0], u32(0))];
const onefunc = (t, b) => module([1, list([t])], [3, cat([1, 0])], memory, exported, [10, list([b])]);
const get = (k) => cat([0x20], u32(k)), set = (k) => cat([0x21], u32(k)), i32 = (v) => cat([0x41], s32(v));
const load = cat([0x28, 2], u32(0)), store = cat([0x36, 2], u32(0));

// br_table over `n` targets spread over `depth` blocks; each block end adds to memory.
function table(n, depth) {
  const targets = each(n, (i) => u32(i % depth));
  return cat(times(depth, [0x02, 0x40]), get(0), [0x0e], u32(n - 1), targets,
             each(depth, (i) => cat([0x0b], i32(4 * i), i32(i + 1), store)));
}

const bombs = {
  // refused
  nested_1000000: ['refused', () => onefunc(type(0, 0), body(cat(times(1e6, [0x02, 0x40]), times(1e6, [0x0b]))))],
  locals_50000000: ['refused', () => onefunc(type(0, 0), body([], cat([1], u32(5e7), [I32])))],
  params_1000000: ['refused', () => onefunc(type(1e6, 0), body([]))],
  table_4000000000: ['refused', () => module([4, cat([1, 0x70, 0], u32(4e9))])],
  br_table_1000000: ['refused', () => onefunc(type(1, 0), body(table(1e6, 10)))],
  // compiled: the most that is not refused
  nested_5000: ['compiled', () => onefunc(type(1, 0), body(cat(
    each(4990, (i) => cat(get(0), i % 3 ? [0x04, 0x40] : [0x0d, 0, 0x03, 0x40])), i32(0), get(0), store, times(4990, [0x0b]))))],
  locals_50000: ['compiled', () => onefunc(type(1, 1), body(cat(
    each(40000, (i) => cat(get(i % 7 ? i : 0), load, set(i + 1))), i32(0), each(40000, (i) => cat(get(i + 1), [0x6a]))),
    cat([1], u32(49999), [I32])))],
  params_1000: ['compiled', () => module([1, list([type(1000, 1)])], [3, cat(u32(10), times(10, [0]))], exported,
    [10, list(Array.from({ length: 10 }, (_, f) => body(cat(get(0), [0x45, 0x04, 0x40], i32(f), [0x0f, 0x0b],
      each(1000, (k) => get((k * 7 + f) % 1000)), [0x10], u32((f + 1) % 10)))))])],
  results_1000: ['compiled', () => module([1, list([type(1, 1000)])], [3, cat(u32(20), times(20, [0]))], exported,
    [10, list(Array.from({ length: 20 }, (_, f) => body(each(1000, (k) => cat(get(0), i32(k * f), [0x6a])))))]), 'slow'],
  table_10000000: ['compiled', () => module([1, list([type(0, 0)])], [3, cat([1, 0])], [4, cat([1, 0x70, 0], u32(1e7))], exported,
    [9, cat([1, 0], i32(0), [0x0b], u32(1e6), times(1e6, [0]))], [10, list([body([])])])],
  br_table_65520: ['compiled', () => onefunc(type(1, 0), body(table(65520, 4000)))],
  br_tables_20: ['compiled', () => onefunc(type(1, 0), body(times(20, table(65520, 100))))],
  segments_100000: ['compiled', () => module(memory, [11, cat(u32(1e5), each(1e5, (i) => cat([0], i32(i % 60000), [0x0b, 1, 7])))])],
  data_100MB: ['compiled', () => module([5, cat([1, 0], u32(2000))], [11, cat([1, 0], i32(0), [0x0b], u32(1e8), Buffer.alloc(1e8, 'wasm'))]), 'slow'],
  straight_5MB: ['refused', () => onefunc(type(1, 1), body(cat(get(0), each(500000, (i) => cat(i32(i % 60000), [0x6a], load, [0x45]))))), 'slow'],
  products_500000: ['compiled', () => onefunc(type(2, 1), body(cat(get(0), times(5e5, cat([0x22, 0], get(0), [0x6c], get(1), [0x6a])))))],
  branches_100000: ['compiled', () => onefunc(type(2, 1), body(cat(each(1e5, (i) => cat(get(0), i32(i * 77), [0x46, 0x04, 0x40],
    get(1), i32(i), [0x73], set(1), [0x0b])), get(1)))), 'slow'],
  loops_50000: ['compiled', () => onefunc(type(2, 1), body(cat(each(5e4, (i) => cat([0x03, 0x40], get(0), i32(i), [0x6a], set(0),
    i32(i % 999), get(0), store, get(1), i32(1), [0x6b, 0x22, 1, 0x0d, 0, 0x0b])), get(0)))), 'slow'],
  // two copies of a body whose values are used twice, forty times over: which operand belongs to which can be asked 2^40 times
  unrolled_squares_40: ['compiled', () => onefunc(type(1, 0), body(cat([0x03, 0x40], squares(40, 0), squares(40, 4),
    get(1), i32(8), [0x6a, 0x22, 1], get(0), [0x47, 0x0d, 0, 0x0b]), cat([2, 1], [I32], [1], [0x7d])))],
  functions_100000: ['compiled', () => functions(1e5), 'slow'],
  functions_1000000: ['compiled', () => functions(1e6), 'slow'],
};
// to[i] = (from[i] + offset) squared n times over, in f32
function squares(n, offset) {
  const load = cat(get(1), [0x2a, 2], u32(0x1000 + offset)), add = cat([0x43, 0, 0, offset, 0x40, 0x92]);
  return cat(get(1), load, add, times(n, [0x22, 2, 0x20, 2, 0x94]), [0x38, 2], u32(0x8000 + offset));
}
function functions(n) {
  const b = body(cat(get(0), i32(3), [0x6c]));
  return module([1, list([type(1, 1)])], [3, cat(u32(n), times(n, [0]))], exported, [10, cat(u32(n), times(n, b))]);
}

const only = options.only ? options.only.split(',') : null;
let failed = 0;
for (const [name, [verdict, make, slow]] of Object.entries(bombs)) {
  if (only ? !only.includes(name) : slow && !options.all) continue;
  const path = join(work, `${name}.wasm`), object = join(work, `${name}.o`);
  const bytes = make();
  writeFileSync(path, bytes);
  const limits = `ulimit -t ${options.seconds}; ${Number(options.megabytes) ? `ulimit -v ${Number(options.megabytes) * 1024};` : ''}`;
  const r = spawnSync('bash', ['-c', `${limits} TIMEFORMAT='%U %S'; time "$@"`, 'bash', wasmetal, path, '-O2', '--no-header', '-o', object],
                      { encoding: 'utf8', maxBuffer: 1 << 26 });
  const lines = r.stderr.trim().split('\n'), spent = lines.pop().split(' ').map(Number);
  const error = lines.find((l) => l.includes('error')) ?? '';
  const seen = r.status === 0 ? 'compiled' : r.status === 1 && /WM\d+/.test(error) ? 'refused' : `exit ${r.status ?? r.signal}`;
  const ok = seen === verdict;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(18)} ${String(bytes.length).padStart(10)} bytes, ${(spent[0] + spent[1]).toFixed(1).padStart(5)} s: ` +
              `${seen}${ok ? '' : `, not ${verdict}`}${seen === 'refused' ? ': ' + error.slice(error.indexOf('error')).slice(0, 90) : ''}`);
  if (!ok) {
    failed++;
    console.log(r.stderr.slice(0, 600));
  }
  rmSync(path, { force: true });
  rmSync(object, { force: true });
}
process.exit(failed ? 1 : 0);
