// Random C programs, made by csmith, through stock clang: output and memory in Wasmetal and in node must be the same.
//
//   node csmith.mjs --wasmetal=PATH [--count=200] [--seed=1] [--csmith=PATH] [--include=/usr/include/csmith]
//                   [--keep=DIR] [--work=DIR]
//
// Programs that a native build does not end within two seconds are passed over (csmith makes endless loops now and
// then).  The comparison is that of check_program.mjs; optimisation levels take turns.  The last line is
// "N passed, N failed"; failed programs are kept.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const LEVELS = ['O2', 'O1', 'O3+simd', 'Os', 'O0', 'O3'];
const here = dirname(fileURLToPath(import.meta.url));
const options = { count: '20', seed: '1', csmith: 'csmith', include: '/usr/include/csmith', clang: 'clang-19',
                  keep: 'csmith-failures' };
for (const a of process.argv.slice(2)) {
  const [key, ...value] = a.replace(/^--/, '').split('=');
  options[key] = value.join('=');
}
if (!options.wasmetal) {
  console.error('usage: csmith.mjs --wasmetal=PATH [--count=N] [--seed=N] [--keep=DIR]');
  process.exit(2);
}

const work = mkdtempSync(join(tmpdir(), 'wasmetal-csmith-'));
// Unions of bit-fields and volatile reads are fine; what depends on the platform's padding is not asked for.
const FLAGS = ['--no-packed-struct', '--float', '--max-funcs', '6', '--max-block-depth', '4'];

function makeProgram(seed) {
  const source = join(work, `csmith_${seed}.c`), native = join(work, 'native');
  const r = spawnSync(options.csmith, ['--seed', String(seed), ...FLAGS, '--output', source], { cwd: work });
  if (r.status !== 0) throw new Error(`csmith: ${r.error ?? r.stderr}`);
  writeFileSync(source, `// build: -w -I${options.include}\n${readFileSync(source, 'utf8')}`);
  const c = spawnSync(options.clang, ['-w', '-O1', `-I${options.include}`, source, '-o', native], { timeout: 60000 });
  if (c.status !== 0) throw new Error(`clang: ${c.error ?? c.stderr}`);
  return spawnSync(native, [], { timeout: 2000 }).status === 0 ? source : null;
}

let passed = 0, failed = 0, endless = 0;
for (let seed = Number(options.seed); passed + failed < Number(options.count); seed++) {
  const source = makeProgram(seed);
  if (!source) {
    endless++;
    continue;
  }
  const level = LEVELS[seed % LEVELS.length];
  const r = spawnSync(process.execPath, [join(here, '../check_program.mjs'), `--wasmetal=${resolve(options.wasmetal)}`,
    `--opt=${level}`, '--devices=none,cpu', `--work=${work}`, source], { encoding: 'utf8' });
  if (r.status === 0) {
    passed++;
  } else {
    failed++;
    mkdirSync(options.keep, { recursive: true });
    copyFileSync(source, join(options.keep, `csmith_${seed}.c`));
    console.log(`seed ${seed}, ${level}, kept in ${options.keep}\n${r.stdout}${r.stderr}`);
  }
  rmSync(source);
}
rmSync(work, { recursive: true, force: true });
console.log(`${endless} programs passed over for taking more than two seconds natively`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
