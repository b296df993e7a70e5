// The terminal: commands on a host, completion, history, and a way out by keyboard.
import assert from 'node:assert/strict';
import { openTab } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

story('a host answers commands as the run left it', {}, async ({ page }) => {
  await openTab(page, 'Terminal');
  await page.getByRole('combobox', { name: 'On', exact: true }).selectOption('work001');
  const line = page.getByRole('textbox', { name: 'Command on work001' });
  await line.fill('iptables -t nat -L KUBE-MARK-MASQ -n');
  await line.press('Enter');
  const log = page.getByRole('log');
  await log.getByText('Chain KUBE-MARK-MASQ').waitFor();
  await line.fill('rm -rf /');
  await line.press('Enter');
  await log.locator('.said.error').waitFor();
  await line.press('ArrowUp');
  await line.press('ArrowUp');
  assert.equal(await line.inputValue(), 'iptables -t nat -L KUBE-MARK-MASQ -n');
  await line.press('ArrowDown');
  assert.equal(await line.inputValue(), 'rm -rf /');
});

story('Tab completes and traps nobody', {}, async ({ page }) => {
  await openTab(page, 'Terminal');
  await page.getByRole('combobox', { name: 'On', exact: true }).selectOption('work001');
  const line = page.getByRole('textbox', { name: 'Command on work001' });
  await line.pressSequentially('iptables -t n');
  await line.press('Tab');
  assert.equal(await line.inputValue(), 'iptables -t nat ');
  await line.pressSequentially('-L KUBE-');
  await line.press('Tab');
  assert.match(await page.locator('.choice').textContent(), /KUBE-SERVICES/);
  await line.press('Escape');
  await line.press('Tab');
  assert.notEqual(await page.evaluate(() => document.activeElement.tagName), 'INPUT', 'Escape, then Tab, leaves');
  await line.focus();
  await page.keyboard.press('Shift+Tab');
  assert.notEqual(await page.evaluate(() => document.activeElement.tagName), 'INPUT', 'Shift and Tab leave');
});

story('终端也说中文', { locale: 'zh-CN', viewport: { width: 390, height: 844 } }, async ({ page }) => {
  await openTab(page, '终端');
  await page.getByRole('combobox', { name: '主机' }).selectOption('work001');
  await page.getByRole('button', { name: 'ip route', exact: true }).click();
  await page.getByRole('log').getByText('default via 192.168.0.253').waitFor();
});
