// The walk: played, stepped, read, seen on the map.
import assert from 'node:assert/strict';
import { story } from '../lib/story.mjs';

const where = (page) => page.locator('.where').textContent();
/** Until the page is at a step whose words are as wanted. */
const at = (page, words) => page.locator('.where').filter({ hasText: words }).waitFor();
const steps = async (page) => Number((await where(page)).match(/of (\d+)/)[1]);

story('the request is played to its end', {}, async ({ page }) => {
  await page.getByRole('combobox', { name: 'Speed' }).selectOption('4×');
  // From near the end: to wait for every step would prove no more.
  await page.locator('.packets button').last().click();
  await page.getByRole('button', { name: 'play' }).click();
  const count = await steps(page);
  await page.waitForFunction((last) => document.querySelector('.where').textContent.includes(`step ${last} of`), count);
  await page.getByRole('button', { name: 'play' }).waitFor();
  assert.match(await page.getByRole('tabpanel').textContent(), /gets the packet/);
});

story('steps go forward and back by hand', {}, async ({ page }) => {
  const forward = page.locator('.controls button').filter({ hasText: 'step' }).last();
  const back = page.locator('.controls .step-back');
  assert.ok(await back.isDisabled());
  await forward.click();
  await forward.click();
  await at(page, /^step 3 of/);
  await back.click();
  await at(page, /^step 2 of/);
});

story('stepping over a chain leaves its table', {}, async ({ page }) => {
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('button', { name: /KUBE-SERVICES 4 →/ }).first().click();
  await page.getByRole('button', { name: 'over chain' }).click();
  assert.doesNotMatch(await page.locator('[aria-current=step]').textContent(), /KUBE-/);
});

story('the slider goes through the steps by keyboard, and on to the next packet', {}, async ({ page }) => {
  const slider = page.getByRole('slider');
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await at(page, /^step 2 of/);
  await page.keyboard.press('End');
  await at(page, /^step \d\d+ of .*request/);
  await page.keyboard.press('ArrowRight');
  await at(page, /reply/);
  await page.keyboard.press('ArrowLeft');
  await at(page, /request/);
});

story('the rule that decided is explained, and its line is lit', {}, async ({ page }) => {
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('button', { name: /→ DNAT/ }).first().click();
  await page.getByRole('tab', { name: 'This step' }).click();
  const panel = page.getByRole('tabpanel');
  const text = await panel.textContent();
  assert.match(text, /KUBE-SEP-EW7YLHH65NRUVIFQ/);
  assert.match(text, /-s 172\.20\.1\.157/, 'the rule that was passed over');
  assert.match(text, /203\.0\.113\.9/, 'and why');
  const lit = page.locator('code-editor .lit');
  await lit.first().waitFor();
  assert.match(await lit.first().textContent(), /-j DNAT/);
});

story('another place on the map opens by keyboard and closes again', {}, async ({ page }) => {
  const forward = page.getByRole('button', { name: /^FORWARD filter, work001/ });
  await forward.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: /FORWARD of work001/ }).waitFor();
  await page.getByRole('button', { name: 'Follow the packet' }).click();
  assert.equal(await page.getByRole('button', { name: 'Follow the packet' }).count(), 0);
});
