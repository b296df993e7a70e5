// The program comes in two parts (app/parts/). A page of a debug build is in one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, start } from '../lib/browser.mjs';
import { loaded } from '../lib/page.mjs';

let running;
before(async () => {
  running = await start();
});
after(() => running?.close());

const SECOND = '**/northsouth-rest-*';

/**
 * The page where its second part can't be had, or with `hold`, not before that: a call that can't wait then never comes back.
 * The style sheet that comes with it is held by `sheet`. Nothing where the page has but one part.
 */
async function firstPartOnly(options, hold, sheet = hold) {
  const { page, context, offences } = await openPage(running, options);
  const held = (route) => (route.request().url().endsWith('.css') ? sheet : hold).then(() => route.continue());
  const answered = hold ? held : (route) => route.fulfill({ status: 404, body: '' });
  await page.route(SECOND, answered);
  // Most people read more than one.
  await page.addInitScript(() => {
    const all = ['eo', navigator.language, navigator.language.slice(0, 2)];
    Object.defineProperty(navigator, 'languages', { get: () => all });
  });
  await page.goto(running.url);
  if ((await page.locator('meta[name=rest]').count()) === 0) return void (await context.close());
  await loaded(page);
  return { page, context, offences };
}

for (const locale of ['en-GB', 'zh-CN']) {
  for (const width of [1440, 390]) {
    test(`the default scenario plays without the second part, ${width} pixels wide, ${locale}`, { timeout: 120_000 }, async () => {
      const only = await firstPartOnly({ locale, viewport: { width, height: 820 } }, new Promise(() => {}));
      if (!only) return;
      const { page, context, offences } = only;
      await page.locator('.play').click();
      await page.waitForTimeout(1500);
      await page.locator('.play').click();
      // Playing goes by the clock, so the rest of the way is gone by hand.
      await page.evaluate(async () => {
        const press = async (button) => {
          button.click();
          await new Promise(requestAnimationFrame);
        };
        const forward = () => document.querySelector('.controls > .play + button');
        while (!forward().disabled) await press(forward());
        await press(document.querySelector('.controls > .icon'));
        for (const button of document.querySelectorAll('.strides button, .packets button')) await press(button);
      });
      await page.locator('.step-back').click();
      await page.locator('.controls > .icon').first().click();
      await page.getByRole('slider').focus();
      for (const key of ['End', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key);
      assert.equal(await page.locator('#failure').isVisible(), false);
      assert.deepEqual(offences, []);
      await context.close();
    });
  }
}

for (const [width, colorScheme] of [[1440, 'light'], [1024, 'light'], [390, 'dark']]) {
  test(`the first style sheet has all of the first picture, ${width} pixels wide`, { timeout: 120_000 }, async () => {
    let come;
    const sheet = new Promise((resolve) => { come = resolve; });
    const only = await firstPartOnly({ colorScheme, reducedMotion: 'reduce', viewport: { width, height: 820 } }, new Promise(() => {}), sheet);
    if (!only) return;
    const { page, context, offences } = only;
    // What is far off the screen is laid out when someone asks for its look.
    await page.evaluate(() => {
      const drawn = [...document.querySelectorAll('body, body *')].filter((element) => element.checkVisibility({ contentVisibilityAuto: true }));
      globalThis.looks = () => drawn.map((element) => {
        const style = getComputedStyle(element);
        return [element.outerHTML.slice(0, 100), [...style].map((name) => `${name}: ${style.getPropertyValue(name)}`).join('\n')];
      });
    });
    const before = await page.evaluate(() => globalThis.looks());
    come();
    await page.waitForFunction(() => document.styleSheets.length === 2);
    const after = await page.evaluate(() => globalThis.looks());
    before.forEach(([element, look], i) => assert.equal(after[i][1], look, element));
    assert.ok(before.length > 200);
    assert.deepEqual(offences, []);
    await context.close();
  });
}

test('what needs the second part waits for it', { timeout: 60_000 }, async () => {
  let come;
  const only = await firstPartOnly({}, new Promise((resolve) => { come = resolve; }));
  if (!only) return;
  const { page, context, offences } = only;
  await page.locator('.map .box').first().hover();
  await page.keyboard.press('?');
  await page.getByRole('tab').nth(1).click();
  await page.waitForTimeout(300);
  assert.equal(await page.locator('dialog[open]').count(), 0);
  come();
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('[role=tab][aria-selected=true]').and(page.getByRole('tab').nth(1)).waitFor();
  assert.deepEqual(offences, []);
  await context.close();
});

test('where the second part is needed and does not come, the page says so', { timeout: 60_000 }, async () => {
  const only = await firstPartOnly();
  if (!only) return;
  const { page, context } = only;
  await page.keyboard.press('?');
  const failure = page.locator('#failure');
  await failure.waitFor();
  assert.match(await failure.textContent(), /second part, northsouth-rest-\w+\.wasm, could not be fetched/);
  assert.match(await failure.textContent(), /reload the page/);
  await context.close();
});
