// Long texts are read a stretch at a time, while the page answers.
import assert from 'node:assert/strict';
import { configDump, ipset, iptables, manifests, nftables } from '../lib/dumps.mjs';
import { loaded, takeFiles } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

const bar = (page) => page.getByRole('progressbar', { name: 'Read so far' });

/** Notes in the page when it says so while it reads, which may be over before anyone looks. */
function watch(said) {
  new MutationObserver(() => {
    if (document.querySelector('.reading-ahead')?.textContent.includes(said)) globalThis.wasRead = true;
  }).observe(document, { childList: true, subtree: true });
}

story('a pasted dump of 100,000 rules is read while the page answers', {}, async ({ page }) => {
  const node = () => page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'work001' }).click();
  await node();
  await page.locator('code-editor .cm-content').waitFor();
  const text = iptables(20_000);
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
  await page.evaluate(watch, 'Until then the walk is that of the text before');
  await page.locator('code-editor .cm-line').first().click();
  await page.keyboard.press('Control+a');
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.setData('text/plain', dump);
    const content = document.querySelector('code-editor').shadowRoot.querySelector('.cm-content');
    content.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  });
  await page.waitForFunction(() => globalThis.wasRead);
  // What is typed is in the text at once, and the reading begins anew; time can be stepped as well.
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('# mine');
  await page.keyboard.press('Enter');
  const first = () => page.locator('code-editor .cm-line').first().textContent();
  assert.equal(await first(), '# mine');
  await page.locator('.controls').getByRole('button', { name: 'step' }).last().click();
  await page.locator('.where', { hasText: 'step 2 of' }).waitFor();
  await page.locator('.map').getByText('100002 rules').waitFor({ timeout: 90_000 });
  await bar(page).waitFor({ state: 'detached', timeout: 90_000 });
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
    await bar(page).waitFor({ state: 'detached', timeout: 90_000 });
  }
  await page.locator('.map').getByText('34 rules').waitFor();
});

for (const [kind, path, text, shown] of [
  ['an nft ruleset', 'nodes/work001/nft-ruleset.txt', () => nftables(4000), 'kube-proxy'],
  ['sets', 'nodes/work001/ipset-save.txt', () => ipset(40_000), null],
  ['manifests', 'manifests/many.yaml', () => manifests(1000), null],
  ['a List', 'manifests/many.yaml', () => manifests(1000, true), null],
  ['a config dump', 'pods/zookeeper-854f49888f-4zhhk/config-dump.json', () => configDump(8000), null],
]) {
  story(`${kind}, long, is read while the page answers`, {}, async ({ page }) => {
    await page.evaluate(watch, 'Until then the walk is that of the text before');
    await takeFiles(page, [[path, text()]]);
    // The page answers meanwhile.
    await page.getByRole('tab', { name: 'Probe' }).click();
    await page.getByRole('tabpanel', { name: 'Probe' }).waitFor();
    await page.locator(`code-editor[label="${path}"]`).waitFor({ timeout: 90_000 });
    await bar(page).waitFor({ state: 'detached' });
    assert.ok(await page.evaluate(() => globalThis.wasRead));
    if (shown) await page.locator('.map').getByText(shown).first().waitFor();
    assert.equal(await page.locator('.map [role=alert]').count(), 0);
  });
}

story('a long workspace that was kept opens with its texts, which are read then', {}, async ({ page }) => {
  await takeFiles(page, [['manifests/many.yaml', manifests(1000)]]);
  await page.locator('code-editor[label="manifests/many.yaml"]').waitFor({ timeout: 90_000 });
  await bar(page).waitFor({ state: 'detached' });
  const steps = await page.locator('.where').textContent();
  await page.addInitScript(watch, 'The walk comes when it is read');
  await page.reload();
  await loaded(page);
  await page.locator('.where', { hasText: steps }).waitFor({ timeout: 90_000 });
  await bar(page).waitFor({ state: 'detached', timeout: 90_000 });
  assert.ok(await page.evaluate(() => globalThis.wasRead), 'the page was there before all was read');
  assert.ok(await page.getByRole('button', { name: 'Undo' }).isDisabled(), 'there is nothing before it');
});

story('what is typed into a long text is kept, however soon the page is left', {}, async ({ page }) => {
  const name = 'nodes/work001/iptables-save.txt';
  await takeFiles(page, [[name, `\n${iptables(4000)}`]]);
  const content = page.locator(`code-editor[label="${name}"] .cm-content`);
  await page.locator('.map').getByText('20002 rules').waitFor({ timeout: 90_000 });
  await bar(page).waitFor({ state: 'detached', timeout: 90_000 });
  await content.click();
  await page.keyboard.press('Control+Home');
  await page.evaluate(() => addEventListener('input', () => setTimeout(() => location.reload(), 50), { once: true, capture: true }));
  const left = page.waitForEvent('load');
  await page.keyboard.insertText('# mine');
  await left;
  await loaded(page);
  await content.waitFor({ timeout: 90_000 });
  await page.locator('code-editor .cm-line', { hasText: /^# mine$/ }).waitFor();
});
