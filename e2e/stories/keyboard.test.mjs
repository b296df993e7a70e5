// The whole page by keyboard, forced colours, and a page that is magnified to 400 %.
import assert from 'node:assert/strict';
import { accessible, openTab } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

/** What has the focus, also within the editor. */
const focused = (page) =>
  page.evaluate(() => {
    let on = document.activeElement;
    while (on?.shadowRoot?.activeElement) on = on.shadowRoot.activeElement;
    const box = on.getBoundingClientRect();
    return {
      name: (on.getAttribute('aria-label') ?? on.textContent ?? '').trim().slice(0, 60),
      tag: on.localName,
      id: on.id,
      in: on.getRootNode().host?.localName ?? '',
      wide: box.width,
    };
  });

/** Tab until something has the focus; fails where that never happens, or where the focus stays. */
async function tabTo(page, wanted, most = 160) {
  const seen = [];
  for (let times = 0; times < most; times += 1) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    seen.push(`${now.tag}#${now.id} ${now.name}`);
    if (wanted(now)) return now;
  }
  return assert.fail(`Tab never came there:\n${seen.join('\n')}`);
}

story('a walk is read and steered by keyboard alone', {}, async ({ page }) => {
  await page.locator('code-editor .cm-content').waitFor();
  await tabTo(page, ({ name }) => name.startsWith('Skip to the explanation'), 2);
  await page.keyboard.press('Enter');
  assert.equal((await focused(page)).id, 'panel');
  // On to time: a step, and the line of time by its arrows.
  await tabTo(page, ({ name }) => name === 'step▶');
  await page.keyboard.press('Enter');
  const where = page.locator('.where');
  await where.getByText(/step 2 of/).waitFor();
  await tabTo(page, ({ tag, name }) => tag === 'input' && name === 'Step');
  await page.keyboard.press('ArrowRight');
  await where.getByText(/step 3 of/).waitFor();
  assert.match(await page.locator('.time [role=status]').textContent(), /^step 3 of \d+/);
  // And around once more to the map, where a box opens by Enter.
  await page.locator('.map-scroll').focus();
  await tabTo(page, ({ name }) => name.startsWith('PREROUTING'), 20);
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: /PREROUTING/ }).waitFor();
  await tabTo(page, ({ name }) => name.includes('Follow the packet'));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /Follow the packet/ }).waitFor({ state: 'detached' });
});

story('nothing holds the focus: Tab goes through all of the page and out of it', {}, async ({ page }) => {
  await page.locator('code-editor .cm-content').waitFor();
  const kinds = new Set();
  for (let times = 0; times < 200; times += 1) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (now.tag === 'body') break;
    kinds.add(now.in || now.id || now.tag);
  }
  assert.equal((await focused(page)).tag, 'body', 'the page ends');
  for (const part of ['code-editor', 'tab-step', 'tab-more', 'panel', 'g', 'input', 'select']) {
    assert.ok(kinds.has(part), `${part} is reached: ${[...kinds]}`);
  }
});

story('what is pressed, chosen and current shows in forced colours', { forcedColors: 'active' }, async ({ page }) => {
  const outlined = (selector) => page.locator(selector).first().evaluate((e) => getComputedStyle(e).outlineStyle);
  assert.equal(await outlined('[role=tab][aria-selected=true]'), 'solid');
  assert.equal(await outlined('.levels [aria-pressed=true]'), 'solid');
  await page.locator('#tab-more').click();
  await accessible(page);
});

for (const locale of ['en-GB', 'zh-CN']) {
  story(`at 320 pixels, which is 400 %, nothing sticks out in any panel (${locale})`, { locale, viewport: { width: 320, height: 640 } }, async ({ page }) => {
    const names = await page.locator('#more-tabs strong').allTextContents();
    for (const name of names) {
      await openTab(page, name);
      const out = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(out <= 0, `${name}: ${out} pixels stick out`);
      await accessible(page);
    }
  });
}

for (const [width, height] of [[1440, 900], [390, 844]]) {
  story(`targets are 24 pixels large or stand apart (${width})`, { viewport: { width, height } }, async ({ page }) => {
    await page.locator('.controls').waitFor();
    const small = await page.evaluate(() => {
      const all = [...document.querySelectorAll('button, a, input, select, summary')].filter((e) => e.checkVisibility());
      const boxes = all.map((e) => [e, e.getBoundingClientRect()]).filter(([, box]) => box.width > 1 && box.height > 1);
      return boxes
        .filter(([e, box]) => (box.width < 24 || box.height < 24) && getComputedStyle(e).display !== 'inline')
        .map(([e, box]) => `${e.localName} ${e.textContent.slice(0, 30)} ${box.width}x${box.height}`);
    });
    assert.deepEqual(small, []);
  });
}

story('the focus goes back to what is still there', {}, async ({ page }) => {
  await page.locator('code-editor .cm-content').waitFor();
  await page.getByRole('button', { name: 'Share' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'In another page…' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('#embed').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#embed').waitFor({ state: 'detached' });
  assert.equal((await focused(page)).id, 'share-button');
  await page.getByRole('button', { name: 'Tour', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'End the tour' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('.tour').waitFor({ state: 'detached' });
  assert.equal((await focused(page)).id, 'tour-button');
});
