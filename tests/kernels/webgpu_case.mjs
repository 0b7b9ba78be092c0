// Runs one kernel case (tests/unit/kernel_test.h, kt_dump) on a WebGPU device; the same file serves node (Dawn) and a page in
// Chromium.
//
// Each stream gets a copy of memory of its own, because WebGPU takes no overlapping writable bindings; what changed in any
// copy is the result.  All commands are given before anything is awaited, so several cases can be under way at once: error
// scopes belong to the order of the calls.

// code: WGSL; words: Uint32Array of the .case file; before, want: Uint8Array.  Returns { verdict, what }: 'same'; 'inexact'
// where a kernel leaves float arithmetic to the device (`uses`), which may then differ; 'wrong'; 'error', with what it is.
// Of a kernel without a case (no words) only the module is made: 'valid'.
export async function runCase(device, { code, words, before, want }) {
  if (!words) return validate(device, code);
  const [streams, uses, gx, gy, gz, count, ...params] = words;
  const block = new Uint32Array((count + 3) & ~3);
  block.set(params.slice(0, count));
  const buffers = [];
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const info = module.getCompilationInfo();
  const read = record(device, module, { streams, groups: [gx, gy, gz], before, block }, buffers);
  const scope = device.popErrorScope();
  const problems = (await info).messages.filter((m) => m.type === 'error');
  const error = await scope;
  if (problems.length || error) {
    buffers.forEach((b) => b.destroy());
    return { verdict: 'error', what: problems.map((m) => `${m.lineNum}: ${m.message}`).join('; ') || error.message };
  }
  await read.mapAsync(GPUMapMode.READ);
  const got = merge(before, new Uint8Array(read.getMappedRange()), streams);
  read.unmap();
  buffers.forEach((b) => b.destroy());
  const at = firstDifference(want, got);
  if (at < 0) return { verdict: 'same' };
  const what = `memory differs at ${at}: ${hex(got, at)}, not ${hex(want, at)}`;
  return { verdict: uses ? 'inexact' : 'wrong', what };
}

// No pipeline: SwiftShader takes minutes for some kernels that emulate f64.
async function validate(device, code) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const info = module.getCompilationInfo();
  const scope = device.popErrorScope();
  const problems = (await info).messages.filter((m) => m.type === 'error');
  const error = await scope;
  if (!problems.length && !error) return { verdict: 'valid' };
  return { verdict: 'error', what: problems.map((m) => `${m.lineNum}: ${m.message}`).join('; ') || error.message };
}

// Submits the launch and the copy into the buffer it returns; all buffers made are appended to `buffers`.
function record(device, module, { streams, groups, before, block }, buffers) {
  const entries = [];
  for (let s = 0; s < streams; s++) {
    entries.push({ binding: s, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' } });
    buffers.push(upload(device, before, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC));
  }
  entries.push({ binding: streams, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' } });
  buffers.push(upload(device, new Uint8Array(block.buffer), GPUBufferUsage.UNIFORM));
  const layout = device.createBindGroupLayout({ entries });
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  });
  const bind = device.createBindGroup({ layout, entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });
  const read = device.createBuffer({ size: before.length * streams, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bind);
  pass.dispatchWorkgroups(...groups);
  pass.end();
  for (let s = 0; s < streams; s++) {
    encoder.copyBufferToBuffer(buffers[s], 0, read, s * before.length, before.length);
  }
  device.queue.submit([encoder.finish()]);
  buffers.push(read);
  return read;
}

// Cases `names`, a few at a time; load(name) gives what runCase takes; tell(name, result).
export async function runCases(device, names, load, tell) {
  const AT_ONCE = 6;
  let next = 0;
  async function worker() {
    while (next < names.length) {
      const name = names[next++];
      tell(name, await runCase(device, await load(name)));
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
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
      if (copies[at] !== before[i]) out[i] = copies[at];
    }
  }
  return out;
}

// The first 8-byte cell that differs, NaNs being equal.
function firstDifference(want, got) {
  const w = new DataView(want.buffer, want.byteOffset), g = new DataView(got.buffer, got.byteOffset);
  for (let i = 0; i + 8 <= want.length; i += 8) {
    if (w.getBigUint64(i, true) === g.getBigUint64(i, true)) continue;
    const nan64 = isNaN(w.getFloat64(i, true)) && isNaN(g.getFloat64(i, true));
    const same32 = (at) => w.getUint32(at, true) === g.getUint32(at, true) ||
      (isNaN(w.getFloat32(at, true)) && isNaN(g.getFloat32(at, true)));
    if (!nan64 && !(same32(i) && same32(i + 4))) return i;
  }
  return -1;
}

function hex(bytes, at) {
  return [...bytes.slice(at, at + 8)].map((b) => b.toString(16).padStart(2, '0')).join('');
}
