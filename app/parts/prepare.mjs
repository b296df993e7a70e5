// Has the program prepare the default scenario (`prepare` in app/src/browser/library.rs), and makes all that it then remembers
// its first memory: what is computed here is computed in no browser.
import { CALL, GET, I32, IF, TEE } from './code.mjs';
import { LEAST_GAP } from './data.mjs';
import { constant, leb, names, parse, write } from './wasm.mjs';

const FUNCTION = 0;
const PAGE = 65536;
// What stands before what a chunk holds: its size.
const HEAD = 4;
// Chunks of free memory up to this size are never used again, about 300 kB: what the allocator remembers of each packs badly.
const MOST_GIVEN_UP = 16384;

/** The program as it is when it was handed the pack `text`. */
export function prepared(bytes, text) {
  const m = parse(bytes);
  const imports = {};
  for (const { module, name, kind } of m.imports) {
    if (kind !== FUNCTION) throw new Error('an import that is no function');
    (imports[module] ??= {})[name] = () => {
      throw new Error(`to prepare itself the program asks for ${name}`);
    };
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(tidy(bytes)), imports);
  const { memory } = exports;
  const pack = Buffer.from(text);
  const at = exports.__wbindgen_malloc(pack.length, 1);
  Buffer.from(memory.buffer).set(pack, at);
  if (!exports.prepare(at, pack.length)) throw new Error('the program prepared nothing');

  // Who takes a free chunk by its very size leaves the allocator nothing to remember of it.
  const small = free(Buffer.from(memory.buffer), m.memories[0].min * PAGE).filter(({ size }) => size <= MOST_GIVEN_UP);
  for (const { size } of small.sort((a, b) => b.size - a.size)) exports.__wbindgen_malloc(size - HEAD, 1);

  // All from the constants on; before them is the stack, where nothing is left. The program keeps nothing of the pack.
  const all = Buffer.from(memory.buffer);
  all.fill(0, at, at + pack.length);
  const [constants] = m.data;
  for (const { size, from, to } of free(all, m.memories[0].min * PAGE)) {
    if (size > MOST_GIVEN_UP) all.fill(0, from, to);
  }
  m.data = [constants, ...segments(all, constants.at + constants.bytes.length)];
  m.memories[0].min = all.length / PAGE;
  m.dataCount &&= m.data.length;
  return write(m);
}

/** The program with an allocator that zeroes what it gives and takes back: what was there before packs badly. */
function tidy(bytes) {
  const m = parse(bytes);
  const named = [...names(bytes)].filter(([, name]) => name.includes('dlmalloc'));
  const replace = (end, body) => {
    const [index] = named.find(([, name]) => name.endsWith(end)) ?? [];
    if (index === undefined) throw new Error(`the allocator has no ${end}`);
    const i = index - m.imports.length;
    m.bodies.push(m.bodies[i]);
    m.bodies[i] = Buffer.from([...body(m.imports.length + m.functions.push(m.functions[i]) - 1), 0x0b]);
  };
  // memory.fill(at, 0, (at[-4] & ~7) - 4): a chunk's size stands before it, with flags.
  const zero = (at) => [GET, at, ...constant(0), GET, at, ...constant(4), SUB, LOAD, 2, 0, ...constant(~7), AND, ...constant(4), SUB, ...FILL];
  replace('>::malloc', (own) => [1, 1, I32, GET, 0, CALL, ...leb(own), TEE, 1, IF, 0x40, ...zero(1), 0x0b, GET, 1]);
  replace('>::free', (own) => [0, ...zero(0), GET, 0, CALL, ...leb(own)]);
  return write(m);
}
const [AND, SUB, LOAD, FILL] = [0x71, 0x6b, 0x28, [0xfc, 0x0b, 0]];

/**
 * What is free on the heap, which begins at `start`, and where it holds nothing: chunks in a row, as Rust's allocator for
 * WebAssembly has them (https://docs.rs/dlmalloc). Where it turns out to be otherwise, nothing is.
 */
function free(all, start) {
  const [IN_USE, LINKS, FOOT] = [2, 32, 64];
  const found = [];
  let at = start;
  while (all.length - at > FOOT) {
    const head = all.readUInt32LE(at + HEAD);
    const size = head & ~7;
    if (!size || at + size > all.length) return [];
    if (!(head & IN_USE)) found.push({ size, from: at + LINKS, to: Math.max(at + LINKS, at + size) });
    at += size;
  }
  return found;
}

/** What is not zero from an address on. */
function segments(all, start) {
  const found = [];
  for (let at = start; at < all.length; at += 1) {
    if (!all[at]) continue;
    const last = found.at(-1);
    if (last && at - last.to < LEAST_GAP) last.to = at + 1;
    else found.push({ from: at, to: at + 1 });
  }
  return found.map(({ from, to }) => ({ at: from, bytes: all.subarray(from, to) }));
}
