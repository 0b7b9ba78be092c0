// Checks WGSL kernels: naga parses and validates each, Dawn makes a pipeline of it, runs it and compares memory.
//
//   node wgsl.mjs DIRECTORY [--naga-only]
//
// The directory is what a kernel test wrote with KT_DUMP (tests/unit/kernel_test.h).  Each stream gets a copy of memory of
// its own, because WebGPU takes no overlapping writable bindings; what changed in any copy is the result.  A kernel
// that leaves float arithmetic to the device (`uses`) may differ there, and is only reported.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.argv[2];
const nagaOnly = process.argv.includes('--naga-only');
const names = readdirSync(directory).filter((f) => f.endsWith('.wgsl')).map((f) => f.slice(0, -5)).sort();

const naga = await import('naga-wasm');
if (naga.init) {
  const wasm = new URL('./node_modules/naga-wasm/dist/wasm/naga_bg.wasm', import.meta.url);
  try {
    naga.parseWgsl('');
  } catch {
    await naga.init({ module_or_path: readFileSync(wasm) });
  }
}

let failures = 0;
function fail(name, what) {
  failures++;
  console.log(`FAIL ${name}: ${what}`);
}

for (const name of names) {
  try {
    naga.validate(naga.parseWgsl(readFileSync(join(directory, name + '.wgsl'), 'utf8')));
  } catch (e) {
    fail(name, 'naga: ' + (e.formatted ?? e.message));
  }
}
console.log(`naga: ${names.length} kernels`);
if (!nagaOnly) {
  await runDawn();
}
console.log(failures ? `${failures} failures` : 'all good');
// Dawn's node addon may crash while node tears down; everything is said by now.
process.exitCode = failures ? 1 : 0;
process.reallyExit(process.exitCode);

async function runDawn() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  globalThis.keptGpu = create(['backend=vulkan']); // collected too early, it takes its devices along
  const adapter = await keptGpu.requestAdapter();
  if (!adapter) {
    fail('dawn', 'no adapter');
    return;
  }
  const device = await adapter.requestDevice();
  console.log(`dawn: ${adapter.info.description || adapter.info.device || 'adapter'}`);
  let ran = 0, inexact = 0;
  for (const name of names) {
    const verdict = await runCase(device, name);
    ran += verdict !== null;
    if (verdict === 'inexact') {
      inexact++;
      console.log(`device decides: ${name}`);
    }
  }
  console.log(`dawn: ${ran} kernels ran, ${inexact} inexact where the device decides`);
}

async function runCase(device, name) {
  const code = readFileSync(join(directory, name + '.wgsl'), 'utf8');
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const problems = (await module.getCompilationInfo()).messages.filter((m) => m.type === 'error');
  if (problems.length) {
    await device.popErrorScope();
    fail(name, 'dawn: ' + problems.map((m) => `${m.lineNum}: ${m.message}`).join('; '));
    return null;
  }
  if (!existsSync(join(directory, name + '.case'))) {
    await device.popErrorScope();
    return null;
  }
  const [streams, uses, gx, gy, gz, words, ...params] = new Uint32Array(bytesOf(name + '.case').buffer);
  const before = bytesOf(name + '.in'), want = bytesOf(name + '.out');
  const entries = [];
  for (let s = 0; s < streams; s++) {
    entries.push({ binding: s, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' } });
  }
  entries.push({ binding: streams, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' } });
  const group = device.createBindGroupLayout({ entries });
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [group] }),
    compute: { module, entryPoint: 'main' },
  });
  const buffers = [];
  for (let s = 0; s < streams; s++) {
    buffers.push(upload(device, before, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC));
  }
  const block = new Uint32Array((words + 3) & ~3);
  block.set(params.slice(0, words));
  buffers.push(upload(device, new Uint8Array(block.buffer), GPUBufferUsage.UNIFORM));
  const bind = device.createBindGroup({
    layout: group,
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bind);
  pass.dispatchWorkgroups(gx, gy, gz);
  pass.end();
  const read = device.createBuffer({ size: before.length * streams, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  for (let s = 0; s < streams; s++) {
    encoder.copyBufferToBuffer(buffers[s], 0, read, s * before.length, before.length);
  }
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) {
    fail(name, 'dawn: ' + error.message);
    return null;
  }
  await read.mapAsync(GPUMapMode.READ);
  const got = merge(before, new Uint8Array(read.getMappedRange()), streams);
  read.unmap();
  [...buffers, read].forEach((b) => b.destroy());
  const at = firstDifference(want, got);
  if (at < 0) {
    return 'same';
  }
  if (uses) {
    return 'inexact';
  }
  fail(name, `memory differs at ${at}: ${hex(got, at)}, not ${hex(want, at)}`);
  return 'wrong';
}

function bytesOf(file) {
  return new Uint8Array(readFileSync(join(directory, file)));
}

function upload(device, bytes, usage) {
  const buffer = device.createBuffer({ size: bytes.length, usage, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange()).set(bytes);
  buffer.unmap();
  return buffer;
}

function merge(before, copies, streams) {
  const out = before.slice();
  for (let s = 0; s < streams; s++) {
    for (let i = 0, at = s * before.length; i < out.length; i++, at++) {
      if (copies[at] !== before[i]) {
        out[i] = copies[at];
      }
    }
  }
  return out;
}

// The first 8-byte cell that differs, NaNs being equal.
function firstDifference(want, got) {
  const w = new DataView(want.buffer), g = new DataView(got.buffer);
  for (let i = 0; i + 8 <= want.length; i += 8) {
    if (w.getBigUint64(i, true) === g.getBigUint64(i, true)) {
      continue;
    }
    const nan64 = isNaN(w.getFloat64(i, true)) && isNaN(g.getFloat64(i, true));
    const same32 = (at) => w.getUint32(at, true) === g.getUint32(at, true) ||
      (isNaN(w.getFloat32(at, true)) && isNaN(g.getFloat32(at, true)));
    if (!nan64 && !(same32(i) && same32(i + 4))) {
      return i;
    }
  }
  return -1;
}

function hex(bytes, at) {
  return Buffer.from(bytes.slice(at, at + 8)).toString('hex');
}
