// A dump of a hundred thousand rules: read a stretch at a time, while the page answers.
import assert from 'node:assert/strict';
import { story } from '../lib/story.mjs';

/** What kube-proxy writes for so many Services, as `iptables-save` prints it: five rules each. */
function dump(services) {
  const name = (at) => at.toString(32).toUpperCase().padStart(16, '0');
  const ip = (net, at) => `10.${net}.${at >> 8}.${at & 255}`;
  const chains = [];
  const rules = [];
  for (let at = 0; at < services; at += 1) {
    const [svc, sep, of] = [`KUBE-SVC-${name(at)}`, `KUBE-SEP-${name(at)}`, `-m comment --comment "ns/service-${at}:http"`];
    chains.push(`:${svc} - [0:0]`, `:${sep} - [0:0]`);
    rules.push(
      `-A KUBE-SERVICES -d ${ip(96, at)}/32 -p tcp ${of} -m tcp --dport 80 -j ${svc}`,
      `-A ${svc} ! -s 10.244.0.0/16 -d ${ip(96, at)}/32 -p tcp ${of} -m tcp --dport 80 -j KUBE-MARK-MASQ`,
      `-A ${svc} ${of} -j ${sep}`,
      `-A ${sep} -s ${ip(244, at)}/32 ${of} -j KUBE-MARK-MASQ`,
      `-A ${sep} -p tcp ${of} -m tcp -j DNAT --to-destination ${ip(244, at)}:8080`,
    );
  }
  return [
    '*nat', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]',
    ':KUBE-MARK-MASQ - [0:0]', ':KUBE-SERVICES - [0:0]', ...chains,
    '-A PREROUTING -j KUBE-SERVICES', '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000', ...rules, 'COMMIT', '',
  ].join('\n');
}

story('a pasted dump of 100,000 rules is read while the page answers', {}, async ({ page }) => {
  const node = () => page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'work001' }).click();
  await node();
  await page.locator('code-editor .cm-content').waitFor();
  const text = dump(20_000);
  await page.evaluate((text) => {
    globalThis.seen = { long: [], keys: [] };
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) seen.long.push([Math.round(startTime), Math.round(duration)]);
    }).observe({ type: 'longtask' });
    new PerformanceObserver((list) => {
      for (const { name, startTime, duration } of list.getEntries()) if (name === 'keydown') seen.keys.push([Math.round(startTime), duration]);
    }).observe({ type: 'event', durationThreshold: 16 });
    globalThis.dump = text;
  }, text);
  await page.locator('code-editor .cm-line').first().click();
  await page.keyboard.press('Control+a');
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.setData('text/plain', dump);
    const content = document.querySelector('code-editor').shadowRoot.querySelector('.cm-content');
    content.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  });
  const bar = page.getByRole('progressbar', { name: 'Read so far' });
  await bar.waitFor();
  // What is typed is in the text at once, and the reading begins anew; time can be stepped as well.
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('# mine');
  await page.keyboard.press('Enter');
  const first = () => page.locator('code-editor .cm-line').first().textContent();
  assert.equal(await first(), '# mine');
  await bar.waitFor();
  await page.locator('.controls').getByRole('button', { name: 'step' }).last().click();
  await page.locator('.where', { hasText: 'step 2 of' }).waitFor();
  await bar.waitFor({ state: 'detached', timeout: 90_000 });
  await page.locator('.map').getByText('100002 rules').waitFor();
  await node();
  await page.getByText('Yours: edited.').waitFor();
  assert.equal(await first(), '# mine');
  const { keys, long } = await page.evaluate(() => globalThis.seen);
  const longest = (all) => Math.max(0, ...all.map(([, duration]) => duration));
  console.log(`${(text.length / 1e6).toFixed(1)} MB: a key is answered within ${longest(keys)} ms; ${long.length} tasks over 50 ms, the longest ${longest(long)} ms`);
  // Undo goes back to the text before.
  const undo = page.getByRole('button', { name: 'Undo' });
  while (await undo.isEnabled()) {
    await undo.click();
    await bar.waitFor({ state: 'detached', timeout: 90_000 });
  }
  await page.locator('.map').getByText('34 rules').waitFor();
});
