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

const SECOND = '**/northsouth-rest-*.wasm';

/** The page where its second part can't be had, or nothing where it has but one. */
async function firstPartOnly() {
  const { page, context } = await openPage(running);
  let asked = 0;
  await page.route(SECOND, (route) => {
    asked += 1;
    return route.fulfill({ status: 404, body: '' });
  });
  await page.goto(running.url);
  if ((await page.locator('meta[name=rest]').count()) === 0) return void (await context.close());
  await loaded(page);
  return { page, context, asked: () => asked };
}

test('the default scenario plays without the second part', { timeout: 60_000 }, async () => {
  const only = await firstPartOnly();
  if (!only) return;
  const { page, context, asked } = only;
  const forward = page.locator('.controls > .play + button');
  for (let i = 0; i < 200 && !(await forward.isDisabled()); i += 1) await forward.click();
  assert.equal(await forward.isDisabled(), true, 'it plays to its end');
  for (let i = 0; i < 3; i += 1) await page.locator('.controls .step-back').click();
  assert.equal(await page.locator('#failure').isVisible(), false);
  // Fetched once beforehand, and not called into.
  assert.equal(asked(), 1);
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
