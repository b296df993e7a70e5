// What is left to do when Trunk has built the page. Trunk runs it (see Trunk.toml) and says in the environment where the
// page stands.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { write } from './content.mjs';

const stage = process.env.TRUNK_STAGING_DIR;

// The pages name the folder `content/`; it is called after what it holds, so that no cache mixes two builds.
const folder = write(stage);
for (const name of readdirSync(stage).filter((name) => name.endsWith('.html'))) {
  const page = join(stage, name);
  writeFileSync(page, readFileSync(page, 'utf8').replace(/(["'=])content\//g, `$1${folder}/`));
}
