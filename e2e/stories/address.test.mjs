// The address's fragment chooses what the page shows.
import assert from 'node:assert/strict';
import { loaded } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

story('open a scenario by its name', {}, async ({ page, url }) => {
  await page.goto(`${url}#scenario=article`);
  await page.locator('.scenario').waitFor();
  assert.match(await page.locator('.scenario').textContent(), /The article’s request/);
  assert.equal(await page.getByRole('alert').count(), 0);
});

story('an address that means nothing is said, and taken as text', {}, async ({ page, url }) => {
  await page.goto(`${url}#<img src=x onerror=alert(1)>`);
  const notice = page.locator('.notice');
  await notice.waitFor();
  assert.match(await notice.textContent(), /There is nothing here by the name of/);
  assert.equal(await page.locator('.notice img').count(), 0);
  // Back to an address that is known, without loading the page again.
  await page.evaluate(() => { location.hash = ''; });
  await notice.waitFor({ state: 'detached' });
});

story('skip to the explanation and stay on the page that is open', {}, async ({ page, url }) => {
  await page.goto(`${url}#scenario=article`);
  await page.waitForLoadState('networkidle');
  await page.reload();
  await loaded(page);
  await page.waitForLoadState('networkidle');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'panel');
  assert.equal(new URL(page.url()).hash, '#scenario=article');
});

story('a scenario that is chosen takes the place of the other, and the focus is at its name', {}, async ({ page }) => {
  await page.locator('.scenario').click();
  await page.locator('a[href$="#scenario=rolling-update"]').focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.id === 'scenario');
  const chosen = await page.evaluate(() => document.activeElement.textContent);
  assert.doesNotMatch(chosen, /The article’s request/);
});
