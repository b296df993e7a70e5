// Packages of the CLI, in a public player of SCORM 1.2 (scorm-again) and before a record store, whose statements a public
// validator checks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPage, start } from '../lib/browser.mjs';
import { serve } from '../../scripts/serve.mjs';

// Learning Locker's check of a statement before it is stored: a list of what is wrong.
const { default: wrongIn } = createRequire(import.meta.url)('@learninglocker/xapi-validation');

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const TOOL = at('../../target/debug/northsouth');
const DIST = process.env.DIST ?? at('../../dist');
const ITEMS = ['lesson/05-dnat', 'exercise/shadowed-route'];
const PLAYER = at('../node_modules/scorm-again/dist/scorm12.min.js');

let running;
const folder = mkdtempSync(join(tmpdir(), 'northsouth-'));
before(async () => {
  execFileSync('cargo', ['build', '--quiet', '--locked', '-p', 'northsouth-cli'], {
    cwd: at('../..'),
    env: { ...process.env, CARGO_TARGET_DIR: at('../../target') },
  });
  running = await start();
});
after(async () => {
  await running?.close();
  rmSync(folder, { recursive: true });
});

/** Makes a package, serves it, and opens one of its pages. */
async function packaged(name, options, prepare, tell) {
  const out = join(folder, name);
  execFileSync(TOOL, ['package', DIST, out, ...ITEMS, '--lang', 'en', ...options]);
  const page = await prepare(out);
  const server = await serve(out);
  const opened = await openPage({ browser: running.browser, url: server.url }, { locale: 'en-GB' });
  try {
    await opened.page.goto(server.url + page);
    await tell(opened.page, server.url, out);
    return opened.offences;
  } finally {
    await opened.context.close();
    await server.close();
  }
}

/** A page of a learning platform: the player's API, and an item in a frame. */
const PLATFORM = `<!doctype html><html lang="en"><title>Platform</title><link rel="icon" href="data:,">
<script src="scorm12.min.js"></script><script src="platform.js"></script>
<iframe title="item" style="width: 1400px; height: 860px"></iframe></html>`;
const SCRIPT = `
  window.API = new (window.Scorm12API ?? window.Scorm12API.default)({ autocommit: false, logLevel: 5 });
  window.faults = [];
  for (const call of ['LMSInitialize', 'LMSSetValue', 'LMSCommit', 'LMSFinish']) {
    const real = API[call].bind(API);
    API[call] = (...values) => {
      const answer = real(...values);
      if (API.LMSGetLastError() !== '0' && API.LMSGetLastError() !== 0) faults.push([call, ...values, API.LMSGetLastError()].join(' '));
      return answer;
    };
  }
  addEventListener('DOMContentLoaded', () => { document.querySelector('iframe').src = location.hash.slice(1); });`;

async function solve(frame, page) {
  const field = frame.locator('code-editor .cm-content');
  await field.getByText('172.20.1.144/28').click();
  await page.keyboard.press('Control+Shift+k');
  await frame.locator('.task').getByText('Solved.').waitFor();
}

test('completion and score reach a SCORM platform, and the manifest names what is there', { timeout: 120_000 }, async () => {
  const offences = await packaged('scorm', [], (out) => {
    copyFileSync(PLAYER, join(out, 'scorm12.min.js'));
    writeFileSync(join(out, 'platform.html'), PLATFORM);
    writeFileSync(join(out, 'platform.js'), SCRIPT);
    return 'platform.html#exercise-shadowed-route.html';
  }, async (page, url, out) => {
    const told = () => page.evaluate(() => [API.cmi.core.lesson_status, API.cmi.core.score.raw]);
    const frame = page.frameLocator('iframe').frameLocator('iframe');
    await frame.locator('.task').waitFor();
    assert.equal((await told())[0], 'incomplete');
    await solve(frame, page);
    await page.waitForFunction(() => API.cmi.core.lesson_status === 'passed');
    assert.deepEqual(await told(), ['passed', '100']);

    await page.goto(`${url}platform.html#lesson-05-dnat.html`);
    await page.reload();
    const card = page.frameLocator('iframe').frameLocator('iframe').locator('.tour');
    await card.waitFor();
    for (let stop = 1; stop < 4; stop += 1) await card.getByRole('button', { name: 'Next' }).click();
    await page.waitForFunction(() => API.cmi.core.lesson_status === 'completed');
    assert.deepEqual(await told(), ['completed', '100']);
    assert.deepEqual(await page.evaluate(() => faults), [], 'the player has no objection');

    const manifest = readFileSync(join(out, 'imsmanifest.xml'), 'utf8');
    const named = [...manifest.matchAll(/href="([^"]+)"/g)].map(([, name]) => name);
    assert.ok(named.length > 10);
    for (const name of named) assert.ok(existsSync(join(out, name)), name);
    for (const [, id] of manifest.matchAll(/identifierref="([^"]+)"/g)) assert.ok(manifest.includes(`identifier="${id}"`), id);
  });
  assert.deepEqual(offences, []);
});

test('one statement reaches the record store that launched', { timeout: 120_000 }, async () => {
  const statements = [];
  const store = createServer((request, response) => {
    const allowed = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'access-control-allow-methods': '*' };
    let body = '';
    request.on('data', (some) => { body += some; });
    request.on('end', () => {
      if (request.method === 'POST') statements.push({ path: request.url, headers: request.headers, body: JSON.parse(body) });
      response.writeHead(request.method === 'POST' ? 200 : 204, allowed).end('["00000000-0000-4000-8000-000000000000"]');
    });
  });
  await new Promise((done) => store.listen(0, '127.0.0.1', done));
  const actor = { objectType: 'Agent', mbox: 'mailto:ann@example.org' };
  const launch = new URLSearchParams({
    endpoint: `http://127.0.0.1:${store.address().port}/xapi/`,
    auth: 'Basic YTpi',
    actor: JSON.stringify(actor),
    registration: '760e3480-ba55-4991-94b0-01820dbd23a2',
  });
  try {
    await packaged('xapi', ['--xapi'], () => `exercise-shadowed-route.html?${launch}`, async (page) => {
      await solve(page.frameLocator('iframe'), page);
      for (let wait = 0; wait < 300 && statements.length === 0; wait += 1) await page.waitForTimeout(100);
      await page.waitForTimeout(1500);
    });
  } finally {
    store.closeAllConnections();
    await new Promise((done) => store.close(done));
  }
  assert.equal(statements.length, 1);
  const [{ path, headers, body }] = statements;
  assert.equal(path, '/xapi/statements');
  assert.equal(headers['x-experience-api-version'], '1.0.3');
  assert.equal(headers.authorization, 'Basic YTpi');
  assert.deepEqual(wrongIn(body), [], 'a record store has no objection');
  assert.equal(wrongIn({ ...body, verb: { id: 'passed' } }).length, 1, 'and would have one');
  // xAPI 1.0.3, part 2, 2.2 to 2.4: what a statement must hold, and nothing more of ours.
  assert.deepEqual(Object.keys(body).sort(), ['actor', 'context', 'object', 'result', 'verb']);
  assert.deepEqual(body.actor, actor);
  assert.equal(new URL(body.verb.id).protocol, 'http:');
  assert.equal(body.object.id, 'urn:northsouth:exercise:shadowed-route');
  assert.deepEqual(body.result, { completion: true, success: true, score: { scaled: 1, raw: 100, min: 0, max: 100 } });
  assert.deepEqual(body.context, { registration: launch.get('registration') });
});
