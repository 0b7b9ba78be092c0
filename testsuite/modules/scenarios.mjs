// Real packages, used as their users use them.  Each has the module's least size (to tell it from smaller ones that a
// package may also load), and a run that must end with the right answer.  `launches`: so many kernels run at least when
// nothing is too small to be launched (--min-work=1).  Inputs are made here, so that a trace is the same on every machine.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const requireLarge = createRequire(new URL('large/', import.meta.url));
const bytesOf = (path, from = require) => readFileSync(from.resolve(path));

export const scenarios = {
  // C through Emscripten: the database.
  sqlite: {
    from: 'C', least: 500000,
    async run() {
      const SQL = await require('sql.js')();
      const db = new SQL.Database();
      db.run('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price REAL)');
      db.run('BEGIN');
      for (let i = 0; i < 200; i++) db.run(`INSERT INTO t (name, price) VALUES ('item ${i % 17}', ${i * 1.25})`);
      db.run('COMMIT');
      db.run('CREATE INDEX by_name ON t (name)');
      const [{ values }] = db.exec(`SELECT name, count(*), sum(price), group_concat(id % 7) FROM t
                                    WHERE price > 10 GROUP BY name HAVING count(*) > 3 ORDER BY sum(price) DESC, name`);
      assert.equal(values.length, 17);
      assert.deepEqual(values[0].slice(0, 3), ['item 12', 12, 1582.5]);
      const copy = new SQL.Database(db.export());
      assert.equal(copy.exec('PRAGMA integrity_check')[0].values[0][0], 'ok');
    },
  },
  // C++ through Emscripten: text shaping.
  harfbuzz: {
    from: 'C++', least: 200000,
    async run() {
      const hb = await require('harfbuzzjs');
      const path = '/usr/share/matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf';
      const data = readFileSync(existsSync(path) ? path : '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf');
      const blob = hb.createBlob(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
      const face = hb.createFace(blob, 0), font = hb.createFont(face), buffer = hb.createBuffer();
      buffer.addText('Wasmetal AVAT ffi \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627');
      buffer.guessSegmentProperties();
      hb.shape(font, buffer);
      const glyphs = buffer.json();
      assert.ok(glyphs.length > 20 && glyphs.every((g) => g.g !== 0));
      assert.deepEqual([font, face, blob, buffer].map((x) => x.destroy()), [undefined, undefined, undefined, undefined]);
    },
  },
  // C through Emscripten: a JavaScript engine.
  quickjs: {
    from: 'C', least: 400000,
    async run() {
      const { newQuickJSWASMModuleFromVariant } = await import('quickjs-emscripten-core');
      const { default: variant } = await import('@jitl/quickjs-wasmfile-release-sync');
      const quickjs = await newQuickJSWASMModuleFromVariant(variant);
      const context = quickjs.newContext();
      const result = context.unwrapResult(context.evalCode(`
        const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2);
        const words = "the quick brown fox jumps over the lazy dog".split(" ").map((w, i) => w.padStart(i + 4, "*"));
        JSON.stringify([fib(18), words.sort().join("|"), (2n ** 200n).toString(), /(\\w+) (\\w+)/.exec("hello world")[2],
                        Math.hypot(3, 4), [..."wasmetal"].reverse().join("")])`));
      const [fib, words, big, word, five, back] = JSON.parse(context.getString(result));
      assert.deepEqual([fib, big, word, five, back],
        [2584, (2n ** 200n).toString(), 'world', 5, 'latemsaw']);
      assert.equal(words.split('|').length, 9);
      result.dispose();
      context.dispose();
    },
  },
  // Go through TinyGo: a source formatter.
  gofmt: {
    from: 'Go', least: 200000,
    async run() {
      const { format } = await import('@wasm-fmt/gofmt');
      const text = format('package main\nimport "fmt"\nfunc main(){for i:=0;i<10;i++{fmt.Println("Hello",i)}\n}\n');
      assert.equal(text, 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfor i := 0; i < 10; i++ {\n' +
        '\t\tfmt.Println("Hello", i)\n\t}\n}\n');
    },
  },
  // Rust: an SVG renderer.
  resvg: {
    from: 'Rust', least: 2000000,
    async run() {
      const { initWasm, Resvg } = require('@resvg/resvg-wasm');
      await initWasm(bytesOf('@resvg/resvg-wasm/index_bg.wasm'));
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="64">
        <defs><linearGradient id="g"><stop offset="0" stop-color="red"/><stop offset="1" stop-color="blue"/></linearGradient>
        <filter id="b"><feGaussianBlur stdDeviation="2"/></filter></defs>
        <rect width="96" height="64" fill="url(#g)"/><circle cx="48" cy="32" r="20" fill="#0f08" filter="url(#b)"/>
        <path d="M5 60 Q 48 -20 91 60" stroke="white" stroke-width="3" fill="none"/></svg>`;
      const image = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
      assert.deepEqual([image.width, image.height], [96, 64]);
      assert.equal(Buffer.from(image.asPng()).subarray(1, 4).toString(), 'PNG');
      const pixels = image.pixels;
      assert.deepEqual([...pixels.subarray(0, 4)], [254, 0, 1, 255]);
    },
  },
  // Rust: a tokenizer of language models.
  tiktoken: {
    from: 'Rust', least: 900000,
    async run() {
      const { init, Tiktoken } = await import('tiktoken/lite/init');
      await init((imports) => WebAssembly.instantiate(bytesOf('tiktoken/lite/tiktoken_bg.wasm'), imports));
      const ranks = Array.from({ length: 256 }, (_, i) => `${Buffer.from([i]).toString('base64')} ${i}`);
      const pairs = ['th', 'he', 'the', ' the', 'in', 'er', 'an', 're', 'on', 'at'];
      pairs.forEach((p, i) => ranks.push(`${Buffer.from(p).toString('base64')} ${256 + i}`));
      // One line: "! FIRST TOKEN TOKEN ..." is the compact form that the package ships.
      const compact = `! 0 ${ranks.map((r) => r.split(' ')[0]).join(' ')}`;
      const coder = new Tiktoken(compact, {}, "'s|'t| ?[a-z]+| ?[0-9]+| ?[^a-z0-9\\s]+|\\s+");
      const tokens = coder.encode('the other one sat on the mat in 1984, then ran');
      assert.ok(tokens.includes(258));
      assert.equal(Buffer.from(coder.decode(tokens)).toString(), 'the other one sat on the mat in 1984, then ran');
      coder.free();
    },
  },
  // C through Emscripten: a neural network that takes noise out of speech, between two Fourier transforms.
  rnnoise: {
    from: 'C', least: 100000, launches: 1000,
    async run() {
      const { default: load } = await import('@echogarden/rnnoise-wasm');
      const rnnoise = await load(), FRAME = rnnoise._rnnoise_get_frame_size();
      const state = rnnoise._rnnoise_create(0), at = rnnoise._malloc(4 * FRAME);
      const power = (samples) => samples.reduce((sum, x) => sum + x * x, 0);
      let noise = 1, before = 0, after = 0;
      for (let frame = 0; frame < 6; frame++) {
        const samples = Float32Array.from({ length: FRAME }, () => {
          noise = (noise * 48271) % 2147483647;
          return noise / 2147483647 * 6000 - 3000;
        });
        rnnoise.HEAPF32.set(samples, at / 4);
        const voice = rnnoise._rnnoise_process_frame(state, at, at);
        assert.ok(voice >= 0 && voice < 0.9, `voice ${voice} in noise`);
        before += power(samples);
        after += power(rnnoise.HEAPF32.subarray(at / 4, at / 4 + FRAME));
      }
      assert.ok(after < before / 2, `${after} of ${before} left`);
      rnnoise._rnnoise_destroy(state);
      rnnoise._free(at);
    },
  },
  // Go's own compiler: a bundler.
  esbuild: {
    from: 'Go', least: 10000000, large: true,
    async run() {
      globalThis.fs = require('node:fs');
      globalThis.path = require('node:path');
      requireLarge('esbuild-wasm/wasm_exec.js');
      const folder = mkdtempSync(join(tmpdir(), 'wasmetal-esbuild-'));
      try {
        writeFileSync(join(folder, 'in.ts'), 'interface P { x: number }\nexport const f = (p: P): number => p.x ** 2;\n' +
          'console.log(f({ x: 1 + 2 * 3 }), `a${1}b`);\n');
        const go = new globalThis.Go();
        const ended = new Promise((resolve) => { go.exit = resolve; });
        go.argv = ['esbuild', join(folder, 'in.ts'), '--minify', `--outfile=${join(folder, 'out.js')}`, '--log-level=error'];
        go.env = { GOMAXPROCS: '1' };
        const { instance } = await WebAssembly.instantiate(bytesOf('esbuild-wasm/esbuild.wasm', requireLarge), go.importObject);
        await go.run(instance);
        await ended;
        assert.match(readFileSync(join(folder, 'out.js'), 'utf8'), /console\.log\(.*\(\{x:7\}\),"a1b"\)/);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
  // C through the WASI SDK: a language runtime.
  ruby: {
    from: 'C', least: 10000000, large: true,
    async run() {
      const { RubyVM } = requireLarge('@ruby/wasm-wasi');
      const { WASI } = await import('node:wasi');
      const wasi = new WASI({ version: 'preview1', args: ['ruby', '-e0'], env: {}, returnOnExit: true });
      const module = await WebAssembly.compile(bytesOf('@ruby/3.4-wasm-wasi/dist/ruby.wasm', requireLarge));
      const { vm } = await RubyVM.instantiateModule({ module, wasip1: wasi });
      const answer = vm.eval('(1..20).map { |i| i ** 3 }.select(&:odd?).sum.to_s + "wasmetal".tr("a-y", "b-z")');
      assert.equal(answer.toString(), `${[...Array(20).keys()].map((i) => (i + 1) ** 3).filter((x) => x % 2)
        .reduce((a, b) => a + b)}xbtnfubm`);
    },
  },
};
