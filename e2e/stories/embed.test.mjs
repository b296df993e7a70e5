// Northsouth within pages of another origin (another port).
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { openPage, start } from '../lib/browser.mjs';
import { accessible } from '../lib/page.mjs';

let running;
before(async () => {
  running = await start();
});
after(() => running?.close());

/** A page of another origin with some markup in it: `{ page, offences, close }`. */
async function around(markup, options = {}) {
  const html = `<!doctype html><html lang="en"><title>A post</title><main><h1>A post</h1>
    <script src="${running.url}northsouth-embed.js" defer></script>${markup}</main></html>`;
  const server = createServer((request, response) => {
    if (request.url !== '/') return response.writeHead(204).end();
    return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { page, context, offences } = await openPage(running, options);
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  return {
    page,
    requests,
    // The page around is of another origin on purpose.
    offences: () => offences.filter((o) => !o.includes(`:${server.address().port}/`)),
    async close() {
      await context.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function inside(name, markup, options, tell) {
  test(name, { timeout: 120_000 }, async () => {
    const opened = await around(markup, options);
    try {
      await tell(opened);
      assert.deepEqual(opened.offences(), []);
    } finally {
      await opened.close();
    }
  });
}

const element = (page) => page.locator('north-south');
const frame = (page, at = 0) => page.locator('north-south').nth(at).locator('iframe').contentFrame();
/** Calls a method of the element. */
const call = (page, name, ...args) => element(page).evaluate((e, [name, args]) => e[name](...args), [name, args]);

inside('an element shows the scenario at its step, as high as its content', '<north-south scenario="article" step="12" label="The walk"></north-south>', {}, async ({ page, requests }) => {
  await frame(page).locator('.where').getByText('step 12 of').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY');
  assert.equal(await page.evaluate(() => scrollY), 0);
  assert.ok(!requests.some((url) => url.includes('editor')), 'no editor at first');
  await page.waitForFunction(() => {
    const height = document.querySelector('north-south').shadowRoot.querySelector('iframe').clientHeight;
    return height > 300 && height < 900 && height !== 480;
  });
  await accessible(page);
});

inside('step and theme may change later, and the theme follows the page around while it is to', '<north-south scenario="article" step="2" lang="en"></north-south>', {}, async ({ page }) => {
  await frame(page).locator('.where').getByText('step 2 of').waitFor();
  await element(page).evaluate((e) => e.setAttribute('step', '12'));
  await frame(page).locator('.where').getByText('step 12 of').waitFor();
  // As React sets it.
  await element(page).evaluate((e) => { e.step = '7'; });
  await frame(page).locator('.where').getByText('step 7 of').waitFor();
  await element(page).evaluate((e) => e.step(2));
  await frame(page).locator('.where').getByText('step 9 of').waitFor();
  const around = (scheme) => page.evaluate((scheme) => { document.documentElement.style.colorScheme = scheme; }, scheme);
  const theme = async () => (await call(page, 'getState')).theme;
  await around('dark');
  assert.equal(await theme(), 'auto');
  await element(page).evaluate((e) => e.setAttribute('theme', 'host'));
  assert.equal(await theme(), 'dark');
  await around('light');
  assert.equal(await theme(), 'light');
  await element(page).evaluate((e) => e.setAttribute('theme', 'dark'));
  await around('light dark');
  assert.equal(await theme(), 'dark');
});

inside('a narrow embed has the map too', '<north-south scenario="article" step="18" lang="en"></north-south>', { viewport: { width: 420, height: 800 } }, async ({ page }) => {
  await frame(page).locator('.map .drawer').getByText('Table nat, at hook PREROUTING').waitFor();
  // The packet is in sight from the first, and what the step means is told.
  await page.waitForFunction(() => document.querySelector('north-south').shadowRoot.querySelector('iframe').clientHeight > 500);
  let boxes;
  const inSight = ([pane, tag]) => tag.y >= pane.y && tag.y + tag.height <= pane.y + pane.height + 1;
  for (let tries = 0; tries < 50 && !(boxes && inSight(boxes)); tries += 1) {
    boxes = await Promise.all(['.map-scroll', '.map .tag'].map((at) => frame(page).locator(at).boundingBox()));
    await page.waitForTimeout(100);
  }
  assert.ok(inSight(boxes), JSON.stringify(boxes));
  assert.match(await frame(page).locator('.embed-line span').textContent(), /^\w.{20,}\.$/);
  await accessible(page);
});

inside('the page around steps, plays, loads and is told', '<north-south scenario="article"></north-south>', {}, async ({ page }) => {
  await page.evaluate(() => {
    globalThis.events = [];
    for (const name of ['ready', 'step', 'edit', 'goal']) {
      document.querySelector('north-south').addEventListener(name, ({ detail }) => globalThis.events.push([name, detail.step]));
    }
  });
  const first = await call(page, 'getState');
  assert.equal(first.step, 0);
  assert.ok(first.steps > 20 && first.link.startsWith('1.deflate.'), JSON.stringify(first));
  assert.equal((await call(page, 'step', 3)).step, 3);
  assert.equal((await call(page, 'step', -1)).step, 2);
  assert.equal((await call(page, 'setState', { lang: 'zh-CN', theme: 'dark', step: 5 })).lang, 'zh-CN');
  await frame(page).getByText('第 6 步').first().waitFor();
  assert.equal(await frame(page).locator('html').getAttribute('data-theme'), 'dark');
  assert.equal((await call(page, 'play')).playing, true);
  assert.equal((await call(page, 'pause')).playing, false);
  assert.equal((await call(page, 'load', { link: first.link })).step, 0);
  await assert.rejects(call(page, 'load', { link: '1.deflate.AAAA' }), /截断/);
  await assert.rejects(call(page, 'load', { scenario: 'nowhere' }), /nowhere/);
  const events = await page.evaluate(() => globalThis.events);
  assert.ok(events.some(([name, step]) => name === 'step' && step === 5), JSON.stringify(events));
});

inside('an embed rests off the screen and is fetched when it comes near', '<div style="height: 9000px">A long text</div><north-south scenario="article" autoplay></north-south>', {}, async ({ page, requests }) => {
  await page.waitForTimeout(500);
  assert.ok(!requests.some((url) => url.includes('embed.html')), 'nothing is fetched yet');
  await element(page).scrollIntoViewIfNeeded();
  await frame(page).locator('.where').getByText(/step ([2-9]|\d\d) of/).waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  // It notices in its own time; then it stays where it is for longer than a step takes.
  let [was, now] = [-1, -2];
  for (let looks = 0; looks < 6 && was !== now; looks += 1) {
    was = now;
    ({ step: now } = await call(page, 'getState'));
    await page.waitForTimeout(2500);
  }
  assert.equal((await call(page, 'getState')).step, was);
});

inside('several embeds share the download', '<north-south scenario="article"></north-south><north-south scenario="article" collapsed></north-south>', {}, async ({ page }) => {
  await frame(page, 0).locator('.where').getByText('step 1 of').waitFor();
  await frame(page, 1).getByRole('button', { name: 'Show the walk' }).click();
  await frame(page, 1).locator('.where').getByText('step 1 of').waitFor();
  const programs = (at) => frame(page, at).locator('html').evaluate(() =>
    [...new Set(performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.endsWith('.wasm')))].sort());
  assert.deepEqual(await programs(1), await programs(0));
});

inside('calls of another origin than the one named are not heard', '', {}, async ({ page }) => {
  const state = await page.evaluate(async (base) => {
    const frame = document.createElement('iframe');
    frame.title = 'x';
    frame.src = `${base}embed.html#scenario=article&origin=${encodeURIComponent('https://example.org')}`;
    document.body.append(frame);
    await new Promise((done) => { frame.onload = done; });
    await new Promise((done) => setTimeout(done, 2000));
    return new Promise((done) => {
      addEventListener('message', ({ data }) => done(data));
      frame.contentWindow.postMessage({ northsouth: 1, call: 'getState', id: 1 }, '*');
      setTimeout(() => done('silence'), 1000);
    });
  }, running.url);
  assert.equal(state, 'silence');
});

inside('an editable embed takes an edit and tells it', '<north-south scenario="article" editable></north-south>', {}, async ({ page }) => {
  await page.evaluate(() => {
    globalThis.edited = new Promise((done) => document.querySelector('north-south').addEventListener('edit', ({ detail }) => done(detail.link)));
  });
  await frame(page).getByRole('button', { name: 'Files' }).click();
  const text = frame(page).locator('code-editor .cm-content');
  await text.click();
  await page.keyboard.type('# mine\n');
  assert.match(await page.evaluate(() => globalThis.edited), /^1\.deflate\./);
});

test('an embed by its address alone: no controls, another language, accessible', { timeout: 120_000 }, async () => {
  const { page, context, offences } = await openPage(running, { viewport: { width: 600, height: 500 } });
  await page.goto(`${running.url}embed.html#scenario=article&controls=off&lang=zh-CN&theme=dark`);
  await page.locator('.embed-line').waitFor();
  assert.equal(await page.locator('.controls').count(), 0);
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  await accessible(page);
  assert.equal(await page.evaluate(() => localStorage.length), 0, 'an embed keeps nothing');
  assert.deepEqual(offences, []);
  await context.close();
});

inside('a lesson goes with its map, and its questions work', '<north-south lesson="05-dnat" lang="zh-CN" label="A lesson"></north-south>', {}, async ({ page }) => {
  const lesson = frame(page);
  await lesson.getByRole('heading', { name: 'DNAT 与 conntrack：去和回' }).waitFor();
  await lesson.getByRole('radio').nth(2).check();
  await lesson.getByText('正确。').waitFor();
  for (let at = 2; at <= 4; at += 1) await lesson.getByRole('button', { name: '下一段' }).click();
  const link = lesson.getByRole('link', { name: /连得上/ });
  assert.match(await link.getAttribute('href'), /index\.html#\/exercise=it-opens-and-never-answers$/);
  await accessible(page);
});

/** The snippet of a name, as the dialog writes it. */
async function snippet(label) {
  const { page, context } = await openPage(running);
  try {
    await page.goto(running.url);
    await page.getByRole('button', { name: 'Share' }).click();
    await page.getByRole('button', { name: 'In another page…' }).click();
    await page.getByRole('radio', { name: label }).check();
    await accessible(page);
    return await page.getByRole('textbox', { name: label }).inputValue();
  } finally {
    await context.close();
  }
}

test('a picture and a table stand in another page without script and frame', { timeout: 120_000 }, async () => {
  const still = await snippet('As a picture and a table, without script and frame');
  assert.ok(!/<script|<iframe|\n\n/.test(still));
  assert.match(still, /<caption>The article.s request</);
  const { page, offences, close } = await around(`<style>.box { color: rgb(120, 0, 0) }</style><p class="box">Mine</p>${still}`, { colorScheme: 'dark' });
  try {
    const picture = page.locator('figure svg:visible');
    await picture.getByText('PREROUTING').waitFor();
    assert.match(await picture.locator('desc').textContent(), /^step 1 of \d+ · client/);
    // Its colours are its own: dark for this reader, and not those of the page around, which keeps its own as well.
    assert.equal(await picture.locator('.paper').evaluate((e) => getComputedStyle(e).fill), 'rgb(21, 23, 28)');
    assert.equal(await page.locator('p.box').evaluate((e) => getComputedStyle(e).color), 'rgb(120, 0, 0)');
    const rows = await page.locator('td:first-child').allTextContents();
    assert.ok(rows.length > 20 && rows.length < 80, `${rows.length}`);
    assert.match(await page.getByRole('link').getAttribute('href'), /#w=1\.deflate\./);
    await accessible(page);
    // On a phone it is another drawing, whose letters are as large.
    const letters = () => picture.locator('text', { hasText: 'PREROUTING' }).first().evaluate((e) => e.getBoundingClientRect().height);
    const wide = await letters();
    await page.setViewportSize({ width: 390, height: 844 });
    assert.equal(await picture.count(), 1);
    assert.ok(await letters() > 0.9 * wide, `${await letters()} of ${wide}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
    await accessible(page);
    assert.deepEqual(offences().filter((o) => !o.includes('northsouth-embed.js')), []);
  } finally {
    await close();
  }
});

test('every snippet is called after what it shows', { timeout: 120_000 }, async () => {
  for (const [label, words] of [['As an element', /scenario="article" .* label="The article.s request"/], ['As a frame', /#scenario=article.*\n.*title="The article.s request"/]]) {
    assert.match(await snippet(label), words);
  }
});

inside('the page around is told when an exercise is solved', '<north-south exercise="what-the-pod-sees" lang="en" label="An exercise"></north-south>', {}, async ({ page }) => {
  await page.evaluate(() => {
    globalThis.goals = 0;
    document.querySelector('north-south').addEventListener('goal', () => { globalThis.goals += 1; });
  });
  // Events go to a page that has spoken, so that the embed knows whom it talks to.
  await call(page, 'getState');
  const task = frame(page).locator('.task');
  const answers = ['192.168.0.17', '31061', 'KUBE-SEP-EW7YLHH65NRUVIFQ'];
  for (const [at, answer] of answers.entries()) {
    await task.getByLabel('Your answer').nth(at).fill(answer);
    await task.getByLabel('Your answer').nth(at).press('Enter');
  }
  assert.equal(await page.evaluate(() => globalThis.goals), 0);
  await task.getByRole('radio').first().check();
  await page.waitForFunction(() => globalThis.goals === 1, null, { timeout: 10_000 });
});
