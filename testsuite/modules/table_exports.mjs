// Exports the functions of a module that its host can reach only through a table.
//
//   exportTableFunctions(bytes) -> bytes     the same module, with an export `PREFIX + index` for each of them
//
// What a trace calls has to be an export (recorder.mjs), but Emscripten's classes (embind) keep places in the table, and
// JavaScript calls what lies there.  Functions of active and passive segments of funcref are exported; the rest of the
// module stays as it is, byte for byte.
export const PREFIX = 'table function ';
const SECTION = { EXPORT: 7, ELEMENT: 9 };
const FLAG = { PASSIVE_OR_DECLARED: 1, TABLE: 2, EXPRESSIONS: 4 };
const OP = { END: 0x0b, I32_CONST: 0x41, I64_CONST: 0x42, GLOBAL_GET: 0x23, REF_NULL: 0xd0, REF_FUNC: 0xd2 };

function leb(value) {
  const out = [];
  do {
    out.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value = Math.floor(value / 128);
  } while (value);
  return Buffer.from(out);
}

class Cursor {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }
  u8() {
    return this.bytes[this.at++];
  }
  u32() {
    let value = 0, shift = 0, byte;
    do {
      byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte & 0x80);
    return value;
  }
  // A constant expression; what it refers to is given to `found`.
  expression(found = () => {}) {
    for (;;) {
      const op = this.u8();
      if (op === OP.END) return;
      if (op === OP.REF_FUNC) found(this.u32());
      else if ([OP.I32_CONST, OP.I64_CONST, OP.GLOBAL_GET, OP.REF_NULL].includes(op)) this.u32(); // of a sign, the length counts
    }
  }
}

function elementFunctions(bytes, at, found) {
  const c = new Cursor(bytes, at);
  for (let n = c.u32(); n; n--) {
    const flags = c.u32(), active = !(flags & FLAG.PASSIVE_OR_DECLARED);
    if (active && flags & FLAG.TABLE) c.u32();
    if (active) c.expression();
    if (flags & (FLAG.PASSIVE_OR_DECLARED | FLAG.TABLE)) c.u8();
    for (let k = c.u32(); k; k--)
      if (flags & FLAG.EXPRESSIONS) c.expression(found);
      else found(c.u32());
  }
}

export function exportTableFunctions(source) {
  const bytes = Buffer.from(source), functions = new Set(), sections = [];
  for (const c = new Cursor(bytes, 8); c.at < bytes.length;) {
    const begin = c.at, id = c.u8(), size = c.u32(), body = c.at;
    if (id === SECTION.ELEMENT) elementFunctions(bytes, body, (f) => functions.add(f));
    c.at = body + size;
    sections.push({ id, begin, body, end: c.at });
  }
  const section = sections.find((s) => s.id === SECTION.EXPORT);
  if (!section || functions.size === 0) return bytes;
  const c = new Cursor(bytes, section.body), count = c.u32();
  const more = [...functions].map((f) => {
    const name = Buffer.from(PREFIX + f);
    return Buffer.concat([leb(name.length), name, Buffer.from([0]), leb(f)]);
  });
  const body = Buffer.concat([leb(count + more.length), bytes.subarray(c.at, section.end), ...more]);
  return Buffer.concat([bytes.subarray(0, section.begin), Buffer.from([SECTION.EXPORT]), leb(body.length), body,
    bytes.subarray(section.end)]);
}
