// What Lighthouse makes of the built page on its mobile profile: `make lighthouse`. Three categories depend on the page alone
// and must be whole; performance depends on the machine as well, so it is told, with what it is made of.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { serve } from '../scripts/serve.mjs';
import { findChromium } from './lib/chromium.mjs';

const GOALS = { performance: 95, accessibility: 100, 'best-practices': 100, seo: 100 };
const MACHINE = 'performance';
const METRICS = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift', 'speed-index', 'total-byte-weight'];

const load = createRequire(new URL('../.tools/', import.meta.url));
const { default: lighthouse } = await import(pathToFileURL(load.resolve('lighthouse')));
const { launch } = createRequire(load.resolve('lighthouse'))('chrome-launcher');

const dist = process.env.DIST ?? fileURLToPath(new URL('../dist', import.meta.url));
const server = await serve(dist, 0, '/', { packed: true });
// A host has packed its files before they are asked for.
for (const name of readdirSync(dist, { recursive: true }).filter((name) => /\.\w+$/.test(name))) await (await fetch(server.url + name)).arrayBuffer();
const chrome = await launch({ chromePath: findChromium(), chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
const { lhr } = await lighthouse(server.url, { port: chrome.port, output: 'json', logLevel: 'error', onlyCategories: Object.keys(GOALS) });
await chrome.kill();
await server.close();

for (const [name, goal] of Object.entries(GOALS)) {
  const score = Math.round(100 * (lhr.categories[name].score ?? 0));
  console.log(`${name}: ${score} (goal ${goal})`);
  const short = ({ id, weight }) => weight && lhr.audits[id].score !== null && lhr.audits[id].score < 0.9;
  for (const { id } of lhr.categories[name].auditRefs.filter(short)) console.log(`  ${id}: ${lhr.audits[id].displayValue ?? lhr.audits[id].title}`);
  if (score < goal && name !== MACHINE) process.exitCode = 1;
}
for (const id of METRICS) console.log(`  ${id}: ${lhr.audits[id]?.displayValue}`);
if (lhr.runtimeError) {
  console.error(lhr.runtimeError.message);
  process.exitCode = 1;
}
