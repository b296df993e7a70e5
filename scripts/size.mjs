// Weighs the built page, and fails when it is over its budget.
//
//   node scripts/size.mjs [directory]
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

// What the whole page may weigh. It only ever comes down: the goal is 300 kB, and the model's readers are what is left to shrink.
const GOAL_GZIP = 300_000;
const BUDGET_GZIP = 850_000;
// Loaded after first paint, and only where there are editors to fill.
const EDITOR = /(^|\/)editor/;

const [directory = 'dist'] = process.argv.slice(2);

function weigh(name) {
  const bytes = readFileSync(join(directory, name));
  return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length };
}

function sum(name, files) {
  const add = (unit) => files.reduce((total, file) => total + file[unit], 0);
  return { name, raw: add('raw'), gzip: add('gzip'), brotli: add('brotli') };
}

const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
  .map((entry) => weigh(relative(directory, join(entry.path, entry.name))));
const page = files.filter(({ name }) => !EDITOR.test(name));
const editor = files.filter(({ name }) => EDITOR.test(name));
const kinds = [...new Set(page.map(({ name }) => extname(name)))].sort();
const total = sum('page', page);

const rows = [
  ...[...page, ...editor].sort((a, b) => b.raw - a.raw),
  ...kinds.map((kind) => sum(`all ${kind}`, page.filter(({ name }) => extname(name) === kind))),
  total,
  ...(editor.length ? [sum('text editor', editor)] : []),
];
const width = Math.max(...rows.map(({ name }) => name.length));
const cell = (value) => String(value).padStart(10);
console.log(`${'bytes'.padEnd(width)}${['raw', 'gzip', 'brotli'].map(cell).join('')}`);
for (const { name, raw, gzip, brotli } of rows) console.log(`${name.padEnd(width)}${[raw, gzip, brotli].map(cell).join('')}`);

const verdict = total.gzip <= BUDGET_GZIP ? 'within' : 'OVER';
console.log(`page without the text editor: ${total.gzip} bytes gzip, ${verdict} the budget of ${BUDGET_GZIP} (goal: ${GOAL_GZIP})`);
if (verdict === 'OVER') process.exitCode = 1;
