// Runs a script in a page of headless Chromium with WebGPU on SwiftShader, and gives back what it answers.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

// script: the text of an async function's body, run as a module; its result, or { error }, is what comes back.  file(path):
// a Buffer or null, for `fetch` and `import`.  profile: a folder for the browser, which goes on writing to it for a while
// after it was ended.  Throws when the browser ends by itself, or after `seconds`.
export async function runInChromium({ script, file, profile, seconds = 600 }) {
  const program = process.env.WASMETAL_TEST_CHROMIUM ?? '/usr/bin/chromium';
  const page = `<!doctype html><script type="module">
async function answer() { ${script} }
const text = await answer().catch((e) => ({ error: String(e) }));
await fetch('/answer', { method: 'POST', body: JSON.stringify(text) });
</script>`;
  let browser, log = '';
  const answer = await new Promise((done, fail) => {
    const server = createServer((request, response) => {
      if (request.method === 'POST') {
        let body = '';
        request.on('data', (piece) => { body += piece; });
        request.on('end', () => { response.end(); server.close(); done(JSON.parse(body)); });
        return;
      }
      const { pathname } = new URL(request.url, 'http://localhost');
      const bytes = pathname === '/' ? page : file(pathname);
      response.setHeader('content-type', pathname.endsWith('.mjs') ? 'text/javascript'
                                         : pathname === '/' ? 'text/html' : 'application/octet-stream');
      if (bytes === null) response.writeHead(404).end();
      else response.end(bytes);
    });
    server.listen(0, '127.0.0.1', () => {
      browser = spawn(program, ['--headless=new', '--no-sandbox', '--no-first-run', '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--use-vulkan=swiftshader', `--user-data-dir=${profile}`,
        `http://127.0.0.1:${server.address().port}/`], { stdio: ['ignore', 'ignore', 'pipe'] });
      browser.stderr.on('data', (piece) => { log += piece; });
      browser.on('error', fail);
      browser.on('exit', (code) => fail(new Error(`chromium ended with ${code}: ${log.slice(-500)}`)));
    });
    setTimeout(() => fail(new Error(`chromium gave no answer in ${seconds} s`)), seconds * 1000).unref();
  }).finally(() => {
    browser?.removeAllListeners('exit');
    browser?.kill();
  });
  if (answer.error) throw new Error(answer.error);
  return answer;
}
