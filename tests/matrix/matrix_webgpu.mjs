// Runs rows of the operation matrix on a WebGPU device; the same file serves node (Dawn) and a page in Chromium.

// row: of rows.json; code: its WGSL; operands: Uint8Array.  Returns the results' bytes; throws an Error with what went wrong.
export async function runRow(device, row, code, operands) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const problems = (await module.getCompilationInfo()).messages.filter((m) => m.type === 'error');
  if (problems.length) {
    await device.popErrorScope();
    throw new Error(problems.map((m) => `${m.lineNum}: ${m.message}`).join('; '));
  }
  const types = ['storage', 'storage', 'uniform'];
  const layout = device.createBindGroupLayout({
    entries: types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
  });
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  });
  const size = row.tuples * row.outStride;
  // Extent, first x, the streams' addresses, the scalars: those of both arrays.
  const params = new Uint32Array([row.tuples, 1, 1, 0, 0, row.outAt, 0, row.outAt]);
  const buffers = [
    upload(device, operands, GPUBufferUsage.STORAGE),
    upload(device, new Uint8Array(size).fill(0xa5), GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC),
    upload(device, new Uint8Array(params.buffer), GPUBufferUsage.UNIFORM),
  ];
  const read = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const group = device.createBindGroup({ layout, entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil(row.tuples / row.workgroup));
  pass.end();
  encoder.copyBufferToBuffer(buffers[1], 0, read, 0, size);
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) {
    throw new Error(error.message);
  }
  await read.mapAsync(GPUMapMode.READ);
  const results = new Uint8Array(read.getMappedRange()).slice();
  read.unmap();
  [...buffers, read].forEach((b) => b.destroy());
  return results;
}

function upload(device, bytes, usage) {
  const buffer = device.createBuffer({ size: bytes.length, usage, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange()).set(bytes);
  buffer.unmap();
  return buffer;
}

// null when the results are the same, else where they first differ, in words.  row.nan: cells in which any NaN is as good
// as another (0 none, 1 f32, 2 f64).
export function difference(row, want, got) {
  if (got.length !== want.length) {
    return `${got.length} bytes, not ${want.length}`;
  }
  const w = new DataView(want.buffer, want.byteOffset, want.length), g = new DataView(got.buffer, got.byteOffset, got.length);
  const cell = row.nan === 2 ? 8 : row.nan === 1 ? 4 : 1;
  const nan = (v, at) => cell === 8 ? isNaN(v.getFloat64(at, true)) : cell === 4 && isNaN(v.getFloat32(at, true));
  for (let at = 0; at < want.length; at += cell) {
    let same = true;
    for (let k = 0; k < cell; k++) {
      same &&= want[at + k] === got[at + k];
    }
    if (!same && !(nan(w, at) && nan(g, at))) {
      const from = at - at % row.outStride;
      const hex = (bytes) => [...bytes.slice(from, from + row.outStride)].map((b) => b.toString(16).padStart(2, '0')).join('');
      return `tuple ${from / row.outStride} gives ${hex(got)}, not ${hex(want)}`;
    }
  }
  return null;
}
