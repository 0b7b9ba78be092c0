// Watches a WebAssembly module at work in node and writes down everything that crosses its border.
//
//   const recorder = install(choose);      choose(bytes) -> true for the module to record (the first one counts)
//   ... use the package ...
//   recorder.finish() -> { wasm, trace }   Buffers
//
// Afterwards trace_replay plays the host's part from the trace, so that a module made for JavaScript runs natively with
// every import answered as it was here, and compares results, arguments of imports and the whole memory.  The host may
// write to memory between calls, so memory is compared with a copy whenever control comes back into the module.
//
// A trace is little-endian: "WMTRACE1", then records of a kind (u8) and a body:
//
//   1 CALL         u32 exported function (n-th in the module's export section), u8 cells, u64 cells
//   2 RETURN       u8 cells, u64 cells, u32 pages, u32 hash of memory (see replay.c of testsuite/differential)
//   3 THROWN       the call ended in an exception or a trap; u32 pages, u32 hash
//   4 IMPORT       u32 imported function, u8 cells, u64 cells: the module calls out
//   5 ANSWER       u8 cells, u64 cells: ... and gets this
//   6 THROW        ... or this: an exception
//   7 WRITE        u32 address, u32 bytes, the bytes: written by the host
//   8 GROW         u32 pages: memory.grow by the host
//   9 END
//  10 TABLE_SET    u32 exported table (n-th of them), u32 index, u64 cell: an element set by the host
//  11 TABLE_GROW   u32 exported table, u32 elements, u64 cell: new elements, by the host
//
// An externref is a number in its cell: 0 for null, and another for every other value that the host ever passed.
//
// What the host finds in a table it may call where a segment has put it there: the module in a trace has exports for that
// (table_exports.mjs).  It may not put functions into a table nor pass them: the recorder then gives up loudly.
import { functionTypes } from '../wasm_types.mjs';
import { PREFIX, exportTableFunctions } from './table_exports.mjs';

const CHUNK = 4096;
const KIND = { CALL: 1, RETURN: 2, THROWN: 3, IMPORT: 4, ANSWER: 5, THROW: 6, WRITE: 7, GROW: 8, END: 9, TABLE_SET: 10,
               TABLE_GROW: 11 };

class Writer {
  constructor() {
    this.buffer = Buffer.alloc(1 << 20);
    this.at = 0;
    this.references = new Map([[null, 0]]);
  }
  reference(value) {
    if (!this.references.has(value)) this.references.set(value, this.references.size);
    this.room(8);
    this.at = this.buffer.writeBigUInt64LE(BigInt(this.references.get(value)), this.at);
  }
  room(n) {
    if (this.at + n <= this.buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.buffer.length * 2, this.at + n));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
  u8(v) {
    this.room(1);
    this.at = this.buffer.writeUInt8(v, this.at);
  }
  u32(v) {
    this.room(4);
    this.at = this.buffer.writeUInt32LE(v >>> 0, this.at);
  }
  bytes(b) {
    this.room(b.length);
    b.copy(this.buffer, this.at);
    this.at += b.length;
  }
  cells(types, values) {
    this.u8(types.length);
    types.forEach((type, i) => {
      const v = values[i];
      if (type === 'externref') return this.reference(v);
      this.room(8);
      if (type === 'i32') this.buffer.writeBigUInt64LE(BigInt(v >>> 0), this.at);
      else if (type === 'i64') this.buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(v)), this.at);
      else if (type === 'f32') this.buffer.writeFloatLE(v, this.at);
      else if (type === 'f64') this.buffer.writeDoubleLE(v, this.at);
      else throw new Error(`a ${type} crosses the border: not supported`);
      this.at += 8;
    });
  }
}

// What JavaScript makes of a value on its way into the module.
const COERCE = { i32: (v) => Number(v) | 0, i64: (v) => BigInt.asIntN(64, BigInt(v ?? 0)), f32: (v) => Math.fround(Number(v)),
                 f64: Number, externref: (v) => v };

export function hashMemory(buffer) {
  const words = new Uint32Array(buffer);
  let hash = 0;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i], 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

class Recording {
  constructor(bytes) {
    this.wasm = exportTableFunctions(bytes);
    this.types = functionTypes(this.wasm);
    this.out = new Writer();
    this.out.bytes(Buffer.from('WMTRACE1'));
    this.shadow = Buffer.alloc(0);
    this.crossings = 0;
    this.tables = new Map(); // those that are exported or imported, and their place among the exported ones
    this.reachable = new Map(); // functions, and what records a call of them
  }

  // Before control leaves the module: what memory is now.
  leave() {
    if (!this.memory) return;
    const now = Buffer.from(this.memory.buffer);
    if (now.length !== this.shadow.length) {
      const larger = Buffer.alloc(now.length);
      this.shadow.copy(larger);
      this.shadow = larger;
    }
    this.eachChange(now, (at, end) => now.copy(this.shadow, at, at, end));
  }

  // Before control comes back: what the host changed.
  enter() {
    this.crossings++;
    if (!this.memory) return;
    const now = Buffer.from(this.memory.buffer);
    if (now.length !== this.shadow.length) throw new Error('memory changed its size unseen');
    this.eachChange(now, (at, end) => {
      this.out.u8(KIND.WRITE);
      this.out.u32(at);
      this.out.u32(end - at);
      this.out.bytes(now.subarray(at, end));
      now.copy(this.shadow, at, at, end);
    });
  }

  eachChange(now, act) {
    if (now.equals(this.shadow)) return;
    for (let at = 0; at < now.length; at += CHUNK) {
      const end = Math.min(at + CHUNK, now.length);
      if (now.compare(this.shadow, at, end, at, end) === 0) continue;
      let first = at, last = end;
      while (now[first] === this.shadow[first]) first++;
      while (now[last - 1] === this.shadow[last - 1]) last--;
      act(first, last);
    }
  }

  state() {
    this.out.u32(this.memory ? this.memory.buffer.byteLength / 65536 : 0);
    this.out.u32(this.memory ? hashMemory(this.memory.buffer) : 0);
  }

  call(index, type, func, args) {
    this.enter();
    const values = type.params.map((t, i) => COERCE[t](args[i]));
    this.out.u8(KIND.CALL);
    this.out.u32(index);
    this.out.cells(type.params, values);
    let value;
    try {
      value = func(...values);
    } catch (error) {
      this.leave();
      this.out.u8(KIND.THROWN);
      this.state();
      throw error;
    }
    this.leave();
    this.out.u8(KIND.RETURN);
    this.out.cells(type.results, type.results.length === 1 ? [value] : value ?? []);
    this.state();
    return value;
  }

  wrapImport(index, type, func) {
    return (...args) => {
      this.leave();
      this.out.u8(KIND.IMPORT);
      this.out.u32(index);
      this.out.cells(type.params, args);
      let value;
      try {
        value = func(...args);
      } catch (error) {
        this.enter();
        this.out.u8(KIND.THROW);
        throw error;
      }
      const values = type.results.length > 1 ? [...value] : [value];
      this.enter();
      this.out.u8(KIND.ANSWER);
      this.out.cells(type.results, type.results.map((t, i) => COERCE[t]?.(values[i])));
      return value;
    };
  }

  wrapImports(imports) {
    const wrapped = {};
    for (const [module, fields] of Object.entries(imports ?? {})) wrapped[module] = { ...fields };
    this.types.imports.forEach(({ module, name, type }, index) => {
      const func = imports[module][name];
      wrapped[module] ??= {};
      wrapped[module][name] = this.wrapImport(index, type, func);
    });
    for (const fields of Object.values(wrapped))
      for (const f of Object.values(fields)) {
        if (f instanceof WebAssembly.Memory) this.memory = f;
        if (f instanceof WebAssembly.Table) this.tables.set(f, -1);
      }
    this.leave();
    return wrapped;
  }

  wrapInstance(instance) {
    const exports = Object.create(null);
    let ntables = 0;
    for (const [name, value] of Object.entries(instance.exports)) {
      if (value instanceof WebAssembly.Memory) this.memory ??= value;
      if (value instanceof WebAssembly.Table) this.tables.set(value, ntables++);
      if (!name.startsWith(PREFIX)) exports[name] = value;
    }
    this.types.exports.forEach(({ name, type }, index) => {
      const func = instance.exports[name];
      const recorded = (...args) => this.call(index, type, func, args);
      if (!name.startsWith(PREFIX)) exports[name] = recorded;
      this.reachable.set(func, recorded);
    });
    this.leave();
    // "instanceof WebAssembly.Instance" must hold, and its own getter must not be asked.
    return Object.create(WebAssembly.Instance.prototype, { exports: { value: Object.freeze(exports), enumerable: true } });
  }

  // The host changes a table: of externref only, and an exported one.
  changeTable(kind, table, number, reference) {
    const index = this.tables.get(table);
    if (index < 0 || !holdsAnything(table)) throw new Error('the host fills a table of functions: not supported');
    this.out.u8(kind);
    this.out.u32(index);
    this.out.u32(number);
    this.out.reference(reference);
  }

  finish() {
    this.out.u8(KIND.END);
    return { wasm: this.wasm, trace: this.out.buffer.subarray(0, this.out.at), crossings: this.crossings };
  }
}

const real = { Instance: WebAssembly.Instance, Module: WebAssembly.Module, instantiate: WebAssembly.instantiate,
               compile: WebAssembly.compile, grow: WebAssembly.Memory.prototype.grow, get: WebAssembly.Table.prototype.get, set: WebAssembly.Table.prototype.set,
               growTable: WebAssembly.Table.prototype.grow };

// Whether it is a table of externref: others do not take a number, not even for no elements at all.
function holdsAnything(table) {
  try {
    real.growTable.call(table, 0, 1);
    return true;
  } catch {
    return false;
  }
}

export function install(choose = () => true) {
  let recording = null;
  const sources = new WeakMap(); // compiled modules and their bytes

  const begin = (bytes) => {
    if (!recording && bytes && choose(bytes)) recording = new Recording(bytes);
    else return null;
    return recording;
  };
  const asBytes = (source) => (ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
                                                          : new Uint8Array(source));
  const start = (module, bytes, imports) => {
    const r = begin(bytes);
    return r ? r.wrapInstance(new real.Instance(new real.Module(r.wasm), r.wrapImports(imports))) : new real.Instance(module, imports);
  };

  WebAssembly.Module = new Proxy(real.Module, {
    construct(target, [source]) {
      const module = new real.Module(source);
      sources.set(module, asBytes(source));
      return module;
    },
  });
  WebAssembly.Instance = new Proxy(real.Instance, {
    construct: (target, [module, imports]) => start(module, sources.get(module), imports),
  });
  WebAssembly.compile = async (source) => {
    const module = await real.compile.call(WebAssembly, source);
    sources.set(module, asBytes(source));
    return module;
  };
  WebAssembly.instantiate = async (source, imports) => {
    if (source instanceof real.Module) return start(source, sources.get(source), imports);
    const module = await WebAssembly.compile(source);
    return { module, instance: start(module, asBytes(source), imports) };
  };
  delete WebAssembly.instantiateStreaming;
  delete WebAssembly.compileStreaming;
  WebAssembly.Memory.prototype.grow = function grow(pages) {
    const before = real.grow.call(this, pages);
    if (recording && recording.memory === this && pages) {
      recording.out.u8(KIND.GROW);
      recording.out.u32(pages);
      const larger = Buffer.alloc(this.buffer.byteLength);
      recording.shadow.copy(larger);
      recording.shadow = larger;
    }
    return before;
  };
  WebAssembly.Table.prototype.get = function get(index) {
    const value = real.get.call(this, index);
    if (!recording?.tables.has(this) || typeof value !== 'function') return value;
    return recording.reachable.get(value) ?? (() => {
      throw new Error('the host calls a function that no segment has put into the table: not supported');
    });
  };
  WebAssembly.Table.prototype.set = function set(index, ...value) {
    if (recording?.tables.has(this)) recording.changeTable(KIND.TABLE_SET, this, index, value[0]);
    return real.set.call(this, index, ...value);
  };
  WebAssembly.Table.prototype.grow = function grow(elements, ...value) {
    const before = real.growTable.call(this, elements, ...value);
    if (recording?.tables.has(this)) recording.changeTable(KIND.TABLE_GROW, this, elements, value[0]);
    return before;
  };
  return {
    finish() {
      if (!recording) throw new Error('no module was recorded');
      return recording.finish();
    },
  };
}
