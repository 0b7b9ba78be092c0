// Checks MSL kernels: clang compiles each against the stand-in metal_stdlib in metal/, runs it on the CPU over every
// thread of its grid, and the memory is compared.
//
//   CXX=clang++-19 node metal.mjs DIRECTORY [--compile-only]
//
// The directory is what a kernel test wrote with KT_DUMP (tests/unit/kernel_test.h).
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
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
  '-Wno-missing-braces', '-Wno-infinite-recursion', '-Wno-tautological-compare', '-I', join(here, 'metal')];
const names = readdirSync(directory).filter((f) => f.endsWith('.metal')).map((f) => f.slice(0, -6)).sort();
let failures = 0;

// `kernel void name(const device words& stream0 [[buffer(0)]], ..., uint3 id [[thread_position_in_grid]])`
function callOf(source, name) {
  const head = source.match(new RegExp(`kernel void ${name}\\((.*)\\)\\n`));
  return head[1].split(/, (?=const |device |constant |uint3 )/).map((argument) => {
    const buffer = argument.match(/^(.*)& \w+ \[\[buffer\((\d+)\)\]\]$/);
    return buffer ? `*(${buffer[1]} *)buffers[${buffer[2]}]` : 'id';
  }).join(', ');
}

// Streams share one memory here, as on a device.
function programOf(name, source) {
  const groups = source.groups;
  return `${source.text}
extern "C" { void *fopen(const char *, const char *); unsigned long fread(void *, unsigned long, unsigned long, void *);
unsigned long fwrite(const void *, unsigned long, unsigned long, void *); int fclose(void *); }
alignas(16) static unsigned char memory[65536];
static uint params[64] = {${source.params.join('u, ')}u};
int main(int, char **argv) {
    void *f = fopen(argv[1], "rb");
    if (!f || fread(memory, 1, sizeof memory, f) != sizeof memory) return 2;
    fclose(f);
    void *buffers[${source.streams + 1}];
    for (uint s = 0; s < ${source.streams}; s++) buffers[s] = memory;
    buffers[${source.streams}] = params;
    for (uint z = 0; z < ${groups[2]}; z++)
        for (uint y = 0; y < ${groups[1]}; y++)
            for (uint x = 0; x < ${groups[0]}; x++) {
                uint3 id = {x, y, z};
                ${name}(${callOf(source.text, name)});
            }
    f = fopen(argv[2], "wb");
    return !f || fwrite(memory, 1, sizeof memory, f) != sizeof memory || fclose(f);
}
`;
}

const scratch = mkdtempSync(join(tmpdir(), 'metal-'));
const compile = (file) => spawnSync(compiler, [...flags, '-fsyntax-only', file], { encoding: 'utf8' });

// Starting the compiler costs more than a kernel: many at a time, each in a namespace; one by one when that fails.
const BATCH = 50;
const valid = new Set();
for (let k = 0; k < names.length; k += BATCH) {
  const batch = names.slice(k, k + BATCH), unit = join(scratch, 'batch.metal');
  writeFileSync(unit, '#include <metal_stdlib>\n#include <simd/simd.h>\n' + batch.map((name, n) =>
    `namespace batch${n} {\n#include ${JSON.stringify(resolve(directory, name + '.metal'))}\n}\n`).join(''));
  const together = compile(unit).status === 0;
  for (const name of batch) {
    const alone = together ? null : compile(join(directory, name + '.metal'));
    if (!alone || alone.status === 0) {
      valid.add(name);
      continue;
    }
    failures++;
    console.log(`FAIL ${name}: ${alone.stderr || alone.error}`);
  }
}

let ran = 0;
for (const name of names) {
  const file = join(directory, name + '.metal');
  if (compileOnly || !valid.has(name) || !existsSync(join(directory, name + '.case'))) {
    continue;
  }
  const [streams, , , , , words, ...rest] = new Uint32Array(new Uint8Array(readFileSync(join(directory, name + '.case'))).buffer);
  // One thread a grid point, and a few outside to see the bounds test.
  const groups = [rest[0] + 3, rest[1] > 1 ? rest[1] + 1 : 1, rest[2]];
  const program = programOf(name, { text: readFileSync(file, 'utf8'), streams, params: rest.slice(0, words), groups });
  writeFileSync(join(scratch, 'k.cpp'), program);
  try {
    execFileSync(compiler, [...flags, '-O1', join(scratch, 'k.cpp'), '-o', join(scratch, 'k')]);
    execFileSync(join(scratch, 'k'), [join(directory, name + '.in'), join(scratch, 'out')]);
  } catch (e) {
    failures++;
    console.log(`FAIL ${name}: ${e.message}`);
    continue;
  }
  ran++;
  const at = firstDifference(readFileSync(join(directory, name + '.out')), readFileSync(join(scratch, 'out')));
  if (at >= 0) {
    failures++;
    console.log(`FAIL ${name}: memory differs at ${at}`);
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
