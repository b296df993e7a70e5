// The gallery of scenarios: every one is a link, and what was edited in one stays there.
import assert from 'node:assert/strict';
import { accessible } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

story('the gallery lists every scenario by its subject, and opens one', {}, async ({ page }) => {
  await page.getByRole('button', { name: /^Scenario: / }).click();
  const dialog = page.getByRole('dialog', { name: 'Scenarios' });
  await dialog.waitFor();
  assert.ok((await dialog.getByRole('heading', { level: 3 }).count()) > 0);
  assert.ok(await dialog.getByRole('link').first().textContent());
  await accessible(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Scenario: /, 'the focus is where it was');
  await page.getByRole('button', { name: /^Scenario: / }).click();
  await dialog.getByRole('link').last().click();
  await dialog.waitFor({ state: 'detached' });
  assert.match(page.url(), /#scenario=/);
  await page.locator('.where').waitFor();
  await page.waitForFunction(() => document.activeElement.id === 'scenario');
});

story('画廊用中文列出场景', { locale: 'zh-CN', viewport: { width: 390, height: 844 } }, async ({ page }) => {
  await page.getByRole('button', { name: /^场景：/ }).click();
  const dialog = page.getByRole('dialog', { name: '场景' });
  await dialog.getByRole('heading', { name: '文章里的集群' }).waitFor();
  await dialog.getByRole('link').filter({ hasText: '文章里的那个请求' }).waitFor();
  await accessible(page);
  await dialog.getByRole('button', { name: '关闭' }).click();
  await dialog.waitFor({ state: 'detached' });
});
