// The command line from outside: what it writes, prints and returns.
//   node cli.mjs WASMETAL LIBRARY.wasm COMMAND.wasm WORKDIR
// LIBRARY exports "add" (i32 i32) and "div"; COMMAND is a WASI program that prints its arguments and exits with 3.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const [wasmetal, library, command, directory] = process.argv.slice(2).map((p) => resolve(p));
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true });
const cache = join(directory, 'cache', 'wasmetal');
const base = { PATH: process.env.PATH, HOME: directory, XDG_CACHE_HOME: join(directory, 'cache') };
let failures = 0, checks = 0;

function run(args, env = {}) {
  return spawnSync(wasmetal, args, { cwd: directory, env: { ...base, ...env }, encoding: 'utf8', timeout: 120000 });
}
function check(what, right, seen) {
  checks++;
  if (right) return;
  failures++;
  console.log(`FAIL ${what}`, seen ?? '');
}
// The exit code, and a text on standard error (or output).
function expect(args, status, text, env) {
  const r = run(args, env);
  check(`wasmetal ${args.join(' ')}`, r.status === status && (r.stderr + r.stdout).includes(text),
        { status: r.status, signal: r.signal, stderr: r.stderr, stdout: r.stdout });
  return r;
}

// Help and mistakes.
expect([], 0, 'wasmetal compile');
expect(['--help'], 0, 'wasmetal compile');
expect(['help', 'run'], 0, '--invoke');
expect(['run', '--help'], 0, '--invoke');
expect(['--version'], 0, 'LLVM');
expect(['help', 'nothing'], 2, 'WM2002');
expect(['--nonsense'], 2, 'WM2001');
expect(['run'], 2, 'WM2007');
expect([library], 2, 'WM2001');
expect([library, '-o'], 2, 'WM2001');
expect([library, '-O7', '-o', 'x.o'], 2, 'WM2001');
expect([library, '-o', 'x.exe'], 2, 'WM2005');
expect([library, '--emit=poetry'], 2, 'WM2001');
expect([library, '--invoke=add', '-o', 'x.o'], 2, 'WM2001');
expect([library, '--skip=nonsense', '-o', 'x.o'], 2, 'no pass');
expect(['run', library, library], 2, 'one module at a time');
expect(['missing.wasm', '-o', 'x.o'], 1, 'WM2003');
expect([library, '-o', 'missing/x.o'], 1, 'WM2004');
writeFileSync(join(directory, 'text.wat'), '(module)');
expect(['text.wat', '-o', 'x.o'], 1, 'WM1006');
writeFileSync(join(directory, 'cut.wasm'), readFileSync(library).subarray(0, 40));
expect(['cut.wasm', '-o', 'x.o'], 1, 'WM1001');
expect([library, '--cpu=nonsense', '-o', 'x.o'], 1, 'WM3001');
check('no output after an error', !existsSync(join(directory, 'x.o')));

// Objects: deterministic, with a header; archives and shared objects.
expect([library, '-o', 'one.o', '--name=lib'], 0, '');
expect([library, '-o', 'two.o', '--name=lib'], 0, '');
check('same input, same object', readFileSync(join(directory, 'one.o')).equals(readFileSync(join(directory, 'two.o'))));
check('header beside the object', existsSync(join(directory, 'one.h')));
expect([library, '-o', 'three.o', '--no-header'], 0, '');
check('--no-header', !existsSync(join(directory, 'three.h')));
expect([library, '-o', 'lib.a'], 0, '');
expect([library, '-o', 'lib.so'], 0, '');
check('archive', readFileSync(join(directory, 'lib.a')).subarray(0, 7).toString() === '!<arch>');
for (const kind of ['ir', 'llvm', 'msl', 'wgsl', 'metadata', 'header', 'spirv'])
  check(`--emit=${kind}`, run([library, `--emit=${kind}`]).status === 0);
check('--emit=metadata is JSON', JSON.parse(run([library, '--emit=metadata']).stdout).kernels !== undefined);
check('explain --json is the same',
      run(['explain', '--json', library]).stdout === run([library, '--emit=metadata']).stdout);
{
  const report = run(['explain', command]).stdout;
  const shares = [...report.matchAll(/^function .*: \d+ loops?(?:, (\d+) % of the work in loops)?$/gm)].map((m) => Number(m[1] ?? 0));
  check('explain: the heaviest function first',
        shares.length > 1 && shares[0] > 0 && shares.every((s, k) => k === 0 || s <= shares[k - 1]));
  check('explain: advice under a loop', /^ +loop .*stays on the CPU.*\n +(try: |which does no harm)/m.test(report));
  check('explain: one line of summary',
        /^\d+ loops: \d+ offloaded, \d+ inside those, \d+ on the CPU; \d+ % of the work in loops has a kernel/m.test(report));
}
{
  const module = join(dirname(library), 'cli-explain.wasm'), short = run(['explain', module]).stdout;
  check('explain: the names of the library\'s functions',
        /^\d functions of the language's library, not counted: printf_core \(\d+ loops?\), .*; --library lists them$/m.test(short) &&
        !short.includes('function "printf_core"') && !/^function .*not counted$/m.test(short), short);
  const report = run(['explain', '--library', module]).stdout;
  const lines = report.split('\n').filter((l) => l.startsWith('function '));
  const named = (name) => lines.find((l) => l.includes(`"${name}"`)) ?? '';
  check('explain: the library and what only it calls stand last',
        named('printf_core').endsWith('of the language\'s library, not counted') && lines.indexOf(named('printf_core')) >= 2 &&
        named('digits').endsWith('not counted') && lines.indexOf(named('digits')) >= 2, report);
  check('explain: what the program calls as well is its own', / % of the work in loops$/.test(named('clear')), report);
  check('explain: the heaviest is no library function', lines[0].includes('"row_sums"'), report);
  check('explain: where to begin is the loop around a sum in order',
        /\n  1\. loop \+0x[0-9a-f]+ in row_sums, \d+ %: what is inside has to go in order \(reduction-float\).* but the loop calls/
          .test(report), report);
}
// Floating point.
expect([library, '--fp=loose', '-o', 'x.o'], 2, 'WM2001');
expect([library, '--fp=divide,,contract', '-o', 'x.o'], 2, 'WM2001');
check('--fp in the metadata', JSON.parse(run([library, '--emit=metadata']).stdout).fp === 'strict' &&
      JSON.parse(run([library, '--emit=metadata', '--fp=fast']).stdout).fp === 'fast' &&
      JSON.parse(run([library, '--emit=metadata', '--fp=divide,contract']).stdout).fp === 'contract,divide');
expect([library, '--emit=header'], 0, 'kernels: strict.');
expect([library, '--emit=header', '--fp=fast'], 0, 'kernels: fast (');
expect(['explain', library, '--fp=divide'], 0, '--fp=divide');
check('explain without --fp is quiet', !run(['explain', library]).stdout.includes('--fp'));

// Devices: the table, and the same as JSON.
const devices = JSON.parse(run(['devices', '--json']).stdout);
check('devices: cpu comes first', devices[0].device === 'cpu' && devices[0].usable && devices[0].operations.length > 0);
for (const d of devices.filter((v) => v.usable && v.device !== 'cpu')) {
  check(`devices: ${d.name}`, d.max_buffer_bytes > 0 && d.import_alignment > 0 && d.binding.startsWith('imported') &&
        d.max_invocations > 0 && d.min_work > 0 && d.operations.length > 20, d);
  check(`devices: ${d.name} answers every class`, d.operations.every((o) => o.class && o.device && o.kernels), d);
}
const table = run(['devices']).stdout;
for (const d of devices) check(`devices: ${d.device} in the table`, table.includes(d.name));
expect(['devices', library], 2, 'WM2001');

const dump = run([library, '--dump-after=all', '--emit=ir', '-o', 'dump.ir']);
check('--dump-after', dump.status === 0 && dump.stderr.includes('; after '));
check('module from standard input',
      spawnSync(wasmetal, ['-', '--emit=ir'], { input: readFileSync(library), env: base }).status === 0);

// What a kernel asks of WebGPU is in the metadata.
writeFileSync(join(directory, 'fill.wat'), `(module (memory (export "m") 1) (func (export "fill") (param i32 i32)
  (loop $next (i32.store (local.get 0) (local.get 1)) (local.set 0 (i32.add (local.get 0) (i32.const 4)))
    (br_if $next (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))))`);
spawnSync('wat2wasm', ['fill.wat', '-o', 'fill.wasm'], { cwd: directory });
run(['fill.wasm', '--emit=metadata', '-o', 'fill.json']);
const [fill] = JSON.parse(readFileSync(join(directory, 'fill.json'), 'utf8')).kernels;
check('metadata: webgpu limits', fill.webgpu.default_limits && fill.webgpu.maxStorageBuffersPerShaderStage === fill.streams.length &&
      fill.webgpu.maxComputeInvocationsPerWorkgroup === 64, fill);

// Running.
const quiet = ['--device=none'];
expect(['run', ...quiet, library, '--invoke=add', '--', '40', '0x2'], 0, 'i32:42\n');
expect(['run', ...quiet, library, '--invoke=add', '--', '-1', '4294967295'], 0, 'i32:-2\n');
expect(['run', ...quiet, library, '--invoke=add', '--', '1'], 2, 'WM4002');
expect(['run', ...quiet, library, '--invoke=add', '--', '1', '4294967296'], 2, 'WM4002');
expect(['run', ...quiet, library, '--invoke=add', '--', '1', 'two'], 2, 'WM4002');
expect(['run', ...quiet, library, '--invoke=none'], 1, 'WM4001');
expect(['run', ...quiet, library], 1, 'WM4001');
expect(['run', ...quiet, library, '--invoke=div', '--', '1', '0'], 134, 'trap: integer divide by zero in function "div" at +0x');
const r = expect(['run', ...quiet, '--stats=stats.json', '--dump-memory=memory.bin', command, '--', 'a b', 'c'], 3, '');
check('arguments', r.stdout === `${command}\na b\nc\n`, r);
check('--stats', JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8')).device === 'none');
check('--dump-memory', statSync(join(directory, 'memory.bin')).size % 65536 === 0);
expect(['run', ...quiet, '--dir=missing', command], 1, 'WM4006');
expect(['run', ...quiet, command, '--stats=missing/x'], 3, 'WM2004');

// The cache.
const entries = () => readdirSync(cache).filter((n) => n.endsWith('.wmo'));
rmSync(cache, { recursive: true });
const again = ['run', ...quiet, library, '--invoke=add', '--', '1', '2'];
expect(['run', '--no-cache', ...again.slice(1)], 0, 'i32:3\n');
check('--no-cache keeps nothing', !existsSync(cache) || entries().length === 0);
expect(again, 0, 'i32:3\n');
check('one entry', entries().length === 1, entries());
expect(again, 0, 'i32:3\n');
check('still one entry', entries().length === 1, entries());
const entry = join(cache, entries()[0]), bytes = readFileSync(entry);
bytes[bytes.length >> 1] ^= 1;
writeFileSync(entry, bytes);
expect(again, 0, 'damaged entry', { WASMETAL_LOG: 'debug' });
bytes[bytes.length >> 1] ^= 1;
check('a damaged entry is rebuilt', readFileSync(entry).equals(bytes));
writeFileSync(entry, bytes.subarray(0, 10));
expect(again, 0, 'i32:3\n');
expect(['run', '-O1', ...again.slice(1)], 0, 'i32:3\n');
check('other options, other entry', entries().length === 2, entries());
expect(again.concat(), 0, 'i32:3\n', { WASMETAL_CACHE_MB: '0' });
chmodSync(cache, 0o777);
expect(again, 0, 'others may write', { WASMETAL_LOG: 'debug' });
chmodSync(cache, 0o700);
expect(again, 0, 'i32:3\n', { XDG_CACHE_HOME: '/proc/nowhere' });
expect(again, 0, 'i32:3\n', { XDG_CACHE_HOME: '', HOME: '' });

console.log(`${checks} checks, ${failures} failures`);
process.exit(failures ? 1 : 0);
