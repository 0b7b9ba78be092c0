// Runs the `;; call:` lines of a wat file (see front_wat.c) as native code:
//   node native_wat.mjs WASMETAL MODULE.wasm FILE.wat
// Every call twice: compiled for guard pages, and with explicit bounds checks and no optimisation.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [wasmetal, wasm, wat] = process.argv.slice(2);
let failures = 0, checks = 0;

// One text for each value that must be the same bits.
function normal(value) {
  const [type, text] = value.split(/:(.*)/);
  if (type[0] === 'i') return value;
  const x = /^[-+]?nan/.test(text) ? NaN : Number(text.replace('inf', 'Infinity'));
  return `${type}:${Object.is(x, -0) ? '-0' : type === 'f32' ? Math.fround(x) : x}`;
}

for (const line of readFileSync(wat, 'utf8').split('\n')) {
  const m = /^;; call: (\S+)([^=]*)=>\s*(.*)$/.exec(line);
  if (!m) continue;
  const args = m[2].trim().split(/\s+/).filter((a) => a).map((a) => a.split(/:(.*)/)[1]);
  for (const mode of [[], ['--bounds-checks=on', '-O0']]) {
    checks++;
    const r = spawnSync(wasmetal, ['run', '--device=none', ...mode, `--invoke=${m[1]}`, wasm, '--', ...args],
                        { encoding: 'utf8', timeout: 60000 });
    const trap = /^(?:trap: |(?=uncaught exception))(.*?)( in function .*)?$/m.exec(r.stderr);
    const got = trap ? `trap ${trap[1]}` : r.stdout.trim().split('\n').filter((l) => l).map(normal).join(' ');
    const want = m[3].startsWith('trap') ? m[3] : m[3].split(/\s+/).filter((w) => w).map(normal).join(' ');
    const right = want.startsWith('trap') ? got.startsWith(want) && r.status === 134 : got === want && r.status === 0;
    if (right) continue;
    failures++;
    console.log(`FAIL ${mode.join(' ')} ${line}\n     got ${got} (exit ${r.status ?? r.signal})\n${r.stderr}`);
  }
}
console.log(`${wat}: ${checks} checks, ${failures} failures`);
process.exit(failures || !checks ? 1 : 0);
