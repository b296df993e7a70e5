import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, start } from '../lib/browser.mjs';
import { loaded } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

story('the page loads', {}, async ({ page }) => {
  assert.equal(await page.title(), 'Northsouth');
});

test('the page runs from a sub-path of any static host', async () => {
  const running = await start('/some/where/');
  try {
    const { page, offences } = await openPage(running);
    await page.goto(running.url);
    await loaded(page);
    assert.deepEqual(offences, []);
  } finally {
    await running.close();
  }
});

test('the page refuses a request to elsewhere', async () => {
  const running = await start();
  try {
    const { page } = await openPage(running);
    await page.goto(running.url);
    const refused = await page.evaluate(
      () =>
        new Promise((done) => {
          const directives = [];
          document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
            directives.push(effectiveDirective);
            if (directives.length === 2) done(directives.sort());
          });
          new Image().src = 'https://example.org/picture.png';
          fetch('https://example.org/').catch(() => {});
        }),
    );
    assert.deepEqual(refused, ['connect-src', 'img-src']);
  } finally {
    await running.close();
  }
});

for (const width of [1440, 390]) {
  story(`no page is wider than its window, ${width} wide`, { viewport: { width, height: 800 } }, async ({ page, url }) => {
    for (const at of ['', '#/course', '#/teach', '#how', '#/lesson=05-dnat']) {
      await page.goto(url + at);
      await page.locator('h1').first().waitFor();
      const [has, fits] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(has <= fits, `${at}: ${has} in ${fits}`);
    }
  });
}
