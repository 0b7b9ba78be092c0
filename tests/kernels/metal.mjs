// Checks MSL kernels: clang compiles each against the stand-in metal_stdlib in metal/, runs it on the CPU over every
// thread of its grid, and the memory is compared.
//
//   CXX=clang++-19 node metal.mjs DIRECTORY [--compile-only]
//
// The directory is what a kernel test wrote with KT_DUMP (tests/unit/kernel_test.h).  Starting the compiler costs more than
// a kernel: many are compiled at a time, each in a namespace, and one by one only when that fails.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync, writeFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const directory = process.argv[2];
const compileOnly = process.argv.includes('--compile-only');
const compiler = process.env.CXX ?? 'clang++-19';
const here = dirname(fileURLToPath(import.meta.url));
// Metal has no double: a literal without a suffix is a float.
const flags = ['-x', 'c++', '-std=c++17', '-Xclang', '-cl-single-precision-constant', '-Wall', '-Werror', '-Wno-unknown-pragmas', '-Wno-unknown-attributes',
  '-Wno-ignored-attributes', '-Wno-unused-variable', '-Wno-unused-but-set-variable', '-Wno-unused-const-variable', '-Wno-unused-function',
  '-Wno-missing-braces', '-Wno-self-assign', '-Wno-infinite-recursion', '-Wno-tautological-compare', '-I', join(here, 'metal')];
const names = readdirSync(directory).filter((f) => f.endsWith('.metal')).map((f) => f.slice(0, -6)).sort();
let failures = 0;

// `kernel void name(const device words& stream0 [[buffer(0)]], ..., uint3 id [[thread_position_in_grid]])`
function callOf(source) {
  const head = source.match(/kernel void (\w+)\((.*)\)\n/);
  const args = head[2].split(/, (?=const |device |constant |uint3 )/).map((argument) => {
    const buffer = argument.match(/^(.*)& \w+ \[\[buffer\((\d+)\)\]\]$/);
    return buffer ? `*(${buffer[1]} *)(${buffer[2]} == streams ? (unsigned char *)params : memory)` : 'id';
  });
  return `${head[1]}(${args.join(', ')})`;
}

const runtimeHead = `#include <metal_stdlib>
#include <simd/simd.h>
extern "C" { void *fopen(const char *, const char *); unsigned long fread(void *, unsigned long, unsigned long, void *);
unsigned long fwrite(const void *, unsigned long, unsigned long, void *); int fclose(void *); void exit(int); }
alignas(16) static unsigned char memory[1 << 20];
static void one(const char *in, const char *out, unsigned long bytes, void (*run)()) {
    void *f = fopen(in, "rb");
    if (!f || bytes > sizeof memory || fread(memory, 1, bytes, f) != bytes || fclose(f) != 0) exit(2);
    run();
    f = fopen(out, "wb");
    if (!f || fwrite(memory, 1, bytes, f) != bytes || fclose(f) != 0) exit(2);
}
`;

const spaceOf = (name) => `in_${name.replace(/\W/g, '_')}`;

// The kernel's text in a namespace, and, for a case, a function that runs it over its grid and a few points outside, to see
// the bounds test.  Streams share one memory here, as on a device.
function textOf(name) {
  let text = `namespace ${spaceOf(name)} {\n#include ${JSON.stringify(resolve(directory, name + '.metal'))}\n`;
  if (runs(name)) {
    const source = readFileSync(join(directory, name + '.metal'), 'utf8');
    const [streams, , , , , words, ...rest] = new Uint32Array(new Uint8Array(readFileSync(join(directory, name + '.case'))).buffer);
    const grid = [rest[0] + 3, rest[1] > 1 ? rest[1] + 1 : 1, rest[2]];
    text += `static void run() {
    constexpr uint streams = ${streams};
    static uint params[] = {${rest.slice(0, words).join('u, ')}u, 0, 0, 0};
    for (uint z = 0; z < ${grid[2]}; z++)
        for (uint y = 0; y < ${grid[1]}; y++)
            for (uint x = 0; x < ${grid[0]}; x++) {
                uint3 id = {x, y, z};
                ${callOf(source)};
            }
}
`;
  }
  return text + '}\n';
}

const runs = (name) => !compileOnly && existsSync(join(directory, name + '.case'));
const scratch = mkdtempSync(join(tmpdir(), 'metal-')), program = join(scratch, 'batch'), unit = program + '.cpp';

// Compiles the kernels, with a main for those that have a case.  null or what the compiler says.
function compile(batch) {
  const cases = batch.filter(runs);
  const main = cases.map((name) => {
    const input = resolve(directory, name + '.in');
    return `    one(${JSON.stringify(input)}, "${name}.got", ${statSync(input).size}, ${spaceOf(name)}::run);\n`;
  });
  writeFileSync(unit, `${runtimeHead}${batch.map(textOf).join('')}int main() {\n${main.join('')}    return 0;\n}\n`);
  const what = cases.length ? ['-O1', unit, '-o', program] : ['-fsyntax-only', unit];
  const r = spawnSync(compiler, [...flags, ...what], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return r.status === 0 ? null : r.stderr || String(r.error);
}

let ran = 0;
function run(batch) {
  const cases = batch.filter(runs);
  if (!cases.length) return;
  const r = spawnSync(program, [], { cwd: scratch, encoding: 'utf8' });
  if (r.status !== 0) fail(cases.join(' '), `ends with ${r.status ?? r.signal}`);
  for (const name of r.status === 0 ? cases : []) {
    ran++;
    const at = firstDifference(readFileSync(join(directory, name + '.out')), readFileSync(join(scratch, name + '.got')));
    if (at >= 0) fail(name, `memory differs at ${at}`);
  }
}

function fail(name, what) {
  failures++;
  console.log(`FAIL ${name}: ${what}`);
}

const BATCH = 50;
for (let k = 0; k < names.length; k += BATCH) {
  const batch = names.slice(k, k + BATCH);
  if (compile(batch) === null) {
    run(batch);
    continue;
  }
  for (const name of batch) {
    const wrong = compile([name]);
    if (wrong === null) run([name]);
    else fail(name, wrong);
  }
}
rmSync(scratch, { recursive: true });
console.log(`${compiler}: ${names.length} kernels compiled, ${ran} ran`);
console.log(failures ? `${failures} failures` : 'all good');
process.exitCode = failures ? 1 : 0;

// The first 8-byte cell that differs, NaNs being equal.
function firstDifference(want, got) {
  const same32 = (at) => want.readUInt32LE(at) === got.readUInt32LE(at) ||
    (isNaN(want.readFloatLE(at)) && isNaN(got.readFloatLE(at)));
  for (let i = 0; i + 8 <= want.length; i += 8) {
    const nan64 = isNaN(want.readDoubleLE(i)) && isNaN(got.readDoubleLE(i));
    if (!nan64 && !(same32(i) && same32(i + 4))) {
      return i;
    }
  }
  return -1;
}
