// What is left to do when Trunk has built the page. Trunk runs it (see Trunk.toml) and says in the environment where the
// page stands.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cut } from '../app/parts/cut.mjs';
import { write } from './content.mjs';

const stage = process.env.TRUNK_STAGING_DIR;

// The page within another one is the same program; an attribute of its root says so.
const index = readFileSync(join(stage, 'index.html'), 'utf8');
const embed = index
  .replace('<html lang="en">', '<html lang="en" data-embed>')
  .replace(/^.*rel="manifest".*\n/m, '')
  .replace('</title>', '</title>\n    <meta name="robots" content="noindex">');
writeFileSync(join(stage, 'embed.html'), embed);

// The pages name the folder `content/`; it is called after what it holds, so that no cache mixes two builds.
const folder = write(stage);
for (const name of readdirSync(stage).filter((name) => name.endsWith('.html'))) {
  const page = join(stage, name);
  writeFileSync(page, readFileSync(page, 'utf8').replace(/(["'=])content\//g, `$1${folder}/`));
}

if (process.env.TRUNK_PROFILE === 'release') {
  try {
    await cut(stage);
  } catch (error) {
    // In one part the page is slower to come, and no worse otherwise; `make size` will not have it.
    console.error(`The program stays in one part: ${error.message}`);
  }
}

// The service worker keeps all files. A build with another file is another version.
const files = readdirSync(stage, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && entry.name !== 'sw.js')
  .map((entry) => relative(stage, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'))
  .sort();
const hash = createHash('sha256');
for (const file of files) hash.update(file).update(readFileSync(join(stage, file)));
const worker = readFileSync(new URL('../app/boot/sw.js', import.meta.url), 'utf8')
  .replace('@VERSION@', hash.digest('hex').slice(0, 16))
  .replace("'@FILES@'", files.map((file) => JSON.stringify(`./${file}`)).join(', '));
writeFileSync(join(stage, 'sw.js'), worker);
