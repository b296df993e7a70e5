// Has the built program prepare the default scenario and cuts it in two: what that takes to be shown and played, found by
// playing it, comes first; all else is fetched after the first paint, or when something calls it (app/boot/boot.js). Functions
// that are run in part are cut as well, and so are the constants.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Constants, heard } from './data.mjs';
import { outline, watched } from './outline.mjs';
import { shortened, sorted } from './pack.mjs';
import { prepared } from './prepare.mjs';
import { split } from './split.mjs';
import { names, parse } from './wasm.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
// Left there by the linker (app/build.rs).
const MAP = join(process.env.CARGO_TARGET_DIR ?? join(HERE, '../../target'), 'wasm32-unknown-unknown/wasm/northsouth-app.map');
// What rustc's wasm32 target has on.
const FEATURES = ['bulk-memory', 'multivalue', 'mutable-globals', 'nontrapping-float-to-int', 'reference-types', 'sign-ext'];
// Of the parts only: `wasm-opt` reckons with addresses and places in the table as with any numbers, after which they can't be
// told. What stretches of data there are is decided here (prepare.mjs, data.mjs).
const SMALL = ['-Oz', '--skip-pass=memory-packing', '--strip-debug', '--strip-producers', '--strip-target-features'];
// What the page fetches for the default scenario where the program is not prepared.
const PACK = /^ *<link rel="preload" href="([^"]*\/scenarios\/\w+\.txt)".*\n/m;

function setUp() {
  const done = join(HERE, 'node_modules/.installed');
  const lock = join(HERE, 'package-lock.json');
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs) return;
  execFileSync('npm', ['ci', '--silent', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: HERE });
  writeFileSync(done, '');
}

/** Replaces the one place in a text. */
function replace(text, place, by) {
  const found = text.split(place);
  if (found.length !== 2) throw new Error(`${found.length - 1} places for ${place}`);
  return found.join(by);
}

/** Writes of each language's sentences those that were heard into a pack of their own. */
function hear(folder, whole, marks) {
  const constants = parse(whole).data[0].bytes;
  for (const name of readdirSync(folder)) {
    const language = name.replace('.txt', '');
    const pack = heard(readFileSync(join(folder, name), 'utf8'), `words/${language}`, constants, marks.subarray(-constants.length));
    writeFileSync(join(folder, `${language}-heard.txt`), pack);
  }
}

/** Cuts the program in the folder `stage`, and makes its pages load the parts. */
export async function cut(stage) {
  setUp();
  const named = (end) => readdirSync(stage).find((name) => name.endsWith(end));
  const name = named('_bg.wasm');
  const glue = join(stage, name.replace('_bg.wasm', '.js'));
  const [, pack] = PACK.exec(readFileSync(join(stage, 'index.html'), 'utf8'));
  const built = readFileSync(join(stage, name));
  const whole = prepared(built, readFileSync(join(stage, pack)));
  // Which way the allocator goes depends on all that was allocated before, and which keys a hash table compares on its hashes'
  // seed, which does as well: that is never the same twice.
  const called = names(built);
  const byChance = (index) => /dlmalloc|hashbrown.*(::find|equivalent_key)/.test(called.get(index));
  const temp = mkdtempSync(join(tmpdir(), 'northsouth-'));
  try {
    const { bytes, base, count } = watched(whole);
    const [program, module] = [join(temp, 'watched.wasm'), join(temp, 'glue.mjs')];
    writeFileSync(program, bytes);
    copyFileSync(glue, module);
    const marks = execFileSync(process.execPath, [join(HERE, 'rehearse.mjs'), stage, module, program, base, count], { maxBuffer: 1 << 24 });
    hear(join(stage, dirname(dirname(pack)), 'words'), whole, marks);
    const parts = Object.entries(split(outline(whole, marks, new Constants(readFileSync(MAP, 'utf8')), byChance)));
    const small = await Promise.all(parts.map(async ([part, bytes]) => {
      const [from, to] = [join(temp, `${part}.wasm`), join(temp, `${part}.small.wasm`)];
      writeFileSync(from, bytes);
      await promisify(execFile)('wasm-opt', [...FEATURES.map((f) => `--enable-${f}`), ...SMALL, from, '-o', to]);
      return [part, sorted(readFileSync(to))];
    }));
    const first = small.find(([part]) => part === 'first');
    const short = shortened(first[1], readFileSync(glue, 'utf8'));
    first[1] = short.bytes;
    // Parts of two cuts must never meet in a cache.
    const hash = small.reduce((hash, [, bytes]) => hash.update(bytes), createHash('sha256')).digest('hex').slice(0, 12);
    const file = (part) => `northsouth-${part}-${hash}.wasm`;
    for (const [part, bytes] of small) writeFileSync(join(stage, file(part)), bytes);
    rmSync(join(stage, name));
    const imports = '    return {\n        __proto__: null,\n        "./northsouth-app_bg.js"';
    writeFileSync(glue, replace(short.glue, imports, imports.replace('null,', 'null,\n        parts: { rest: () => globalThis.northsouthRest(wasm) },')));
    for (const page of readdirSync(stage).filter((name) => name.endsWith('.html'))) {
      const html = readFileSync(join(stage, page), 'utf8').replace(PACK, '').replaceAll(name, file('first'));
      writeFileSync(join(stage, page), replace(html, '<meta name="content"', `<meta name="rest" content="${file('rest')}">\n    <meta name="content"`));
    }
  } finally {
    rmSync(temp, { recursive: true });
  }
}
