// The page "How we know".
import assert from 'node:assert/strict';
import { accessible } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

story('what the model was measured on is a page of its own, in both languages', {}, async ({ page }) => {
  await page.locator('.inspector .fidelity a').click();
  await page.getByRole('heading', { level: 1, name: 'How we know' }).waitFor();
  assert.match(page.url(), /#how$/);
  assert.match(await page.getByRole('region', { name: 'kube-proxy' }).textContent(), /\d+ of \d+/);
  await accessible(page);
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByRole('heading', { level: 1, name: '验证依据' }).waitFor();
  await page.getByText('近似').first().waitFor();
  await accessible(page);
  await page.getByRole('link', { name: 'Northsouth' }).click();
  await page.locator('.where').waitFor();
});
