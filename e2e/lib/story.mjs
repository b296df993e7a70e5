// One story: a person, a fresh browser profile, the built page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, start } from './browser.mjs';
import { accessible, loaded } from './page.mjs';

let running;
before(async () => {
  running = await start();
});
after(() => running?.close());

/**
 * Opens the page and plays `tell({ page, context, url })`. The story fails when the
 * page logs an error, when a request fails or goes elsewhere, and when axe finds
 * a violation at its end. `options` are Playwright's context options: `locale`,
 * `colorScheme`, `viewport`, `reducedMotion`, `permissions` …
 */
export function story(name, options, tell) {
  test(name, { timeout: 120_000 }, async () => {
    const { page, context, offences } = await openPage(running, options);
    try {
      await page.goto(running.url);
      await loaded(page);
      // Before the program is whole, what is done waits or is passed over (stories/parts.test.mjs is about that).
      await page.waitForFunction(() => document.documentElement.hasAttribute('data-editor'));
      await tell({ page, context, url: running.url });
      await accessible(page);
      assert.deepEqual(offences, [], 'the page did what it may not');
    } catch (error) {
      error.offences = offences;
      throw error;
    } finally {
      await context.close();
    }
  });
}
