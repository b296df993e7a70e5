// The probe's form: HTTP and TLS as the probe line has them.
import assert from 'node:assert/strict';
import { accessible, openTab } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

/** The scenario whose probe speaks TLS. */
async function open(page, url) {
  await page.goto(`${url}#scenario=tls-by-sni`);
  await page.getByRole('button', { name: /^(Scenario: TLS|场景：.*SNI)/ }).waitFor();
}

/** What the walk ends in, as the list of all steps tells it. */
async function ending(page) {
  await openTab(page, 'All steps');
  return page.locator('.steps .walk-end').textContent();
}

story('a probe speaks TLS, names a host and carries headers, from the form and by keyboard', {}, async ({ page, url }) => {
  await open(page, url);
  await openTab(page, 'Probe');
  const panel = page.getByRole('tabpanel');
  assert.ok(await panel.getByLabel('over TLS (HTTPS)').isChecked());
  await panel.getByLabel('SNI').fill('nobody.example.com');
  await panel.getByLabel('SNI').press('Tab');
  await panel.getByLabel('shows a client certificate').press('Space');
  assert.ok(await panel.getByLabel('shows a client certificate').isChecked());
  assert.match(await ending(page), /ingressgateway closes the connection without an answer/);
  await openTab(page, 'Probe');
  await panel.getByLabel('SNI').fill('blog.example.com');
  await panel.getByLabel('SNI').press('Tab');
  await panel.getByLabel('Version').selectOption('http/1.1');
  await panel.getByLabel('Headers').fill('end user: jason');
  await panel.getByLabel('Headers').press('Tab');
  await panel.getByText('Not headers yet').waitFor();
  await panel.getByLabel('Headers').fill('end-user: jason');
  await panel.getByLabel('Headers').press('Tab');
  await panel.getByText('One a line').waitFor();
  await accessible(page);
  assert.match(await ending(page), /it is delivered/);
  await openTab(page, 'Probe');
  await panel.getByLabel('over TLS (HTTPS)').press('Space');
  assert.equal(await panel.getByLabel('Port', { exact: true }).inputValue(), '80');
  assert.equal(await panel.getByLabel('SNI').count(), 0);
});

story('探测表单：中文，窄屏', { locale: 'zh-CN', viewport: { width: 390, height: 844 } }, async ({ page, url }) => {
  await open(page, url);
  await openTab(page, '探测');
  const panel = page.getByRole('tabpanel');
  await panel.getByLabel('出示客户端证书').check();
  await panel.getByLabel('方法').selectOption('HEAD');
  await accessible(page);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
});
