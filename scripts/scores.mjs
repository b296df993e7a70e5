// Keeps the scores that the tests print for the page "How we know": content/how/scores/scores.txt.
//
//   node scripts/scores.mjs LOG    LOG has lines `SUITE/PART: N of M`; fails where the kept ones were others, and mends them
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../content/how/scores/', import.meta.url));

// Not the tests of the measures themselves, nor of recordings that do not come with every clone.
const LEFT_OUT = /^(?:itself|gateway-api|istio-iptables)\//;

const log = readFileSync(process.argv[2], 'utf8');
const lines = log.match(/^[a-z][a-z-]*(?:\/[^\n: ]+)?: \d+ of \d+$/gm) ?? [];
const now = [...new Set(lines)].filter((line) => !LEFT_OUT.test(line)).sort().map((line) => `${line}\n`).join('');
let kept = '';
try {
  kept = readFileSync(`${FOLDER}scores.txt`, 'utf8');
} catch {
  mkdirSync(FOLDER, { recursive: true });
}
if (now !== kept) {
  writeFileSync(`${FOLDER}scores.txt`, now);
  console.log('content/how/scores/scores.txt did not say what the tests print; it does now: build and commit');
  process.exit(1);
}
