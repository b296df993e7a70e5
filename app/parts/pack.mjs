// What makes a module's bytes pack better and does nothing else.
import { leb, parse, rename, write } from './wasm.mjs';

const FUNCTION = 0;

/** The module with its functions by type and size: like ones are then near each other, where gzip finds them. */
export function sorted(bytes) {
  const m = parse(bytes);
  // The second part has a memory and tables of the first.
  const imported = m.imports.filter(({ kind }) => kind === FUNCTION).length;
  const size = (i) => m.bodies[i].length;
  const order = m.bodies.map((_, i) => i).sort((a, b) => size(b) - size(a) || m.functions[a] - m.functions[b] || a - b);
  const place = new Map(order.map((i, at) => [imported + i, imported + at]));
  const moved = (index) => place.get(index) ?? index;
  return write({
    ...m,
    functions: order.map((i) => m.functions[i]),
    bodies: order.map((i) => rename(m.bodies[i], moved)),
    exports: m.exports.map((e) => (e.kind === FUNCTION ? { ...e, index: moved(e.index) } : e)),
    start: m.start === undefined ? undefined : moved(m.start),
    elements: m.elements.map((e) => ({ ...e, functions: e.functions.map(moved) })),
  });
}

/** The module and wasm-bindgen's script with short names for what each has of the other: a hash in each packs badly. */
export function shortened(bytes, glue) {
  const m = parse(bytes);
  let count = 0;
  const rename = (one, found, by) => {
    const name = `_${(count++).toString(36)}`;
    const parts = glue.split(found);
    if (parts.length < 2) return one;
    glue = parts.join(by(name));
    return { ...one, name };
  };
  const imports = m.imports.map((one) => (one.module === 'parts' ? one : rename(one, new RegExp(`\\b${one.name}\\b`), (name) => name)));
  const exports = m.exports.map((one) => rename(one, new RegExp(`\\bwasm\\.${one.name}\\b`), (name) => `wasm.${name}`));
  return { bytes: write({ ...m, imports, exports }), glue };
}
