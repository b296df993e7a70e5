import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, start } from '../lib/browser.mjs';
import { loaded } from '../lib/page.mjs';

test('after the first visit the page works without a network, whole', { timeout: 120_000 }, async () => {
  const running = await start('/some/where/');
  const { page, context, offences } = await openPage(running, { locale: 'en-GB' });
  try {
    await page.goto(running.url);
    await loaded(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(() => navigator.serviceWorker.controller);
    // What the page fetches for itself is there as well.
    await page.locator('code-editor .cm-content').waitFor();
    await page.waitForLoadState('networkidle');
    await running.stopServing();
    await page.reload();
    await loaded(page);
    await page.locator('.where', { hasText: 'step 1 of' }).waitFor();
    // What was never looked at on the first visit is there too: the other language, its tour, the embed.
    await page.getByRole('button', { name: '中文' }).click();
    await page.locator('html[lang=zh-CN]').waitFor();
    await page.goto(`${running.url}embed.html#scenario=article`);
    await page.locator('.embed-line').waitFor();
    assert.deepEqual(offences, []);
  } finally {
    await context.close();
    await running.close();
  }
});

test('the page can be installed', { timeout: 60_000 }, async () => {
  const running = await start();
  const { page, context } = await openPage(running);
  try {
    await page.goto(running.url);
    const manifest = await page.evaluate(async () => {
      const link = document.querySelector('link[rel=manifest]').href;
      const manifest = await (await fetch(link)).json();
      const icons = await Promise.all(manifest.icons.map(async ({ src }) => (await fetch(new URL(src, link))).status));
      return { manifest, icons };
    });
    assert.equal(manifest.manifest.display, 'standalone');
    assert.deepEqual(manifest.icons, [200, 200, 200]);
  } finally {
    await context.close();
    await running.close();
  }
});
