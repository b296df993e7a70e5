// Cuts a WebAssembly module in two: `first`, with the functions that are marked, and `rest`, with all others. A call from one
// part into the other goes through the module's table. Before it goes from `first` into `rest`, `first` asks for `rest`
// with the import `parts.rest`, once; when `rest` is instantiated (its one import module is `first`'s exports), it puts its
// functions in their places in the table.
import { callees, constant, leb, rename, write } from './wasm.mjs';

const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;
const GLOBAL = 3;
const I32 = 0x7f;

/**
 * `wanted[i]`: the i-th function is part of `first`; `needs(number)`: code or data of `first` has this number, which may be an
 * address or a function's place in the table; `data`: what is of each part.
 */
export function split({ module: m, wanted, needs, data }) {
  const imported = m.imports.length;
  const isHot = (index) => index < imported || wanted[index - imported];
  const typeOf = (index) => (index < imported ? m.imports[index].of : m.functions[index - imported]);
  if (m.start !== undefined && !isHot(m.start)) wanted[m.start - imported] = true;

  // A place in the table for each function that the other part names.
  const table = m.elements[0].table;
  const slots = new Map();
  for (const { offset, functions } of m.elements) functions.forEach((index, i) => slots.has(index) || slots.set(index, offset + i));
  const size = m.tables[table].limits.min;
  let top = size;
  const named = { first: new Set(m.exports.filter(({ kind }) => kind === FUNCTION).map(({ index }) => index)), rest: new Set() };
  m.bodies.forEach((body, i) => {
    const by = named[wanted[i] ? 'first' : 'rest'];
    for (const { index } of callees(body)) by.add(index);
  });
  // Those of `first` by size, as it will have them (pack.mjs); of `rest` each beside those that are called beside it.
  const length = (index) => m.bodies[index - imported].length;
  const crossing = [
    ...[...named.first].filter((index) => !isHot(index)).sort((a, b) => a - b),
    ...[...named.rest].filter((index) => isHot(index) && index >= imported).sort((a, b) => length(b) - length(a)),
  ];
  for (const index of crossing) if (!slots.has(index)) slots.set(index, top++);
  const tables = m.tables.map((t, i) => {
    if (i !== table) return t;
    const { flags, min, max } = t.limits;
    return { ...t, limits: { flags, min: top, max: max && max + top - min } };
  });

  const given = (type) => m.types[type].parameters.flatMap((_, i) => [0x20, ...leb(i)]);
  const through = (index) => [...given(typeOf(index)), ...constant(slots.get(index)), 0x11, ...leb(typeOf(index)), ...leb(table), 0x0b];
  const nothing = Buffer.from([0, 0x00, 0x0b]);

  // One import more, so `first`'s own functions are one further on.
  const moved = (index) => (index < imported ? index : index + 1);
  const types = [...m.types, { parameters: [], results: [] }];
  const none = types.length - 1;
  const ready = m.globals.length;
  const ensure = imported + 1 + m.functions.length;
  // How `first` calls into `rest`: one function a type, as it does so in thousands of places.
  const callers = new Map();
  const caller = (type) => {
    if (!callers.has(type)) callers.set(type, ensure + 1 + callers.size);
    return callers.get(type);
  };
  const first = {
    ...m,
    types,
    imports: [...m.imports, { module: 'parts', name: 'rest', kind: FUNCTION, of: none }],
    functions: [...m.functions, none],
    tables,
    start: m.start === undefined ? undefined : moved(m.start),
    globals: [...m.globals, { type: [I32, 1], init: [...constant(0), 0x0b] }],
    exports: [
      ...m.exports.map((e) => (e.kind === FUNCTION ? { ...e, index: moved(e.index) } : e)),
      ...m.memories.map((_, index) => ({ name: `m${index}`, kind: MEMORY, index })),
      ...m.tables.map((_, index) => ({ name: `t${index}`, kind: TABLE, index })),
      ...m.globals.map((_, index) => ({ name: `g${index}`, kind: GLOBAL, index })),
      ...m.imports.map((_, index) => ({ name: `f${index}`, kind: FUNCTION, index })).filter(({ index }) => named.rest.has(index)),
    ],
    elements: [
      // Of the functions in the other part those that can be called through the table.
      ...runs([...slots.keys()].filter((index) => isHot(index) || (slots.get(index) < size && needs(slots.get(index)))), slots).map(({ offset, functions }) => ({ table, offset, functions: functions.map(moved) })),
    ],
    data: data.first,
    dataCount: undefined,
    bodies: [
      ...m.bodies.map((body, i) => {
        const index = imported + i;
        if (wanted[i]) return rename(body, moved);
        if (!slots.has(index)) return nothing;
        return Buffer.from([0, ...given(typeOf(index)), ...constant(slots.get(index)), 0x10, ...leb(caller(typeOf(index))), 0x0b]);
      }),
      // if (!ready) { rest(); ready = 1; }
      Buffer.from([0, 0x23, ...leb(ready), 0x45, 0x04, 0x40, 0x10, ...leb(imported), ...constant(1), 0x24, ...leb(ready), 0x0b, 0x0b]),
    ],
  };
  for (const type of callers.keys()) {
    const { parameters, results } = m.types[type];
    first.functions.push(types.push({ parameters: [...parameters, I32], results }) - 1);
    const call = [0x20, ...leb(parameters.length), 0x11, ...leb(type), ...leb(table), 0x0b];
    first.bodies.push(Buffer.from([0, 0x10, ...leb(ensure), ...given(type), ...call]));
  }

  const from = (name, kind, of) => ({ module: 'first', name, kind, of });
  const rest = {
    ...m,
    imports: [
      ...m.imports.map(({ of }, i) => from(`f${i}`, FUNCTION, of)),
      ...m.memories.map((limits, i) => from(`m${i}`, MEMORY, limits)),
      ...tables.map(({ type, limits }, i) => from(`t${i}`, TABLE, [type, limits])),
      ...m.globals.map(({ type }, i) => from(`g${i}`, GLOBAL, type)),
    ],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: undefined,
    data: data.rest,
    dataCount: undefined,
    elements: runs([...slots.keys()].filter((index) => !isHot(index)), slots).map((run) => ({ table, ...run })),
    bodies: m.bodies.map((body, i) => {
      if (!wanted[i]) return body;
      return named.rest.has(imported + i) ? Buffer.from([0, ...through(imported + i)]) : nothing;
    }),
  };
  return { first: write(first), rest: write(rest) };
}

/** Functions by their places in the table, as stretches without a gap. */
function runs(functions, slots) {
  const out = [];
  for (const index of [...functions].sort((a, b) => slots.get(a) - slots.get(b))) {
    const last = out.at(-1);
    if (last && slots.get(index) === last.offset + last.functions.length) last.functions.push(index);
    else out.push({ offset: slots.get(index), functions: [index] });
  }
  return out;
}
