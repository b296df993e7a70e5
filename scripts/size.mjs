// Weighs the built page, and fails when it is over its budget.
//
//   node scripts/size.mjs [directory]
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

// Ceilings. The first load, which should only get less, is all that is fetched until the default scenario can be played: 300 kB
// with gzip, and some room for what differs from one machine's build to another's.
const isFirst = (name) => !EDITOR.test(name) && !LATER.test(name);
const CEILINGS = [
  { what: 'first load', unit: 'gzip', most: 302_000, of: isFirst },
  { what: 'first load', unit: 'brotli', most: 244_500, of: isFirst },
  { what: 'text editor', unit: 'brotli', most: 200_000, of: (name) => EDITOR.test(name) },
  { what: 'page without the text editor', unit: 'gzip', most: 2_335_000, of: (name) => !EDITOR.test(name) },
];
// Loaded after first paint, and only where there are editors to fill.
const EDITOR = /(^|\/)editor/;
// Fetched when something needs it: the program's second part with its looks, and content but a language's first words; or by
// who installs or embeds the page.
const LATER = /-rest-|^content-[^/]*\/(?!words\/en-heard\.txt)|^embed\.html|^northsouth-embed|^sw\.js|\.png$|\.webmanifest$/;

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

for (const { what, unit, most, of } of CEILINGS) {
  const weight = sum(what, files.filter(({ name }) => of(name)))[unit];
  const verdict = weight <= most ? 'within' : 'OVER';
  console.log(`${what}: ${weight} bytes ${unit}, ${verdict} its ceiling of ${most}`);
  if (weight > most) process.exitCode = 1;
}
