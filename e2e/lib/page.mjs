// What every story asks of a page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Until the application has drawn its first heading, and what comes with the frames after it. */
export async function loaded(page) {
  await page.locator('h1').first().waitFor({ state: 'attached', timeout: 30_000 });
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
}

/** Opens a tab of the right pane: in its row, or behind the button at its end. */
export async function openTab(page, name) {
  const tab = page.getByRole('tab', { name, exact: true });
  if (await tab.count() === 0) {
    await page.locator('#tab-more').click();
    await page.locator('#more-tabs').getByRole('button', { name }).click();
  } else {
    await tab.click();
  }
  await page.locator('[role=tab][aria-selected=true]').getByText(name, { exact: true }).waitFor();
}

/** Takes files, `[[path, text], …]`, as if they had been dropped on the page. */
export async function takeFiles(page, files) {
  await page.evaluate((files) => dispatchEvent(new CustomEvent('northsouth-files', { detail: { files, left: [] } })), files);
  await page.locator('dialog[open] .turn button, dialog[open] button').filter({ hasText: /^(Take these files|采用这些文件|加入这些文件)$/ }).click();
}

/** No accessibility violation on the page as it stands. */
export async function accessible(page) {
  // A colour in the middle of its change is no colour of ours.
  await page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {}))));
  const found = await violations(page);
  assert.equal(found.length, 0, `axe finds:\n${found.join('\n')}`);
}

/** axe-core's violations as text, one an element. */
async function violations(page) {
  // A colour on its way to another is neither.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
  // By the debugger and not as a script tag, which the page's policy refuses.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target.join(' ')}\n  ${failureSummary.replaceAll('\n', '\n  ')}`),
  );
}
