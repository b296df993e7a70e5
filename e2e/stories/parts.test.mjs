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
  await page.route(SECOND, (route) => route.fulfill({ status: 404, body: '' }));
  await page.goto(running.url);
  if ((await page.locator('meta[name=rest]').count()) === 0) return void (await context.close());
  await loaded(page);
  return { page, context };
}

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
