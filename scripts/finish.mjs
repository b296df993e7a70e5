// What is left to do when Trunk has built the page. Trunk runs it (see Trunk.toml) and says in the environment where the
// page stands.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { cut } from '../app/parts/cut.mjs';
import { write } from './content.mjs';

const stage = process.env.TRUNK_STAGING_DIR;

const isRelease = process.env.TRUNK_PROFILE === 'release';

// The page within another one is the same program; an attribute of its root says so.
const built = readFileSync(join(stage, 'index.html'), 'utf8');
// The scripts are made smaller below, so what Trunk knows of their bytes holds no longer.
const index = isRelease ? twoSheets(built).replace(/^ *<!--.*-->\n/gm, '').replace(/(<script\b[^>]*) integrity="[^"]*"/g, '$1') : built;
writeFileSync(join(stage, 'index.html'), index);
const embed = index
  .replace('<html lang="en">', '<html lang="en" data-embed>')
  .replace(/^.*rel="manifest".*\n/m, '')
  .replace(/<meta name="sheet" content="(.*)">/, '<link rel="stylesheet" href="$1">')
  .replace('</title>', '</title>\n    <meta name="robots" content="noindex">');
writeFileSync(join(stage, 'embed.html'), embed);

// The pages name the folder `content/` and the text editor; they are called after what they hold, so that no cache mixes two
// builds.
const folder = write(stage);
const editor = `editor-${createHash('sha256').update(readFileSync(join(stage, 'editor.js'))).digest('hex').slice(0, 12)}.js`;
renameSync(join(stage, 'editor.js'), join(stage, editor));
const languages = readdirSync(join(stage, folder, 'words')).map((name) => name.replace(/\.txt$/, '')).sort().join(' ');
for (const name of readdirSync(stage).filter((name) => name.endsWith('.html'))) {
  const page = join(stage, name);
  const text = readFileSync(page, 'utf8')
    .replace(/(["'=])content\//g, `$1${folder}/`)
    .replace('name="editor" content="editor.js"', `name="editor" content="${editor}"`)
    .replace('name="languages" content="en"', `name="languages" content="${languages}"`);
  writeFileSync(page, text);
}

if (isRelease) {
  try {
    await cut(stage);
  } catch (error) {
    // In one part the page is slower to come, and no worse otherwise; `make size` will not have it.
    console.error(`The program stays in one part: ${error.message}`);
  }
}

if (isRelease) {
  for (const name of readdirSync(stage).filter((name) => /^(northsouth-app|boot)-.*\.js$/.test(name))) {
    const script = join(stage, name);
    writeFileSync(script, minified(readFileSync(script, 'utf8'), 'js'));
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

/** As small as it gets. The text editor's bundle is made by the same tool, and before the page. */
function minified(text, loader) {
  const { transformSync } = createRequire(new URL('../app/editor/package.json', import.meta.url))('esbuild');
  return transformSync(text, { loader, minify: true, target: 'es2022', legalComments: 'none' }).code;
}

/** The page with one style sheet in place of its many, and the name of another, which has those of what opens later. */
function twoSheets(page) {
  const [later] = /^ *<!-- Of what opens later[^]*/m.exec(page);
  const links = [...page.matchAll(/^ *<link rel="stylesheet" href="\.\/([^"]+)".*\n/gm)];
  const write = (part, links) => {
    const sheet = minified(links.map(([, name]) => readFileSync(join(stage, name), 'utf8')).join('\n'), 'css');
    const name = `northsouth-${part}-${createHash('sha256').update(sheet).digest('hex').slice(0, 12)}.css`;
    writeFileSync(join(stage, name), sheet);
    return name;
  };
  const first = write('first', links.filter(([link]) => !later.includes(link)));
  const rest = write('rest', links.filter(([link]) => later.includes(link)));
  for (const [, name] of links) rmSync(join(stage, name));
  const instead = `    <link rel="stylesheet" href="./${first}">\n    <meta name="sheet" content="./${rest}">\n`;
  return links.reduce((page, [link], i) => page.replace(link, i ? '' : instead), page);
}
