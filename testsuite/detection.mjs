// How many of the parallel loop nests of programs/ become launches: a table by optimisation level.
//
//   node detection.mjs --wasmetal=PATH [--clang=PATH] [--levels=O1,O2,O3+simd,Os] [--work=DIR] [--markdown=FILE]
//                      [--least=PERCENT] [PROGRAM...]
// Each level runs in a process of its own, all at the same time.
//
// The unit is a nest named by its function, as the programs' comments name it: one function that has an expectation
// (see check_program.mjs) or a line "// truth: F parallel|serial".  Whether it is parallel was decided by hand, by
// reading the source: "parallel" means that some loop of it, the outermost or one inside, may run its iterations in any
// order with the same bytes as result, for the data that the program gives it.  Where the program does not say, a nest
// that is expected to launch is parallel, and one expected to stay is serial.
//
// The host code is compiled at -O0, which is quick; kernels and guards are the same at every level.  Offloaded are
// those of which a kernel really ran on the CPU device (with WASMETAL_MIN_WORK=1, so that size does not count).  A
// missed nest comes with the reason of its outermost loop, or with the guard's reason when a kernel was there. A serial
// nest that launches is a wrong launch only if the answer differs: the guard may have seen at run time that these
// pointers are harmless, and a loop inside may be parallel where the whole is not.  check_program.mjs decides about
// that.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileProgram, isFunction, programName, readHeader, sumOfFunction } from './program.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = { clang: '', levels: 'O1,O2,O3+simd,Os', work: 'build/work-detection' };
const rest = process.argv.slice(2);
while (rest.length && rest[0].startsWith('--')) {
  const [key, ...value] = rest.shift().slice(2).split('=');
  options[key] = value.join('=');
}
if (!options.wasmetal) {
  console.error('usage: detection.mjs --wasmetal=PATH [--levels=O1,O2,O3+simd,Os] [--markdown=FILE] [PROGRAM...]');
  process.exit(2);
}
const wasmetal = resolve(options.wasmetal);
const programs = rest.length ? rest.map((p) => resolve(p))
               : readdirSync(join(here, 'programs')).filter((f) => /\.(c|cpp|rs)$/.test(f)).sort()
                   .map((f) => join(here, 'programs', f));

function run(command, args, cwd, env = {}) {
  return spawnSync(command, args, { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd, XDG_CACHE_HOME: join(cwd, 'cache'), ...env },
                                    encoding: 'utf8', maxBuffer: 1 << 28, timeout: 120000 });
}

// The reason why a parallel nest did not launch.
function missedReason(func, metadata, sum) {
  if (sum.kernels > 0) {
    const turned = Object.entries(sum.fallbacks).sort((a, b) => b[1] - a[1]);
    return turned.length ? `guard: ${turned[0][0]}` : 'never reached';
  }
  const loops = metadata.loops.filter((l) => isFunction(l.func, func));
  return loops.length ? loops.reduce((a, b) => (b.depth < a.depth ? b : a)).verdict : 'no loop left';
}

// Compiles and runs every program at one level; returns its row, its missed nests with reasons, and how many were
// broken.
function measureLevel(level) {
  const missed = {};
  let broken = 0;
  const row = { level, loops: 0, found: 0, parallel: 0, offloaded: 0, serial: 0, serialLaunched: 0 };
  for (const program of programs) {
    const header = readHeader(program), name = programName(program);
    const work = resolve(options.work, `${name}-${level}`);
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const wasm = `${name}.wasm`;
    const wrong = compileProgram(program, level, work, header, { clang: options.clang });
    const broke = (what) => {
      console.log(`FAIL ${name} ${level}: ${what}`);
      broken++;
    };
    if (wrong) {
      broke(wrong);
      continue;
    }
    const explained = run(wasmetal, ['explain', '--json', wasm], work);
    if (explained.status !== 0) {
      broke(`explain: ${explained.stderr}`);
      continue;
    }
    const metadata = JSON.parse(explained.stdout);
    const words = header.run ? header.run.split(/\s+/) : [];
    const invoke = words[0]?.startsWith('invoke=') ? [`--${words.shift()}`] : [];
    run(wasmetal, ['run', '-O0', '--device=cpu', '--stats=stats.json', ...invoke, wasm, '--', ...words], work, { WASMETAL_MIN_WORK: '1' });
    if (!existsSync(join(work, 'stats.json'))) {
      broke('no statistics');
      continue;
    }
    const stats = JSON.parse(readFileSync(join(work, 'stats.json'), 'utf8'));
    for (const [func, truth] of header.truth) {
      if (truth === null) {
        broke(`"${func}" needs a line "// truth: ${func} parallel|serial"`);
        continue;
      }
      const sum = sumOfFunction(stats, metadata, func);
      const loops = metadata.loops.filter((l) => isFunction(l.func, func)).length;
      row.loops += loops;
      row.found += loops > 0 ? 1 : 0;
      if (truth === 'serial') {
        row.serial++;
        row.serialLaunched += sum.launches > 0 ? 1 : 0;
        continue;
      }
      row.parallel++;
      if (sum.launches > 0) {
        row.offloaded++;
      } else {
        const key = `${name}: ${func}`;
        missed[key] = missedReason(func, metadata, sum);
      }
    }
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`${level}: ${row.offloaded} of ${row.parallel} parallel nests launched`);
  return { row, missed, broken };
}

if (options.result) {
  writeFileSync(options.result, JSON.stringify(measureLevel(options.levels)));
  process.exit(0);
}

mkdirSync(options.work, { recursive: true });
const results = await Promise.all(options.levels.split(',').map((level) => new Promise((done, failed) => {
  const file = resolve(options.work, `${level}.json`);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...process.argv.slice(2).filter((a) => a.startsWith('--') &&
                      !/^--(levels|markdown|least)=/.test(a)), `--levels=${level}`, `--result=${file}`, ...rest], { stdio: 'inherit' });
  child.on('error', failed);
  child.on('exit', (status) => (status === 0 ? done(JSON.parse(readFileSync(file, 'utf8')))
                                             : failed(new Error(`level ${level}: exit ${status}`))));
})));
const rows = results.map((r) => r.row), broken = results.reduce((n, r) => n + r.broken, 0), missed = new Map();
for (const { row, missed: list } of results)
  for (const [key, why] of Object.entries(list)) missed.set(key, (missed.get(key) ?? new Map()).set(row.level, why));

const percent = (a, b) => (b ? `${((100 * a) / b).toFixed(1)} %` : '-');
const total = rows.reduce((t, r) => {
  for (const k of ['loops', 'found', 'parallel', 'offloaded', 'serial', 'serialLaunched']) t[k] = (t[k] ?? 0) + r[k];
  return t;
}, { level: 'all' });
const byLevel = [
  '| level | nests | loops in them | parallel by hand | launched | rate | serial by hand | of those, a part launched |',
  '|---|--:|--:|--:|--:|--:|--:|--:|',
  ...[...rows, total].map((r) => `| ${r.level} | ${r.found} | ${r.loops} | ${r.parallel} | ${r.offloaded} | ` +
                                 `${percent(r.offloaded, r.parallel)} | ${r.serial} | ${r.serialLaunched} |`),
];
const levels = options.levels.split(',');
const byNest = [
  `| missed nest | ${levels.join(' | ')} |`, `|---|${'---|'.repeat(levels.length)}`,
  ...[...missed].sort((a, b) => (a[0] < b[0] ? -1 : 1))
    .map(([key, why]) => `| ${key} | ${levels.map((l) => why.get(l) ?? 'launched').join(' | ')} |`),
];
console.log(['', ...byLevel, '', ...byNest].join('\n'));
if (options.markdown) {
  // Replaces what stands between the two marks in the document.
  const text = readFileSync(options.markdown, 'utf8');
  const [begin, end] = ['<!-- detection.mjs -->\n', '<!-- end -->\n'];
  const from = text.indexOf(begin), to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${options.markdown} lacks the marks ${begin.trim()} and ${end.trim()}`);
  writeFileSync(options.markdown, [text.slice(0, from), begin, '\n', `${programs.length} programs.\n\n`, byLevel.join('\n'), '\n\n',
                                   byNest.join('\n'), '\n\n', text.slice(to)].join(''));
}
const least = Number(options.least ?? 0);
if (broken || 100 * total.offloaded < least * total.parallel) {
  console.log(broken ? `${broken} broken` : `less than ${least} % of the parallel nests launched`);
  process.exit(1);
}
