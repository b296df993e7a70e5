// Packs what the page fetches when it needs it: the files of content/ and the model's sentences. Run by Trunk after each
// build; `core/src/content.rs` reads the packs.
//
//   words/LANGUAGE     sentences
//   A/B                all of content/A/B/
//   A                  content/A/*/A.yaml without the plural's s, where there are such: titles for a list
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const folders = (dir) => readdirSync(dir, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name).sort();

/** The files of `dir` below it, as `[path, text]` with `name` before the path. */
function files(dir, name) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(dir.length + 1).replaceAll('\\', '/'))
    .sort()
    .map((path) => [`${name}/${path}`, readFileSync(join(dir, path), 'utf8')]);
}

const pack = (files) => files.map(([path, text]) => `${path} ${Buffer.byteLength(text)}\n${text}\n`).join('');

/** All packs by name. */
export function packs(root = ROOT) {
  const all = new Map();
  const words = join(root, 'core/src/words');
  for (const lang of folders(words)) all.set(`words/${lang}`, files(join(words, lang), `words/${lang}`));
  const content = join(root, 'content');
  for (const kind of folders(content)) {
    const head = `${kind.replace(/s$/, '')}.yaml`;
    const heads = [];
    for (const name of folders(join(content, kind))) {
      const inside = files(join(content, kind, name), `${kind}/${name}`);
      all.set(`${kind}/${name}`, inside);
      heads.push(...inside.filter(([path]) => path === `${kind}/${name}/${head}`));
    }
    if (heads.length) all.set(kind, heads);
  }
  return new Map([...all].map(([name, files]) => [name, pack(files)]));
}

/** Writes the packs below `dir`, in a folder named for what they hold, and returns its name. */
export function write(dir) {
  const all = packs();
  const hash = createHash('sha256').update(JSON.stringify([...all])).digest('hex').slice(0, 12);
  const folder = `content-${hash}`;
  for (const [name, text] of all) {
    const to = join(dir, folder, `${name}.txt`);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, text);
  }
  return folder;
}
