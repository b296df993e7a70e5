// The instructions of a function as a tree, and what they do to the stack
// (https://webassembly.github.io/spec/core/appendix/index-instructions.html).
import { Reader, instruction } from './wasm.mjs';

export const UNREACHABLE = 0x00;
export const BLOCK = 0x02;
export const LOOP = 0x03;
export const IF = 0x04;
export const ELSE = 0x05;
export const END = 0x0b;
export const BR = 0x0c;
export const BR_IF = 0x0d;
export const BR_TABLE = 0x0e;
export const RETURN = 0x0f;
export const CALL = 0x10;
export const CALL_INDIRECT = 0x11;
export const GET = 0x20;
export const SET = 0x21;
export const TEE = 0x22;

const TABLE_GROW = 0x10f;
const TABLE_SIZE = 0x110;
const TABLE_FILL = 0x111;

export const I32 = 0x7f;
export const FUNCREF = 0x70;
const TYPES = { i: I32, l: 0x7e, f: 0x7d, d: 0x7c };

// What the instructions from..to take and leave: `ll>i` takes two i64 and leaves an i32.
const EFFECTS = [
  [0x01, 0x01, '>'], [0x28, 0x28, 'i>i'], [0x29, 0x29, 'i>l'], [0x2a, 0x2a, 'i>f'], [0x2b, 0x2b, 'i>d'], [0x2c, 0x2f, 'i>i'],
  [0x30, 0x35, 'i>l'], [0x36, 0x36, 'ii>'], [0x37, 0x37, 'il>'], [0x38, 0x38, 'if>'], [0x39, 0x39, 'id>'], [0x3a, 0x3b, 'ii>'],
  [0x3c, 0x3e, 'il>'], [0x3f, 0x3f, '>i'], [0x40, 0x40, 'i>i'], [0x41, 0x41, '>i'], [0x42, 0x42, '>l'], [0x43, 0x43, '>f'],
  [0x44, 0x44, '>d'], [0x45, 0x45, 'i>i'], [0x46, 0x4f, 'ii>i'], [0x50, 0x50, 'l>i'], [0x51, 0x5a, 'll>i'], [0x5b, 0x60, 'ff>i'],
  [0x61, 0x66, 'dd>i'], [0x67, 0x69, 'i>i'], [0x6a, 0x78, 'ii>i'], [0x79, 0x7b, 'l>l'], [0x7c, 0x8a, 'll>l'], [0x8b, 0x91, 'f>f'],
  [0x92, 0x98, 'ff>f'], [0x99, 0x9f, 'd>d'], [0xa0, 0xa6, 'dd>d'], [0xa7, 0xa7, 'l>i'], [0xa8, 0xa9, 'f>i'], [0xaa, 0xab, 'd>i'],
  [0xac, 0xad, 'i>l'], [0xae, 0xaf, 'f>l'], [0xb0, 0xb1, 'd>l'], [0xb2, 0xb3, 'i>f'], [0xb4, 0xb5, 'l>f'], [0xb6, 0xb6, 'd>f'],
  [0xb7, 0xb8, 'i>d'], [0xb9, 0xba, 'l>d'], [0xbb, 0xbb, 'f>d'], [0xbc, 0xbc, 'f>i'], [0xbd, 0xbd, 'd>l'], [0xbe, 0xbe, 'i>f'],
  [0xbf, 0xbf, 'l>d'], [0xc0, 0xc1, 'i>i'], [0xc2, 0xc4, 'l>l'],
  // Those behind 0xfc, by 0x100 and their number.
  [0x100, 0x101, 'f>i'], [0x102, 0x103, 'd>i'], [0x104, 0x105, 'f>l'], [0x106, 0x107, 'd>l'], [0x10a, 0x10b, 'iii>'],
];
const EFFECT = new Map();
for (const [from, to, effect] of EFFECTS) {
  const [takes, leaves] = effect.split('>').map((types) => [...types].map((type) => TYPES[type]));
  for (let code = from; code <= to; code += 1) EFFECT.set(code, { takes, leaves });
}

/**
 * A function: `locals`, the types of its parameters and other locals, and its `list` of instructions.
 *
 * A list has `nodes`, those that can be reached; `falls`, whether its end can be; what a branch to the lists around it carries,
 * `carried`, the innermost last; and `points`, where what comes next in it may be reached or not: each with the types on the
 * list's stack there. What comes before a point in its list is always run before what comes after it, so instructions that
 * are never run end their list.
 */
export function read(m, signatureOf, body, type) {
  const r = new Reader(body);
  const locals = [...type.parameters];
  r.list(() => {
    const count = r.leb();
    const of = r.byte();
    for (let i = 0; i < count; i += 1) locals.push(of);
  });
  const blockType = (at) => {
    if (at === undefined) return { parameters: [], results: [] };
    return typeof at === 'number' ? m.types[at] : { parameters: [], results: [at.value] };
  };

  const list = (stack, carried, isArm) => {
    const nodes = [];
    const points = [];
    let reached = true;
    let point = isArm;
    for (;;) {
      const start = r.at;
      const op = instruction(r);
      if (op.code === END || op.code === ELSE) return { nodes, points, carried, falls: reached, kind: undefined, ended: op.code };
      if (reached && point) points.push({ at: nodes.length, stack: [...stack], id: undefined });
      point = false;
      const node = { ...op, head: body.subarray(start, r.at) };
      const pop = (types) => stack.splice(stack.length - types.length);
      if (op.code === BLOCK || op.code === LOOP || op.code === IF) {
        const { parameters, results } = blockType(op.type);
        if (op.code === IF) stack.pop();
        if (reached) pop(parameters);
        node.results = results;
        const inside = [...carried, op.code === LOOP ? parameters : results];
        const arm = (kind, isArm) => Object.assign(list([...parameters], inside, isArm), { kind, results });
        node.lists = [arm(op.code, op.code !== BLOCK)];
        if (node.lists[0].ended === ELSE) node.lists.push(arm(IF, true));
        if (reached) {
          nodes.push(node);
          stack.push(...results);
          point = true;
        }
        continue;
      }
      if (!reached) continue;
      nodes.push(node);
      switch (op.code) {
        case UNREACHABLE:
        case BR:
        case BR_TABLE:
        case RETURN:
          reached = false;
          break;
        case BR_IF:
          stack.pop();
          point = true;
          break;
        case CALL:
        case CALL_INDIRECT: {
          if (op.code === CALL_INDIRECT) stack.pop();
          const { parameters, results } = op.code === CALL ? signatureOf(op.callee.index) : m.types[op.type];
          pop(parameters);
          stack.push(...results);
          break;
        }
        case 0x1a:
          stack.pop();
          break;
        case 0x1b:
        case 0x1c:
          stack.splice(stack.length - 2);
          break;
        case GET:
          stack.push(locals[op.local]);
          break;
        case SET:
          stack.pop();
          break;
        case TEE:
          break;
        case 0x23:
          stack.push(m.globals[op.global].type[0]);
          break;
        case 0x24:
          stack.pop();
          break;
        case 0x25:
          stack.splice(-1, 1, m.tables[op.table].type);
          break;
        case 0x26:
          stack.splice(-2);
          break;
        case 0xd0:
          stack.push(node.head[1]);
          break;
        case 0xd1:
          stack.splice(-1, 1, I32);
          break;
        case 0xd2:
          stack.push(FUNCREF);
          break;
        case TABLE_GROW:
          stack.splice(-2, 2, I32);
          break;
        case TABLE_SIZE:
          stack.push(I32);
          break;
        case TABLE_FILL:
          stack.splice(-3);
          break;
        default: {
          const effect = EFFECT.get(op.code);
          if (!effect) throw new Error(`what 0x${op.code.toString(16)} does to the stack`);
          pop(effect.takes);
          stack.push(...effect.leaves);
        }
      }
    }
  };
  const all = list([], [type.results], true);
  return { locals, list: Object.assign(all, { kind: undefined, results: type.results }) };
}
