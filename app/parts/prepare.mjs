// Has the program prepare the default scenario (`prepare` in app/src/browser/library.rs), and makes all that it then remembers
// its first memory: what is computed here is computed in no browser.
import { parse, write } from './wasm.mjs';

const PAGE = 65536;
// Zeros between two segments. They pack well, and each segment costs some bytes of its own.
const LEAST_GAP = 100;

/** The program as it is when it was handed the pack `text`. */
export function prepared(bytes, text) {
  const m = parse(bytes);
  const imports = {};
  for (const { module, name } of m.imports) {
    (imports[module] ??= {})[name] = () => {
      throw new Error(`to prepare itself the program asks for ${name}`);
    };
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  const { memory } = exports;
  const pack = Buffer.from(text);
  const at = exports.__wbindgen_malloc(pack.length, 1);
  Buffer.from(memory.buffer).set(pack, at);
  if (!exports.prepare(at, pack.length)) throw new Error('the program prepared nothing');

  // All from the constants on; before them is the stack, where nothing is left.
  const all = Buffer.from(memory.buffer);
  const [constants] = m.data;
  clean(all, m.memories[0].min * PAGE);
  m.data = [constants, ...segments(all, constants.at + constants.bytes.length)];
  m.memories[0].min = all.length / PAGE;
  m.dataCount &&= m.data.length;
  return write(m);
}

/**
 * Zeroes what is free on the heap, which begins at `start`: chunks in a row, as Rust's allocator for WebAssembly has them
 * (https://docs.rs/dlmalloc). Where it turns out to be otherwise nothing is done.
 */
function clean(all, start) {
  const [HEAD, IN_USE, LINKS, FOOT] = [4, 2, 32, 64];
  const free = [];
  let at = start;
  while (all.length - at > FOOT) {
    const head = all.readUInt32LE(at + HEAD);
    const size = head & ~7;
    if (!size || at + size > all.length) return;
    if (!(head & IN_USE) && size > LINKS) free.push([at + LINKS, at + size]);
    at += size;
  }
  for (const [from, to] of free) all.fill(0, from, to);
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
