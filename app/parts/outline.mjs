// Takes out of functions what is never run: each such list of instructions becomes a function of its own, which is then one
// of those that the default scenario does not take (split.mjs). It is given what it reads of the stack and the locals, and
// gives back what it wrote and where the function goes on.
import { BLOCK, BR, BR_IF, BR_TABLE, CALL, END, ELSE, GET, I32, IF, LOOP, RETURN, SET, TEE, UNREACHABLE, read } from './code.mjs';
import { constant, leb, parse, write } from './wasm.mjs';

// What a place costs that calls such a function, in bytes: the call itself, and each value given or taken back.
const CALL_COST = 12;
const VALUE_COST = 2;
// Less is not worth a function.
const LEAST_GAIN = 4;

const CONST = { [I32]: [0x41, 0], 0x7e: [0x42, 0], 0x7d: [0x43, 0, 0, 0, 0], 0x7c: [0x44, 0, 0, 0, 0, 0, 0, 0, 0], 0x70: [0xd0, 0x70], 0x6f: [0xd0, 0x6f] };
const same = (a, b) => a.length === b.length && a.every((type, i) => type === b[i]);

/** The signature of a function by its index. */
export function signatures(m) {
  const imported = m.imports.length;
  return (index) => m.types[index < imported ? m.imports[index].of : m.functions[index - imported]];
}

/** Each list below this one, itself first. */
function* lists(list) {
  yield list;
  for (const node of list.nodes) for (const inner of node.lists ?? []) yield* lists(inner);
}

/** A list's bytes. `mark` gives what to put at a point, `instead` what to put in place of the end of the list. */
function bytes(list, { mark, instead, node: own } = {}) {
  const out = [];
  const put = (list, depth) => {
    const cut = instead?.get(list);
    const end = cut ? cut.from : list.nodes.length;
    let point = 0;
    for (let i = 0; i < end; i += 1) {
      if (mark && list.points[point]?.at === i) out.push(Buffer.from(mark(list.points[point++])));
      const node = list.nodes[i];
      out.push(own?.(node, depth) ?? node.head);
      if (!node.lists) continue;
      node.lists.forEach((inner, arm) => {
        if (arm) out.push(Buffer.from([ELSE]));
        put(inner, depth + 1);
      });
      out.push(Buffer.from([END]));
    }
    if (cut) out.push(cut.bytes);
  };
  put(list, 0);
  return Buffer.concat(out);
}

/** A function's body: its parameters are the first of `locals`. */
function body(locals, parameters, code) {
  const groups = [];
  for (const type of locals.slice(parameters)) {
    if (groups.at(-1)?.type === type) groups.at(-1).count += 1;
    else groups.push({ type, count: 1 });
  }
  return Buffer.concat([Buffer.from([...leb(groups.length), ...groups.flatMap(({ type, count }) => [...leb(count), type])]), code, Buffer.from([END])]);
}

/** Numbers the points of all functions, in order; `each` sees every function. */
function survey(m, each) {
  const signatureOf = signatures(m);
  let count = 0;
  m.bodies.forEach((code, i) => {
    const type = m.types[m.functions[i]];
    const f = read(m, signatureOf, code, type);
    for (const list of lists(f.list)) for (const point of list.points) point.id = count++;
    each(f, i, type);
  });
  return count;
}

/**
 * The module with a mark in its memory for each point, set when it is run, and one for each byte of its constants, set when it
 * is read. `base` is where they are.
 */
export function watched(bytesOf) {
  const m = parse(bytesOf);
  const page = 65536;
  const base = m.memories[0].min * page;
  const [{ at, bytes: { length } }] = m.data;
  const points = survey(m, () => {});
  const touch = m.imports.length + m.functions.length;
  const bodies = [];
  survey(m, (f, i, type) => {
    const mark = ({ id }) => [...constant(0), ...constant(1), 0x3a, 0, ...leb(base + id)];
    const address = f.locals.push(I32) - 1;
    const node = ({ code, value, head }) => {
      if (!isLoad(code)) return undefined;
      return Buffer.concat([Buffer.from([TEE, ...leb(address), GET, ...leb(address), ...constant(value), ADD, CALL, ...leb(touch)]), head]);
    };
    bodies.push(body(f.locals, type.parameters.length, bytes(f.list, { mark, node })));
  });
  // Where the constants begin is 0; less than that is, unsigned, more than all.
  const place = [GET, 0, ...constant(at), 0x6b, TEE, 0];
  const set = [GET, 0, ...constant(1), 0x3a, 0, ...leb(base + points)];
  bodies.push(body([I32], 1, Buffer.from([...place, ...constant(length), 0x49, IF, 0x40, ...set, END])));
  m.functions.push(m.types.push({ parameters: [I32], results: [] }) - 1);
  m.bodies = bodies;
  const count = points + length;
  const memory = m.memories[0];
  memory.min += Math.ceil(count / page);
  if (memory.max !== undefined) memory.max = Math.max(memory.max, memory.min);
  return { bytes: write(m), base, count };
}

const ADD = 0x6a;
const isLoad = (code) => code >= 0x28 && code <= 0x35;

/**
 * The module with what is never run in functions of its own, and which functions are run. `met` has what `watched` found;
 * `constants` are the program's (see data.mjs). What `isWhole` says of by its index stays as it is.
 */
export function outline(bytesOf, met, constants, isWhole) {
  const m = parse(bytesOf);
  const imported = m.imports.length;
  const added = [];
  const typeIndex = new Map(m.types.map(({ parameters, results }, i) => [`${parameters}>${results}`, i]));
  const typed = (parameters, results) => {
    const key = `${parameters}>${results}`;
    if (!typeIndex.has(key)) typeIndex.set(key, m.types.push({ parameters, results }) - 1);
    return typeIndex.get(key);
  };
  const add = (parameters, results, code) => {
    added.push({ type: typed(parameters, results), code });
    return imported + m.functions.length + added.length - 1;
  };

  // What is run, and which numbers that has.
  const wanted = [];
  const run = new Map();
  const reach = constants.reach(m);
  const points = survey(m, (f, i, type) => {
    if (isWhole(imported + i)) for (const list of lists(f.list)) for (const { id } of list.points) met[id] = 1;
    // One without instructions has no point.
    const [start] = f.list.points;
    wanted.push(!start || Boolean(met[start.id]));
    if (!wanted[i]) return;
    run.set(i, { f, type });
    for (const { from, list } of runs(f.list, met)) {
      for (const { value } of list.nodes.slice(0, from)) if (value !== undefined) reach.say(value);
    }
  });

  // An address may come from what is not run, or be reckoned from one before the constant.
  met.subarray(points).forEach((touched, byte) => {
    if (touched) reach.say(m.data[0].at + byte);
  });

  // What is not run and too little to be taken out first asks for the other part, if it needs constants that are there.
  const wake = [CALL, ...leb(add([], [], body([], 0, Buffer.from([]))))];
  const bodies = m.bodies.map((code, i) => {
    if (!run.has(i)) return code;
    const { f, type } = run.get(i);
    const locals = [...f.locals];
    const spare = (of) => locals.push(of) - 1;
    const instead = new Map();
    const none = Locals.none(locals.length);
    alive(f.list, 0, none, [none]);
    for (const { list, from } of runs(f.list, met)) {
      const points = list.points.filter(({ at }) => at >= from);
      for (const point of points) {
        const call = extract(f.locals, list, point, spare, add);
        if (!call) continue;
        instead.set(list, { from: point.at, bytes: call });
        break;
      }
      const left = list.nodes.slice(from, instead.get(list)?.from);
      if ([...within(left)].some(({ value }) => value !== undefined && !reach.said(value))) points[0].wakes = true;
    }
    const mark = (point) => (point.wakes ? wake : []);
    return body(locals, type.parameters.length, bytes(f.list, { instead, mark }));
  });
  m.functions.push(...added.map(({ type }) => type));
  m.bodies = [...bodies, ...added.map(({ code }) => code)];
  return { module: m, wanted: [...wanted, ...added.map(() => false)], needs: (number) => reach.said(number), data: reach.parts() };
}

/** The lists below this one that are run, itself first, each with where what is run of it ends. */
function* runs(list, met) {
  const from = list.points.find(({ id }) => !met[id])?.at ?? list.nodes.length;
  yield { list, from };
  for (const { lists } of list.nodes.slice(0, from)) for (const inner of lists ?? []) yield* runs(inner, met);
}

/** These nodes and those within. */
function* within(nodes) {
  for (const node of nodes) {
    yield node;
    for (const { nodes } of node.lists ?? []) yield* within(nodes);
  }
}

/** A set of locals. */
class Locals {
  constructor(words) {
    this.words = words;
  }
  static none(count) {
    return new Locals(new Uint32Array((count + 31) >> 5));
  }
  has(local) {
    return (this.words[local >> 5] >>> (local & 31)) & 1;
  }
  add(local) {
    this.words[local >> 5] |= 1 << (local & 31);
  }
  remove(local) {
    this.words[local >> 5] &= ~(1 << (local & 31));
  }
  copy() {
    return new Locals(this.words.slice());
  }
  or(other) {
    return new Locals(this.words.map((word, i) => word | other.words[i]));
  }
  and(other) {
    return new Locals(this.words.map((word, i) => word & other.words[i]));
  }
  is(other) {
    return this.words.every((word, i) => word === other.words[i]);
  }
}

/**
 * Which locals may still be read when `list` is at its node `from`. `after`: those that may when it has ended, `labels`: those
 * that may where a branch leads, the innermost last, the function's end first. Leaves the latter two in each list.
 */
function alive(list, from, after, labels) {
  list.after = after;
  list.labels = labels;
  const { nodes } = list;
  const none = () => Locals.none(after.words.length * 32);
  let live = list.falls ? after.copy() : none();
  for (let i = nodes.length - 1; i >= from; i -= 1) {
    const node = nodes[i];
    const at = (label) => labels.at(-1 - label);
    switch (node.code) {
      case GET:
        live.add(node.local);
        break;
      case SET:
      case TEE:
        live.remove(node.local);
        break;
      case UNREACHABLE:
      case RETURN:
        live = none();
        break;
      case BR:
        live = at(node.label).copy();
        break;
      case BR_IF:
        live = live.or(at(node.label));
        break;
      case BR_TABLE:
        live = node.labels.reduce((all, label) => all.or(at(label)), none());
        break;
      case BLOCK:
        live = alive(node.lists[0], 0, live, [...labels, live]);
        break;
      case IF: {
        const arms = node.lists.map((arm) => alive(arm, 0, live, [...labels, live]));
        live = arms[0].or(arms[1] ?? live);
        break;
      }
      case LOOP: {
        let again = none();
        for (;;) {
          const start = alive(node.lists[0], 0, live, [...labels, again]);
          if (start.is(again)) break;
          again = start;
        }
        // A copy, as the list keeps it and this goes on.
        live = again.copy();
        break;
      }
    }
  }
  return live;
}

/** Makes the end of a list, from a point on, a function; gives what stands in its place, or nothing where that is no gain. */
function extract(types, list, point, spare, add) {
  const region = { ...list, nodes: list.nodes.slice(point.at), points: [] };
  const size = bytes(region).length;
  if (size < CALL_COST + LEAST_GAIN) return undefined;

  // The ways out, by the label that a branch in the list itself would name. At a loop's end is a way that has no label.
  const FALL = -1;
  const outermost = list.carried.length - 1;
  const own = list.kind === LOOP ? FALL : 0;
  const exits = [];
  const leave = (label) => exits.includes(label) || exits.push(label);
  if (region.falls) leave(own);
  const written = Locals.none(types.length);
  const touched = new Set();
  const scan = (nodes, depth) => {
    for (const node of nodes) {
      if (node.local !== undefined) touched.add(node.local);
      if (node.code === SET || node.code === TEE) written.add(node.local);
      if (node.code === RETURN) leave(outermost);
      for (const label of node.labels ?? (node.label === undefined ? [] : [node.label])) if (label >= depth) leave(label - depth);
      node.lists?.forEach(({ nodes }) => scan(nodes, depth + 1));
    }
  };
  scan(region.nodes, 0);
  exits.sort((a, b) => (b === own) - (a === own));
  const carries = (exit) => (exit === FALL ? list.results : list.carried.at(-1 - exit));
  const values = exits.map(carries).find((types) => types.length) ?? [];
  const even = exits.every((exit) => same(carries(exit), values));
  if (!even && exits.some((exit) => carries(exit).length && !same(carries(exit), values))) return undefined;

  const afterwards = (exit) => (exit === FALL ? list.after : list.labels.at(-1 - exit));
  const members = (set) => [...touched].filter((local) => set.has(local)).sort((a, b) => types[b] - types[a] || a - b);
  const goesOn = exits.reduce((all, exit) => all.or(afterwards(exit)), Locals.none(types.length));
  const given = written.and(goesOn);
  const back = members(given);
  const needs = alive({ ...region }, 0, list.after.and(given), list.labels.map((live) => live.and(given)));
  // Reading the region again has left its own sets in its inner lists, which are gone from the function.
  const taken = members(needs);
  const choice = exits.length > 1 ? [I32] : [];
  const cost = CALL_COST + VALUE_COST * (taken.length + back.length) + (exits.length > 1 ? 2 + exits.length : 0);
  if (size < cost + LEAST_GAIN) return undefined;

  // The function. Around its code a block for each way out, the innermost for the first; after each what it gives back.
  const stack = point.stack;
  const parameters = [...stack, ...taken.map((local) => types[local])];
  const rest = [...touched].filter((local) => !taken.includes(local)).sort((a, b) => types[b] - types[a] || a - b);
  const place = new Map([...taken, ...rest].map((local, i) => [local, stack.length + i]));
  const results = [...values, ...choice, ...back.map((local) => types[local])];
  const way = (label, depth) => (label < depth ? label : depth + exits.indexOf(label - depth));
  const node = ({ code, local, label, labels }, depth) => {
    if (local !== undefined) return Buffer.from([code, ...leb(place.get(local))]);
    if (label !== undefined) return Buffer.from([code, ...leb(way(label, depth))]);
    if (labels) {
      const ways = labels.map((label) => way(label, depth));
      return Buffer.from([code, ...leb(ways.length - 1), ...ways.flatMap(leb)]);
    }
    return code === RETURN ? Buffer.from([BR, ...leb(depth + exits.indexOf(outermost))]) : undefined;
  };
  const blocks = [...exits].reverse().map((exit) => {
    const types = carries(exit);
    if (types.length > 1) return undefined;
    return [BLOCK, types[0] ?? 0x40];
  });
  if (blocks.includes(undefined)) return undefined;
  const parts = [Buffer.from(blocks.flat()), Buffer.from(stack.flatMap((_, i) => [GET, ...leb(i)])), bytes(region, { node })];
  exits.forEach((exit, i) => {
    const fill = values.length && !carries(exit).length ? values.flatMap((type) => CONST[type]) : [];
    const gives = [...fill, ...(choice.length ? constant(i) : []), ...back.flatMap((local) => [GET, ...leb(place.get(local))])];
    parts.push(Buffer.from([END, ...gives, ...(i + 1 < exits.length ? [RETURN] : [])]));
  });
  const code = body([...parameters, ...rest.map((local) => types[local])], parameters.length, Buffer.concat(parts));
  const index = add(parameters, results, code);

  // Its call, and how the function that it is from goes on.
  const call = [...taken.flatMap((local) => [GET, ...leb(local)]), CALL, ...leb(index), ...[...back].reverse().flatMap((local) => [SET, ...leb(local)])];
  return Buffer.from([...call, ...goOn(exits, own, carries, values, even, spare)]);
}

function goOn(exits, own, carries, values, even, spare) {
  if (exits.length === 0) return [UNREACHABLE];
  const branch = (exit) => (exit === own ? [] : [BR, ...leb(exit)]);
  if (exits.length === 1) return branch(exits[0]);
  const [first, ...others] = exits;
  if (even && first !== own) return [BR_TABLE, ...leb(others.length), ...exits.flatMap(leb)];
  if (even && others.length === 1) return [BR_IF, ...leb(others[0])];
  const chosen = spare(I32);
  const out = [SET, ...leb(chosen)];
  const is = (i) => [GET, ...leb(chosen), ...constant(i), 0x46];
  if (even) return [...out, ...others.flatMap((exit, i) => [...is(i + 1), BR_IF, ...leb(exit)])];
  const kept = values.map(spare);
  out.push(...[...kept].reverse().flatMap((local) => [SET, ...leb(local)]));
  const carried = (exit) => (carries(exit).length ? kept.flatMap((local) => [GET, ...leb(local)]) : []);
  out.push(...others.flatMap((exit, i) => [...is(i + 1), IF, 0x40, ...carried(exit), BR, ...leb(exit + 1), END]));
  return [...out, ...carried(first), ...branch(first)];
}
