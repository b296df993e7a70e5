// The program's constants (texts, tables), and which of them its first part needs. The linker's map says where each is; a
// number in code that is run, or in a constant that is needed, is taken for the address that it may be. Code may reckon from
// where a constant ends, so what was read while the default scenario was played counts as well: all code that is run was run then.

/** The constants of a linker's map (`-Map`), as `{ from, to }` by address. `texts` holds many, each with a zero at its end. */
function objects(map) {
  const found = [];
  let inside = false;
  for (const line of map.split('\n')) {
    const [, address, size, what] = /^\s*([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s(.*)$/.exec(line) ?? [];
    if (!what) continue;
    const out = /^\S/.test(what);
    if (out) inside = what === '.rodata';
    const from = parseInt(address, 16);
    if (inside && !out && /:\(\.rodata/.test(what)) found.push({ from, to: from + parseInt(size, 16), texts: /<internal>/.test(what) });
  }
  return found.filter(({ from, to }) => to > from).sort((a, b) => a.from - b.from);
}

export class Constants {
  constructor(map) {
    this.objects = objects(map);
    if (!this.objects.length) throw new Error("the linker's map has no constants");
  }

  /** What of this module's constants is needed: to be asked when all that needs them has been said. */
  reach(m) {
    const segment = m.data.find(({ at, bytes }) => at <= this.objects[0].from && at + bytes.length >= this.objects.at(-1).to);
    if (!segment) throw new Error("the constants are not where the linker's map has them");
    return new Reach(this.objects.flatMap((object) => (object.texts ? texts(object, segment) : [object])), segment, m);
  }
}

function texts({ from, to }, { at, bytes }) {
  const found = [];
  for (let start = from; start < to; ) {
    const end = bytes.indexOf(0, start - at) + at + 1;
    found.push({ from: start, to: end > start ? Math.min(end, to) : to });
    start = found.at(-1).to;
  }
  return found;
}

class Reach {
  constructor(objects, segment, m) {
    this.objects = objects;
    this.segment = segment;
    this.others = m.data.filter((other) => other !== segment);
    this.places = Math.max(...m.elements.map(({ offset, functions }) => offset + functions.length));
    this.numbers = new Set();
    this.needed = new Set();
    // What is not a constant may be changed, and may have addresses.
    let at = segment.at;
    for (const object of [...objects, { from: segment.at + segment.bytes.length }]) {
      if (object.from > at) this.read(at, object.from);
      at = object.to;
    }
    for (const { at, bytes } of this.others) this.read(at, at + bytes.length, bytes, at);
  }

  /** The constant at an address: the last that does not begin after it. */
  at(address) {
    const { at, bytes } = this.segment;
    if (address < at || address >= at + bytes.length) return undefined;
    let [low, high] = [0, this.objects.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.objects[middle].from <= address) low = middle;
      else high = middle;
    }
    return this.objects[low];
  }

  say(number) {
    const more = [number];
    while (more.length) {
      const next = more.pop();
      if (this.numbers.has(next)) continue;
      this.numbers.add(next);
      const object = this.at(next);
      if (!object || this.needed.has(object)) continue;
      this.needed.add(object);
      more.push(...this.words(object.from, object.to));
    }
  }

  read(from, to, bytes, at) {
    for (const word of this.words(from, to, bytes, at)) this.say(word);
  }

  words(from, to, bytes = this.segment.bytes, at = this.segment.at) {
    const found = [];
    for (let address = (from + 3) & ~3; address + 4 <= to; address += 4) found.push(bytes.readUInt32LE(address - at));
    return found;
  }

  /** Whether what this number may name is there: a constant, or a place in the table. */
  said(number) {
    const object = this.at(number);
    return object ? this.needed.has(object) : number >= this.places || this.numbers.has(number);
  }

  /** The data of the first part, with what is not a constant, and that of the second. */
  parts() {
    const { at, bytes } = this.segment;
    // Stretches of constants that are not needed. Each costs some bytes of its own.
    const stretches = [];
    let last;
    for (const object of this.objects) {
      if (this.needed.has(object)) last = undefined;
      else if (last) last.to = object.to;
      else stretches.push((last = { ...object }));
    }
    const rest = stretches.filter(({ from, to }) => to - from >= LEAST_STRETCH);
    const own = Buffer.from(bytes);
    for (const { from, to } of rest) own.fill(0, from - at, to - at);
    const first = [];
    let start = at;
    for (const { from, to } of [...rest.filter(({ from, to }) => to - from >= LEAST_GAP), { from: at + bytes.length, to: 0 }]) {
      if (from > start) first.push({ at: start, bytes: own.subarray(start - at, from - at) });
      start = to;
    }
    const take = ({ from, to }) => ({ at: from, bytes: bytes.subarray(from - at, to - at) });
    return { first: [...first, ...this.others], rest: rest.map(take) };
  }
}

const LEAST_STRETCH = 12;
// Zeros between two segments of the first part: they pack well.
export const LEAST_GAP = 256;

/** Of a pack of sentences those whose keys were read, as a pack. `read` has a mark for each byte of the constants. */
export function heard(pack, folder, constants, read) {
  const isRead = (key) => {
    for (let at = constants.indexOf(key); at >= 0; at = constants.indexOf(key, at + 1)) if (read[at]) return true;
    return false;
  };
  const lines = pack.split('\n').filter((line) => line.includes(' = ') && isRead(line.slice(0, line.indexOf(' = '))));
  const text = `${lines.join('\n')}\n`;
  return `${folder}/heard.txt ${Buffer.byteLength(text)}\n${text}\n`;
}
