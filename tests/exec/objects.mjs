// Objects for other machines, looked at with LLVM's readers: format, symbols, relocations, code.
//
//   node objects.mjs WASMETAL MODULE.wasm LLVM_BIN WORK
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const [wasmetal, module, bin, work] = process.argv.slice(2);
if (!work) {
  console.error('usage: objects.mjs WASMETAL MODULE.wasm LLVM_BIN WORK');
  process.exit(2);
}
mkdirSync(work, { recursive: true });

const TARGETS = [
  { triple: 'x86_64-linux-gnu', format: 'elf64-x86-64', arch: 'x86_64', prefix: '' },
  { triple: 'aarch64-linux-gnu', format: 'elf64-littleaarch64', arch: 'aarch64', prefix: '' },
  { triple: 'arm64-apple-macos13', format: 'Mach-O arm64', arch: 'aarch64', prefix: '_' },
  { triple: 'x86_64-apple-macos13', format: 'Mach-O 64-bit x86-64', arch: 'x86_64', prefix: '_' },
  { triple: 'x86_64-pc-windows-msvc', format: 'COFF-x86-64', arch: 'x86_64', prefix: '' },
];
// What may be referred to: the runtime, and functions of the C library where the processor has no instruction.
const ALLOWED = /^(wm_rt_\w+|_fltused|__chkstk|mem(cpy|set|move)|(floor|ceil|trunc|rint|fma|nearbyint|roundeven)f?)$/;

let failures = 0;
function fail(text) {
  failures++;
  console.log(`FAIL ${text}`);
}

function sh(command, args) {
  const r = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (r.error || r.status !== 0) fail(`${command} ${args.join(' ')}: ${r.error ?? r.stderr}`);
  return r;
}

for (const { triple, format, arch, prefix } of TARGETS) {
  for (const checks of ['auto', 'on']) {
    const what = `${triple} --bounds-checks=${checks}`, object = join(work, 'object.o');
    const r = sh(wasmetal, [module, `--triple=${triple}`, `--bounds-checks=${checks}`, '--name=m', '--no-header', '-o',
      object]);
    if (r.status !== 0) continue;
    if (r.stderr) fail(`${what}: unexpected output: ${r.stderr}`);

    const head = sh(join(bin, 'llvm-readobj'), ['--file-headers', '--sections', '--relocations', object]).stdout;
    if (!head.includes(`Format: ${format}\n`)) fail(`${what}: not ${format}: ${head.slice(0, 200)}`);
    if (!head.includes(`Arch: ${arch}\n`)) fail(`${what}: not ${arch}`);
    // One trap map with entries where faults are to be told apart, and none elsewhere.
    const map = /wasmetal_traps|wm_traps/.test(head);
    if (map !== (format.startsWith('elf') && checks === 'auto')) fail(`${what}: ${map ? 'a' : 'no'} trap map`);

    const symbols = sh(join(bin, 'llvm-nm'), ['--extern-only', '--format=posix', object]).stdout.trim().split('\n')
      .map((line) => line.split(' '));
    const name = (s) => (s.startsWith(prefix) ? s.slice(prefix.length) : `without the prefix: ${s}`);
    const undefined_ = symbols.filter(([, kind]) => kind === 'U').map(([s]) => name(s));
    const defined = symbols.filter(([s, kind]) => kind !== 'U' && !/^(@feat|__real@|__xmm@|\?|\.)/.test(s))
      .map(([s]) => name(s));
    for (const s of undefined_) if (!ALLOWED.test(s)) fail(`${what}: refers to ${s}`);
    if (!undefined_.some((s) => s.startsWith('wm_rt_'))) fail(`${what}: does not refer to the runtime`);
    // On ELF the personality function is referred to through a hidden, mergeable pointer.
    if (defined.filter((s) => s !== 'DW.ref.wm_rt_personality').join() !== 'wasmetal_module_m') fail(`${what}: exports ${defined.join()}`);

    const code = sh(join(bin, 'llvm-objdump'), ['-d', '--no-show-raw-insn', object]).stdout;
    if (!/<_?w\d+\.\w+>:/.test(code)) fail(`${what}: no function of the module`);
    // On x86-64 Mach-O has its jump tables between the functions.
    if (/<unknown>/.test(code) && format !== 'Mach-O 64-bit x86-64') fail(`${what}: code that the disassembler does not know`);
  }
}

// Features are added to the processor's, and unknown ones are refused.
const plain = join(work, 'plain.o'), avx = join(work, 'avx.o');
const wide = (o) => sh(join(bin, 'llvm-objdump'), ['-d', o]).stdout.includes('ymm');
sh(wasmetal, [module, '--triple=x86_64-linux-gnu', '-O3', '--no-header', '-o', plain]);
sh(wasmetal, [module, '--triple=x86_64-linux-gnu', '-O3', '--cpu-features=+avx2', '--no-header', '-o', avx]);
if (wide(plain)) fail('AVX without being asked for');
if (!wide(avx)) fail('--cpu-features=+avx2 makes no difference');
const bad = spawnSync(wasmetal, [module, '--triple=x86_64-linux-gnu', '--cpu-features=+avx2,+flux', '-o', avx],
  { encoding: 'utf8' });
if (bad.status !== 1 || !/WM3001.*\+flux/.test(bad.stderr)) fail(`an unknown feature: ${bad.status} ${bad.stderr}`);

console.log(failures ? `${failures} failures` : `ok: ${TARGETS.length} targets`);
process.exit(failures ? 1 : 0);
