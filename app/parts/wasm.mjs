// WebAssembly modules as bytes: as much of the binary format (https://webassembly.github.io/spec/core/binary/) as is needed
// to take a module apart and put it together again.

/** Unsigned LEB128. */
export function leb(value) {
  const out = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    out.push(value ? low | 0x80 : low);
  } while (value);
  return out;
}

/** `i32.const value`. */
export function constant(value) {
  const out = [0x41];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    if ((value === 0 && !(low & 0x40)) || (value === -1 && low & 0x40)) return [...out, low];
    out.push(low | 0x80);
  }
}

export const text = (value) => {
  const bytes = Buffer.from(value);
  return [...leb(bytes.length), ...bytes];
};

/** A vector of what are bytes already. */
export const vector = (items) => Buffer.concat([Buffer.from(leb(items.length)), ...items.map((item) => Buffer.from(item))]);

const section = (id, content) => Buffer.concat([Buffer.from([id, ...leb(content.length)]), content]);

export class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte() {
    return this.bytes[this.at++];
  }
  leb() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!(byte & 0x80)) return value;
    }
  }
  /** A signed 32-bit number, as the unsigned one of the same bits. */
  signed() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte & 0x80) continue;
      return (shift < 25 && byte & 0x40 ? value | (-1 << (shift + 7)) : value) >>> 0;
    }
  }
  skipLeb() {
    while (this.byte() & 0x80);
  }
  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text() {
    return this.take(this.leb()).toString();
  }
  list(item) {
    return Array.from({ length: this.leb() }, () => item(this));
  }
  /** The bytes that `read` goes over. */
  span(read) {
    const start = this.at;
    read(this);
    return this.bytes.subarray(start, this.at);
  }
}

const limits = (r) => {
  const flags = r.byte();
  const min = r.leb();
  return { flags, min, max: flags & 1 ? r.leb() : undefined };
};
const writeLimits = ({ flags, min, max }) => [flags, ...leb(min), ...(flags & 1 ? leb(max) : [])];

const FUNCTION = 0;
const READ_IMPORT = [(r) => r.leb(), (r) => [r.byte(), limits(r)], limits, (r) => [r.byte(), r.byte()]];

/** An offset or a first value: one instruction and the end. */
const expression = (r) => r.span(() => { while (instruction(r).code !== 0x0b); });

function element(r) {
  const flags = r.leb();
  if (flags !== 0 && flags !== 2) throw new Error(`an element segment of kind ${flags}`);
  const table = flags === 2 ? r.leb() : 0;
  if (r.byte() !== 0x41) throw new Error('an element segment at no constant');
  const offset = r.leb();
  if (r.byte() !== 0x0b) throw new Error('an element segment at no constant');
  if (flags === 2) r.byte();
  return { table, offset, functions: r.list(() => r.leb()) };
}

const writeElement = ({ table, offset, functions }) =>
  [...(table ? [2, ...leb(table)] : [0]), ...constant(offset), 0x0b, ...(table ? [0] : []), ...leb(functions.length), ...functions.flatMap(leb)];

function datum(r) {
  if (r.leb() !== 0 || r.byte() !== 0x41) throw new Error('a data segment at no constant');
  const at = r.signed();
  if (r.byte() !== 0x0b) throw new Error('a data segment at no constant');
  return { at, bytes: r.take(r.leb()) };
}

const writeDatum = ({ at, bytes }) => Buffer.concat([Buffer.from([0, ...constant(at), 0x0b, ...leb(bytes.length)]), bytes]);

/** The functions' names by their index, of a module that has them. */
export function names(bytes) {
  const r = new Reader(bytes, 8);
  const found = new Map();
  while (r.at < bytes.length) {
    const id = r.byte();
    const end = r.leb() + r.at;
    if (id === 0 && r.text() === 'name') {
      while (r.at < end) {
        const kind = r.byte();
        const last = r.leb() + r.at;
        if (kind === 1) r.list(() => found.set(r.leb(), r.text()));
        r.at = last;
      }
    }
    r.at = end;
  }
  return found;
}

export function parse(bytes) {
  const r = new Reader(bytes, 8);
  const m = { types: [], imports: [], functions: [], tables: [], memories: [], globals: [], exports: [], elements: [], bodies: [], data: [], features: null };
  while (r.at < bytes.length) {
    const id = r.byte();
    const end = r.leb() + r.at;
    switch (id) {
      case 0: {
        const name = r.text();
        if (name === 'target_features') m.features = r.bytes.subarray(r.at, end);
        r.at = end;
        break;
      }
      case 1:
        m.types = r.list(() => {
          if (r.byte() !== 0x60) throw new Error('a type that is no function');
          return { parameters: r.list(() => r.byte()), results: r.list(() => r.byte()) };
        });
        break;
      case 2:
        m.imports = r.list(() => {
          const [module, name, kind] = [r.text(), r.text(), r.byte()];
          return { module, name, kind, of: READ_IMPORT[kind](r) };
        });
        break;
      case 3: m.functions = r.list(() => r.leb()); break;
      case 4: m.tables = r.list(() => ({ type: r.byte(), limits: limits(r) })); break;
      case 5: m.memories = r.list(() => limits(r)); break;
      case 6: m.globals = r.list(() => ({ type: [r.byte(), r.byte()], init: expression(r) })); break;
      case 7: m.exports = r.list(() => ({ name: r.text(), kind: r.byte(), index: r.leb() })); break;
      case 8: m.start = r.leb(); break;
      case 9: m.elements = r.list(() => element(r)); break;
      case 10: m.bodies = r.list(() => r.take(r.leb())); break;
      case 11: m.data = r.list(datum); break;
      case 12: m.dataCount = r.leb(); break;
      default: throw new Error(`section ${id}`);
    }
    if (r.at !== end) throw new Error(`section ${id} ends elsewhere`);
  }
  return m;
}

export function write(m) {
  const importKinds = [
    (of) => leb(of),
    ([type, l]) => [type, ...writeLimits(l)],
    (l) => writeLimits(l),
    (of) => of,
  ];
  const sections = [
    [1, m.types.map(({ parameters, results }) => [0x60, ...leb(parameters.length), ...parameters, ...leb(results.length), ...results])],
    [2, m.imports.map(({ module, name, kind, of }) => [...text(module), ...text(name), kind, ...importKinds[kind](of)])],
    [3, m.functions.map(leb)],
    [4, m.tables.map(({ type, limits }) => [type, ...writeLimits(limits)])],
    [5, m.memories.map(writeLimits)],
    [6, m.globals.map(({ type, init }) => [...type, ...init])],
    [7, m.exports.map(({ name, kind, index }) => [...text(name), kind, ...leb(index)])],
    [9, m.elements.map(writeElement)],
    [10, m.bodies.map((body) => Buffer.concat([Buffer.from(leb(body.length)), Buffer.from(body)]))],
    [11, m.data.map(writeDatum)],
  ];
  const out = [Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])];
  for (const [id, items] of sections) {
    if (id === 9 && m.start !== undefined) out.push(section(8, Buffer.from(leb(m.start))));
    if (id === 10 && m.dataCount !== undefined) out.push(section(12, Buffer.from(leb(m.dataCount))));
    if (items.length) out.push(section(id, vector(items)));
  }
  if (m.features) out.push(section(0, Buffer.concat([Buffer.from(text('target_features')), m.features])));
  return Buffer.concat(out);
}

/**
 * One instruction, with what it names: a `callee` and where that is written, `label` or `labels`, `local`, `global`, `table`, the
 * `value` of a constant or offset in memory, the `type` of a block (an index, a value's type, or none) or of a call through a
 * table. Those behind 0xfc have codes from 0x100.
 */
export function instruction(r) {
  const code = r.byte();
  if (code === 0x10 || code === 0x12 || code === 0xd2) {
    const at = r.at;
    return { code, callee: { at, index: r.leb(), end: r.at } };
  }
  if (code >= 0x02 && code <= 0x04) return { code, type: blockType(r) };
  if (code === 0x0c || code === 0x0d) return { code, label: r.leb() };
  if (code === 0x0e) return { code, labels: [...r.list(() => r.leb()), r.leb()] };
  if (code === 0x11 || code === 0x13) return { code, type: r.leb(), table: r.leb() };
  if (code === 0x1c) r.list(() => r.byte());
  else if (code >= 0x20 && code <= 0x22) return { code, local: r.leb() };
  else if (code === 0x23 || code === 0x24) return { code, global: r.leb() };
  else if (code === 0x25 || code === 0x26) return { code, table: r.leb() };
  else if (code >= 0x28 && code <= 0x3e) {
    if (r.leb() & 0x40) r.skipLeb();
    return { code, value: r.leb() };
  } else if (code === 0x41) return { code, value: r.signed() };
  else if ((code >= 0x3f && code <= 0x42) || code === 0xd0) r.skipLeb();
  else if (code === 0x43) r.take(4);
  else if (code === 0x44) r.take(8);
  else if (code === 0xfc) {
    const more = r.leb();
    const operands = more < 8 ? 0 : [8, 10, 12, 14].includes(more) ? 2 : 1;
    for (let i = 0; i < operands; i += 1) r.skipLeb();
    return { code: 0x100 + more };
  } else if (!([0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1].includes(code) || (code >= 0x45 && code <= 0xc4))) {
    throw new Error(`instruction 0x${code.toString(16)}`);
  }
  return { code };
}

/** A type's index is written as a signed number, and none of these has its high bits set. */
function blockType(r) {
  const byte = r.bytes[r.at];
  if (byte === 0x40) return void r.at++;
  if (byte >= 0x40 && byte < 0x80) return { value: r.byte() };
  return r.leb();
}

/** Where a function's instructions begin, after its locals. */
export function instructions(body) {
  const r = new Reader(body);
  r.list(() => { r.leb(); r.byte(); });
  return r.at;
}

/** The places where a function names others. */
export function callees(body) {
  const r = new Reader(body, instructions(body));
  const found = [];
  while (r.at < body.length) {
    const { callee } = instruction(r);
    if (callee) found.push(callee);
  }
  return found;
}

/** The function with others named as `renamed` says. */
export function rename(body, renamed) {
  const out = [];
  let from = 0;
  for (const { at, index, end } of callees(body)) {
    out.push(body.subarray(from, at), Buffer.from(leb(renamed(index))));
    from = end;
  }
  return Buffer.concat([...out, body.subarray(from)]);
}
