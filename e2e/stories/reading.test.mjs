// Who reads how: languages, themes, widths, the tour.
import assert from 'node:assert/strict';
import { story } from '../lib/story.mjs';

story('the language is the browser’s at first, then the reader’s', { locale: 'zh-CN' }, async ({ page }) => {
  await page.getByRole('button', { name: '播放' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('button', { name: 'play' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.locator('code-editor .cm-content').waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'play' }).waitFor();
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByRole('tab', { name: '全部步骤' }).click();
});

for (const locale of ['en-GB', 'zh-CN']) {
  story(`the tour finds each of its steps (${locale})`, { locale }, async ({ page }) => {
    await page.getByRole('button', { name: /^(Tour|导览)$/ }).click();
    const card = page.locator('.tour');
    const count = Number((await card.locator('.count').textContent()).match(/\/ (\d+)/)[1]);
    const panel = page.getByRole('tabpanel');
    let last = '';
    let counters = false;
    for (let at = 1; at <= count; at += 1) {
      await card.getByText(new RegExp(` ${at} / ${count}`)).waitFor();
      assert.equal(await card.locator('.lost').count(), 0, `paragraph ${at} finds its step`);
      const step = await page.locator('.where').textContent();
      assert.notEqual(step, last, `paragraph ${at} shows another step`);
      last = step;
      counters ||= /\[562:33720\]/.test(await panel.textContent());
      if (at < count) await card.getByRole('button', { name: /^(Next|下一段)$/ }).click();
    }
    assert.ok(counters, 'a paragraph shows the counters of the listing');
    await card.getByRole('button', { name: /^(End the tour|结束导览)$/ }).last().click();
    assert.equal(await card.count(), 0);
  });
}

for (const colorScheme of ['light', 'dark']) {
  story(`the page is accessible on a step with much to say (${colorScheme})`, { colorScheme }, async ({ page }) => {
    await page.getByRole('tab', { name: 'All steps' }).click();
    await page.getByRole('button', { name: /→ DNAT/ }).first().click();
    await page.getByRole('tab', { name: 'This step' }).click();
    await page.locator('code-editor .cm-content').waitFor();
  });
}

story('the theme is the system’s until it is chosen', { colorScheme: 'dark' }, async ({ page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.getByRole('button', { name: 'Light or dark' }).click();
  await page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, dark);
});

story('on a middle screen the files lie in a drawer', { viewport: { width: 1024, height: 768 } }, async ({ page }) => {
  assert.equal(await page.locator('.files').count(), 0);
  await page.getByRole('button', { name: 'Files' }).click();
  await page.locator('.files').waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  assert.equal(await page.locator('.files').count(), 0);
});

story('on a small screen the steps are the page', { viewport: { width: 390, height: 844 } }, async ({ page }) => {
  await page.locator('.controls button').filter({ hasText: 'step' }).last().click();
  const explained = page.locator('.steps .inspector');
  await explained.waitFor();
  assert.equal(await page.getByRole('tab').count(), 3);
  const tops = await page.locator('[role=tab], #tab-more').evaluateAll((all) => all.map((e) => e.getBoundingClientRect().top));
  assert.ok(Math.max(...tops) - Math.min(...tops) < 4, `the tabs are in one row: ${tops}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `nothing sticks out: ${wide}`);
});

story('nothing moves by itself for who wants no motion', { reducedMotion: 'reduce' }, async ({ page }) => {
  const packet = page.locator('.packet');
  assert.equal(await packet.evaluate((e) => getComputedStyle(e).transitionDuration), '0s');
});
