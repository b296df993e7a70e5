// Time: strides over chains and machines, breakpoints, and the keys that do the same.
import assert from 'node:assert/strict';
import { story } from '../lib/story.mjs';

const where = (page) => page.locator('.where').textContent();
const step = async (page) => Number((await where(page)).match(/step (\d+) of/)[1]);
const title = (page) => page.locator('.inspector h2').textContent();
const key = (page, name) => page.keyboard.press(name);

/** Until the page has left a step. */
async function moves(page, act) {
  const before = await where(page);
  await act();
  await page.waitForFunction((was) => document.querySelector('.where').textContent !== was, before);
}

async function chooseStep(page, name) {
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('button', { name }).first().click();
  await page.getByRole('tab', { name: 'This step' }).click();
}

story('strides lead to the next change and the next machine, and back', {}, async ({ page }) => {
  await moves(page, () => page.getByRole('button', { name: 'next machine' }).click());
  assert.match(await page.locator('.inspector .place').textContent(), /^slb/);
  await moves(page, () => page.getByRole('button', { name: 'next change' }).click());
  await page.locator('.header .changed').first().waitFor();
  const there = await step(page);
  await moves(page, () => key(page, 'c'));
  await moves(page, () => key(page, 'Shift+C'));
  assert.equal(await step(page), there);
});

story('out of a chain is back in the one that called it', {}, async ({ page }) => {
  await chooseStep(page, /KUBE-SERVICES \d+ →/);
  await moves(page, () => page.getByRole('button', { name: 'out', exact: true }).click());
  assert.doesNotMatch(await title(page), /KUBE-/);
});

story('a breakpoint stops what plays, is listed, and is taken away', {}, async ({ page }) => {
  await chooseStep(page, /→ DNAT/);
  const there = await step(page);
  await page.getByRole('button', { name: 'Stop at this line' }).click();
  await page.locator('code-editor .breakpoints').getByText('■').first().waitFor();
  await page.getByRole('button', { name: 'From the beginning' }).click();
  await page.getByRole('button', { name: 'pause' }).click();
  await moves(page, () => page.getByRole('button', { name: 'next breakpoint' }).click());
  assert.equal(await step(page), there);
  await page.getByRole('tab', { name: 'All steps' }).click();
  const listed = page.getByRole('region', { name: 'Breakpoints' });
  await listed.getByText(/iptables-save\.txt:\d+/).waitFor();
  await listed.getByRole('button', { name: /^Remove/ }).click();
  await listed.waitFor({ state: 'detached' });
});

story('a breakpoint is set in the editor by its gutter and by F9', {}, async ({ page }) => {
  const editor = page.locator('code-editor');
  await editor.locator('.cm-content').waitFor();
  await editor.locator('.cm-line').filter({ hasText: '-A PREROUTING' }).first().click();
  await key(page, 'F9');
  await editor.locator('.breakpoints').getByText('■').first().waitFor();
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('region', { name: 'Breakpoints' }).getByText(/stops the walk at \d+ step/).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'next breakpoint' }).waitFor();
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('region', { name: 'Breakpoints' }).getByRole('button', { name: /^Remove/ }).click();
  await page.reload();
  await page.getByRole('button', { name: 'next machine' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'next breakpoint' }).count(), 0);
});

story('keys are listed under ?, can be turned off, and do nothing in a text', {}, async ({ page }) => {
  await moves(page, () => key(page, 's'));
  assert.equal(await step(page), 2);
  await key(page, '?');
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await dialog.waitFor();
  await dialog.getByRole('checkbox', { name: 'Single keys do this' }).uncheck();
  await key(page, 'Escape');
  await dialog.waitFor({ state: 'detached' });
  await key(page, 's');
  await page.getByRole('tab', { name: 'Probe' }).click();
  await page.getByRole('textbox', { name: 'Path' }).pressSequentially('s?');
  assert.equal(await step(page), 2);
  assert.equal(await page.getByRole('dialog').count(), 0);
});

story('a prediction is asked before the step is shown, and answered with the reason', {}, async ({ page }) => {
  await page.getByRole('button', { name: 'Predict', exact: true }).click();
  await page.locator('.predict-switch[aria-pressed=true]').waitFor();
  const asked = page.getByRole('region', { name: 'Predict' });
  for (let tries = 0; tries < 30 && (await asked.count()) === 0; tries += 1) await key(page, 's');
  await asked.waitFor();
  const before = await step(page);
  const answers = asked.getByRole('listitem').getByRole('button');
  assert.ok((await answers.count()) > 1);
  await answers.first().click();
  await asked.getByText(/^(Right|Not so)\.$/).waitFor();
  assert.equal(await step(page), before + 1);
  assert.match(await asked.textContent(), /✓/);
  await key(page, 'g');
  await asked.waitFor({ state: 'detached' });
});
