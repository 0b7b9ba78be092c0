// Types of a module's functions, which JavaScript's WebAssembly objects do not tell.
//
//   functionTypes(bytes) -> { imports: [{module, name, type}], exports: [{name, type}] }   in the module's own order
//
// A type is { params: ['i32', ...], results: [...] } of i32, i64, f32, f64, v128, funcref, externref.  The module must be
// valid; sections this does not need are skipped unread.
const VALUE = { 0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64', 0x7b: 'v128', 0x70: 'funcref', 0x6f: 'externref' };
const FUNCTION = 0, TABLE = 1, MEMORY = 2, TAG = 4;
const SECTION = { TYPE: 1, IMPORT: 2, FUNCTION: 3, EXPORT: 7 };

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 8; // behind the magic number and the version
  }
  u32() { // also reads 64-bit limits, as far as a double is exact
    let value = 0, shift = 0, byte;
    do {
      byte = this.bytes[this.at++];
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte & 0x80);
    return value;
  }
  text() {
    const n = this.u32();
    this.at += n;
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.at - n, n).toString('utf8');
  }
  limits() {
    const flags = this.u32();
    this.u32();
    if (flags & 1) this.u32();
  }
  list(element) {
    return Array.from({ length: this.u32() }, element);
  }
}

export function functionTypes(bytes) {
  const r = new Reader(bytes), types = [], functions = [], imports = [], exports = [];
  const values = () => r.list(() => VALUE[r.bytes[r.at++]] ?? 'unknown');
  while (r.at < bytes.length) {
    const section = bytes[r.at++], end = r.u32() + r.at;
    if (section === SECTION.TYPE) {
      r.list(() => {
        r.at++; // 0x60
        types.push({ params: values(), results: values() });
      });
    } else if (section === SECTION.IMPORT) {
      r.list(() => {
        const module = r.text(), name = r.text(), kind = bytes[r.at++];
        if (kind === FUNCTION) {
          functions.push(types[r.u32()]);
          imports.push({ module, name, type: functions.at(-1) });
        } else if (kind === TABLE) {
          r.at++;
          r.limits();
        } else if (kind === MEMORY) {
          r.limits();
        } else if (kind === TAG) {
          r.at++;
          r.u32();
        } else {
          r.at += 2;
        }
      });
    } else if (section === SECTION.FUNCTION) {
      r.list(() => functions.push(types[r.u32()]));
    } else if (section === SECTION.EXPORT) {
      r.list(() => {
        const name = r.text(), kind = bytes[r.at++], index = r.u32();
        if (kind === FUNCTION) exports.push({ name, type: functions[index] });
      });
    }
    r.at = end;
  }
  return { imports, exports };
}
