// Every lane operation of v128 on every pair of a table of boundary vectors, against node:
//   node simd.mjs WASMETAL WAT2WASM WORK_FOLDER
// A module is written with one function an operation, which leaves its results in memory; NaN lanes of arithmetic are
// made canonical there.  The memories must then be the same byte for byte.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [wasmetal, wat2wasm, work] = process.argv.slice(2);
mkdirSync(work, { recursive: true });

// ---- the operations: [name with immediates, operand letters, result letter, NaN lanes: f32x4 f64x2 or nothing] ----

const ops = [];
const add = (shape, names, operands, result = 'v', nan = '') =>
  names.split(' ').forEach((n) => ops.push([`${shape}.${n}`, operands, result, nan]));
const signed = (names) => names.split(' ').map((n) => `${n}_s ${n}_u`).join(' ');
const ints = [['i8x16', 'i', 16], ['i16x8', 'i', 8], ['i32x4', 'i', 4], ['i64x2', 'l', 2]];
const floats = [['f32x4', 'f', 4], ['f64x2', 'd', 2]];

for (const [s, letter, n] of [...ints, ...floats]) {
  add(s, 'splat', letter);
  for (let lane = 0; lane < n; lane++) {
    add(s, n >= 8 ? `extract_lane_s*${lane} extract_lane_u*${lane}` : `extract_lane*${lane}`, 'v', letter);
    add(s, `replace_lane*${lane}`, `v${letter}`);
  }
}
for (const [s, , n] of ints) {
  add(s, 'eq ne add sub', 'vv');
  add(s, n === 2 ? 'lt_s gt_s le_s ge_s' : signed('lt gt le ge min max'), 'vv');
  add(s, 'abs neg', 'v');
  add(s, 'all_true bitmask', 'v', 'i');
  add(s, 'shl shr_s shr_u', 'vi');
  if (n <= 8) add(s, 'mul', 'vv');
  if (n >= 8) add(s, `${signed('add_sat sub_sat')} avgr_u`, 'vv');
}
for (const [to, from] of [['i16x8', 'i8x16'], ['i32x4', 'i16x8'], ['i64x2', 'i32x4']]) {
  add(to, signed(`extend_low_${from} extend_high_${from}`), 'v');
  add(to, signed(`extmul_low_${from} extmul_high_${from}`), 'vv');
  if (to !== 'i64x2') {
    add(to, signed(`extadd_pairwise_${from}`), 'v');
    add(from, signed(`narrow_${to}`), 'vv');
  }
}
add('i8x16', 'popcnt', 'v');
add('i8x16', 'swizzle shuffle*0*16*1*17*2*18*3*19*4*20*5*21*6*22*7*23 shuffle*31*7*0*0*12*19*30*1*2*3*4*5*18*17*16*15', 'vv');
add('i16x8', 'q15mulr_sat_s', 'vv');
add('i32x4', 'dot_i16x8_s', 'vv');
for (const [s] of floats) {
  add(s, 'eq ne lt gt le ge pmin pmax', 'vv');
  add(s, 'abs neg', 'v');
  add(s, 'add sub mul div min max', 'vv', 'v', s);
  add(s, 'ceil floor trunc nearest sqrt', 'v', 'v', s);
}
add('i32x4', `${signed('trunc_sat_f32x4')} trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero`, 'v');
add('f32x4', signed('convert_i32x4'), 'v');
add('f64x2', signed('convert_low_i32x4'), 'v');
add('f32x4', 'demote_f64x2_zero', 'v', 'v', 'f32x4');
add('f64x2', 'promote_low_f32x4', 'v', 'v', 'f64x2');
add('v128', 'not', 'v');
add('v128', 'and andnot or xor', 'vv');
add('v128', 'bitselect', 'vvv');
add('v128', 'any_true', 'v', 'i');

// ---- the vectors ----

const bytes = [];
const push = (type, ...lanes) => bytes.push(...new Uint8Array(type.from(lanes).buffer));
for (const x of [0, 0xffffffff, 0x01010101, 0x80808080, 0x7f7f7f7f, 0x80008000, 0x7fff7fff, 0x80000000, 0x7fffffff])
  push(Uint32Array, x, x, x, x);
push(Uint8Array, 15, 14, 13, 12, 11, 10, 9, 8, 16, 255, 128, 31, 0, 1, 2, 3);
push(Int16Array, -32768, 32767, -1, 0, 1, -32767, 255, -256);
push(Int16Array, 32767, -32768, 1, -128, 128, 127, 256, -290);
push(Int32Array, -32769, 32768, 65536, -129);
push(Int32Array, -2147483648, 2147483647, 16777217, -16777219);
push(Uint32Array, 0x9abcdef0, 0x12345678, 0xcafebabe, 0xdeadbeef);
push(Float32Array, 0, -0, 1, -1);
push(Float32Array, -0, 0, -1.5, 2.5);
push(Float32Array, 0.5, -2.5, 3.5, -0.49999997);
push(Float32Array, Infinity, -Infinity, NaN, 1e-40);
push(Float32Array, NaN, 3.4e38, 8388609, -1e-45);
push(Float32Array, 2147483648, -2147483648, 4294967296, 4294967040);
push(Float32Array, 2147483520, -2147483904, -0.99, 8388607.5);
push(Uint32Array, 0x7fa00000, 0xffc00001, 0x7f800000, 0x3f800000);
push(Float64Array, 0, -0);
push(Float64Array, -0, 0);
push(Float64Array, NaN, 1);
push(Float64Array, Infinity, -Infinity);
push(Float64Array, 2147483647.9, -2147483648.9);
push(Float64Array, 2147483648, -2147483649);
push(Float64Array, 4294967295.9, 4294967296);
push(Float64Array, -0.9, 4503599627370497.5);
push(Float64Array, 1e-310, 1e300);
push(Uint32Array, 0, 0x7ff40000, 1, 0xfff80000);
const count = bytes.length / 16;

// ---- the module ----

const type = { v: 'v128', i: 'i32', l: 'i64', f: 'f32', d: 'f64' };
const nanOf = { f32x4: '(v128.const i32x4 0x7fc00000 0x7fc00000 0x7fc00000 0x7fc00000)',
                f64x2: '(v128.const i64x2 0x7ff8000000000000 0x7ff8000000000000)' };
const table = bytes.length, results = Math.ceil(table / 65536) * 65536;
let at = results, text = '';
const calls = [];
ops.forEach(([name, operands, result, nan], k) => {
  const binary = operands.length > 1, rows = binary ? count * count : count;
  const operand = [`(${type[operands[0]]}.load (local.get $i))`, `(${type[operands[1] ?? 'i']}.load (local.get $j))`,
                   '(v128.load (i32.xor (local.get $i) (i32.const 16)))'].slice(0, operands.length).join(' ');
  let value = `(${name.replaceAll('*', ' ')} ${operand})`;
  if (nan)
    value = `(v128.bitselect (local.tee $v ${value}) ${nanOf[nan]} (${nan}.eq (local.get $v) (local.get $v)))`;
  text += `(func $f${k} (local $i i32) (local $j i32) (local $to i32) (local $v v128)
    (local.set $to (i32.const ${at}))
    (loop $next (local.set $j (i32.const 0))
      (loop $inner
        (${type[result]}.store (local.get $to) ${value})
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        ${binary ? `(br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (i32.const ${table})))` : ''})
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 16))) (i32.const ${table})))))\n`;
  calls.push([name, at]);
  at += rows * 16;
});
const data = bytes.map((b) => `\\${b.toString(16).padStart(2, '0')}`).join('');
// bitselect's third operand is the neighbour of the first, which for the last may lie behind the table: zeros.
writeFileSync(join(work, 'simd.wat'), `(module (memory (export "memory") ${Math.ceil(at / 65536)})
  (data (i32.const 0) "${data}")
${text}(func (export "all") ${ops.map((_, k) => `call $f${k}`).join(' ')}))\n`);

function must(command, args) {
  const r = spawnSync(command, args, { encoding: 'utf8', timeout: 200000 });
  if (r.status === 0) return;
  console.log(`${command} ${args.join(' ')}: ${r.error ?? r.status ?? r.signal}\n${r.stderr}`);
  process.exit(1);
}
const wasm = join(work, 'simd.wasm');
must(wat2wasm, [join(work, 'simd.wat'), '-o', wasm]);

// ---- both engines ----

const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(wasm)), {});
instance.exports.all();
const want = new Uint8Array(instance.exports.memory.buffer);
let failures = 0;
for (const mode of [['-O2'], ['-O0'], ['-O2', '--bounds-checks=on'], ['-O2', '--cpu=x86-64']]) {
  if (mode.includes('--cpu=x86-64') && process.arch !== 'x64') continue;
  const dump = join(work, 'memory');
  must(wasmetal, ['run', '--device=none', '--no-cache', ...mode, `--dump-memory=${dump}`, '--invoke=all', wasm]);
  const got = readFileSync(dump);
  if (got.equals(want)) continue;
  calls.forEach(([name, from], k) => {
    const to = k + 1 < calls.length ? calls[k + 1][1] : at;
    for (let p = from; p < to; p += 16) {
      const a = Buffer.from(want.subarray(p, p + 16)).toString('hex'), b = got.subarray(p, p + 16).toString('hex');
      if (a === b) continue;
      failures++;
      console.log(`FAIL ${mode.join(' ')} ${name} row ${(p - from) / 16}: node ${a}, wasmetal ${b}`);
      break;
    }
  });
}
console.log(`${ops.length} operations, ${(at - results) / 16} results, ${failures} failures`);
process.exit(failures ? 1 : 0);
