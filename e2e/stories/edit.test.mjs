// Editing: a rule changes the walk, what can't be read is said, and nothing is lost.
import assert from 'node:assert/strict';
import { story } from '../lib/story.mjs';

/** Opens a file of a machine, with the text editor there. */
async function open(page, machine, file) {
  await page.getByRole('navigation', { name: /Machines|机器/ }).getByRole('button', { name: machine }).click();
  await page.getByRole('navigation', { name: /^(Files|文件)$/ }).getByRole('button', { name: file }).click();
  await page.locator('code-editor .cm-content').waitFor();
}

/** Puts the cursor behind a text of the open file. */
async function after(page, text) {
  const line = page.locator('code-editor .cm-line').filter({ hasText: text }).first();
  await line.scrollIntoViewIfNeeded();
  await line.click();
  await page.keyboard.press('End');
}

story('a rule that drops the packet ends its walk, and says why', {}, async ({ page }) => {
  await open(page, 'work001', 'iptables-save');
  await page.locator('code-editor').evaluate((editor) => {
    const rule = '[0:0] -A FORWARD -s 203.0.113.9/32 -j DROP\n';
    const at = editor.value.search(/^\[\d+:\d+\] -A FORWARD/m);
    const text = editor.value.slice(0, at) + rule + editor.value.slice(at);
    editor.value = text;
    editor.dispatchEvent(new CustomEvent('edit', { detail: text }));
  });
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByText('Dropped by a rule.').first().waitFor();
  assert.doesNotMatch(await page.locator('.steps').textContent(), /envoy gets the packet/i);
  await page.getByRole('button', { name: /FORWARD 1 → DROP/ }).first().click();
  await page.getByRole('tab', { name: 'This step' }).click();
  assert.match(await page.getByRole('tabpanel').textContent(), /-s 203\.0\.113\.9\/32/);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByText('Delivered.').first().waitFor();
});

story('what cannot be read is underlined where it stands, with help, and typing goes on', {}, async ({ page }) => {
  await open(page, 'work001', 'ip-route');
  await after(page, 'default via');
  await page.keyboard.type(' bogus');
  await page.locator('code-editor .mark').first().waitFor();
  await page.locator('code-editor .said').first().waitFor();
  const problems = page.locator('.diagnostics');
  assert.match(await problems.textContent(), /nodes\/work001\/ip-route\.txt:1:/);
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('Backspace');
  assert.equal(await page.locator('code-editor .mark-error').count(), 0);
});

story('an edit survives a reload, and a file is given back', {}, async ({ page }) => {
  await open(page, 'work001', 'ip-route');
  await after(page, 'default via');
  await page.keyboard.press('Enter');
  await page.keyboard.type('10.9.8.0/24 dev eth0');
  await page.getByText('Yours: edited.').waitFor();
  await page.reload();
  await open(page, 'work001', 'ip-route');
  await page.locator('code-editor').getByText('10.9.8.0/24').waitFor();
  await page.getByRole('button', { name: 'Reset this file' }).click();
  await page.getByText('Yours: edited.').waitFor({ state: 'detached' });
});

story('undo and redo go across files, by button and by key', {}, async ({ page }) => {
  await open(page, 'work001', 'ip-route');
  await after(page, 'default via');
  await page.keyboard.type(' metric 5');
  await page.getByText('Yours: edited.').waitFor();
  await page.keyboard.press('Control+z');
  await page.getByText('Yours: edited.').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Redo' }).click();
  await page.getByText('Yours: edited.').waitFor();
});

story('text is never markup', {}, async ({ page }) => {
  await open(page, 'work001', 'ip-route');
  await after(page, 'default via');
  await page.keyboard.type(' <img src=x onerror=alert(1)>');
  await page.locator('.diagnostics').waitFor();
  assert.equal(await page.locator('img').count(), 0);
});

story('a saved workspace that cannot be read is said and kept aside', {}, async ({ page }) => {
  await page.locator('code-editor .cm-content').waitFor();
  await page.evaluate(() => localStorage.setItem('northsouth.workspace', 'nonsense'));
  await page.reload();
  await page.getByRole('alert').getByText('could not be read').waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem('northsouth.aside')), 'nonsense');
  assert.match(await page.locator('.where').textContent(), /step 1 of \d{2,}/);
  await page.getByRole('button', { name: 'Close' }).click();
});

story('a failure of the program says what to do, and the texts come back', {}, async ({ page }) => {
  await open(page, 'work001', 'ip-route');
  await after(page, 'default via');
  await page.keyboard.type(' metric 7');
  await page.getByText('Yours: edited.').waitFor();
  await page.evaluate(() => localStorage.setItem('northsouth.failed', 'panicked'));
  await page.reload();
  await page.getByRole('button', { name: 'Open my texts again' }).click();
  await open(page, 'work001', 'ip-route');
  await page.locator('code-editor').getByText('metric 7').waitFor();
});

story('the forwarding mode is a line of its file', {}, async ({ page }) => {
  await page.getByRole('tab', { name: 'Probe' }).click();
  await page.getByRole('radio', { name: 'keeps the destination' }).check();
  await open(page, 'cluster', 'load-balancer');
  await page.locator('code-editor').getByText('keep-destination').waitFor();
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByText(/KUBE-SERVICES 3 → KUBE-FW/).first().waitFor();
});
