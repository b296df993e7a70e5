// The classroom: the course, a lesson, an exercise solved and handed in, the class sheet.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { story } from '../lib/story.mjs';
import { accessible } from '../lib/page.mjs';

const go = (page, fragment) => page.evaluate((to) => { window.location.hash = to; }, fragment);

story('an exercise is opened from the course, solved, handed in and marked', {}, async ({ page }) => {
  await go(page, 'course');
  await page.getByRole('heading', { name: 'Lessons' }).waitFor();
  await accessible(page);
  await page.getByRole('link', { name: 'The page times out since Tuesday' }).click();
  const task = page.locator('.task');
  await task.waitFor();
  assert.ok((await task.locator('.goals .failed').count()) > 1, 'the start fails');
  await task.getByRole('button', { name: 'Show the walk' }).first().click();
  await task.getByRole('button', { name: /Open a hint/ }).click();
  await task.getByText('Follow the packet on').waitFor();
  await accessible(page);

  const field = page.locator('code-editor .cm-content');
  await field.waitFor();
  await field.getByText('172.20.1.144/28').click();
  await page.keyboard.press('Control+Shift+k');
  await task.getByText('Solved.').waitFor();
  assert.equal(await task.locator('.goals .failed').count(), 0);

  await task.getByRole('button', { name: 'Hand in' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Ann <b>');
  const link = await page.locator('#hand-in textarea').inputValue();
  assert.match(link, /#hand-in=1\.deflate\./);
  await page.keyboard.press('Escape');

  await go(page, 'course');
  await page.locator('.course .done', { hasText: 'The page times out' }).waitFor();
  await go(page, 'teach');
  await page.getByRole('textbox', { name: 'Links or hand-ins' }).fill(`${link}\nhand-in=1.deflate.broken`);
  await page.getByRole('button', { name: 'Mark', exact: true }).click();
  await page.getByText('2 of 2 marked').waitFor();
  const rows = page.locator('tbody tr');
  assert.match(await rows.nth(0).textContent(), /Ann <b>shadowed-route3\/3/);
  assert.match(await rows.nth(1).textContent(), /cut or changed/);
});

story('a lesson shows a step when it was predicted', { locale: 'zh-CN' }, async ({ page }) => {
  await go(page, 'lesson=05-dnat');
  const card = page.locator('.tour');
  await card.getByText('替换目的地址的规则').waitFor();
  const before = await page.locator('.where').textContent();
  await card.getByRole('radio').nth(1).check();
  await card.getByText('不对，应该是 172.20.1.157。').waitFor();
  assert.notEqual(await page.locator('.where').textContent(), before);
  for (let at = 2; at <= 4; at += 1) await card.getByRole('button', { name: '下一段' }).click();
  await go(page, 'course');
  await page.locator('.course .done', { hasText: 'DNAT' }).waitFor();
});

story('an exercise of one’s own is checked as it is typed, and opens from a link', {}, async ({ page }) => {
  await go(page, 'teach');
  const draft = page.getByRole('textbox', { name: 'The exercise' });
  await draft.fill('---\nkind: nonsense\n---\n# X\n');
  await page.getByText(/`kind`|kind/).first().waitFor();
  const text = readFileSync(new URL('../../content/en/exercises/shadowed-route.md', import.meta.url), 'utf8');
  await draft.fill(text.replace('The page times out since Tuesday', 'My own exercise'));
  await page.getByText('It is sound').waitFor();
  await page.getByRole('link', { name: 'Open as a student' }).click();
  await page.getByRole('heading', { name: 'My own exercise' }).waitFor();
});
