// How long from an edit to the repaint that shows its effect, in real Chromium on
// the built page. The page measures itself: `northsouth:edit-to-paint`.
import { openPage, start } from './lib/browser.mjs';
import { largeYaml, scaleYaml } from './lib/cluster.mjs';
import { takeFiles, loaded } from './lib/page.mjs';

const MEASURE = 'northsouth:edit-to-paint';

const running = await start();

/** Types `keys` in turn, a key an edit, and prints how long the edits took; the first find cold caches and code not yet optimized. */
async function bench(what, page, keys, edits, target) {
  const measured = () => page.evaluate((name) => performance.getEntriesByName(name).map(({ duration }) => duration), MEASURE);
  const first = (await measured()).length;
  for (let edit = 0; edit < edits; edit += 1) {
    const before = (await measured()).length;
    await page.keyboard.press(keys[edit % keys.length]);
    await page.waitForFunction(([name, count]) => performance.getEntriesByName(name).length > count, [MEASURE, before]);
  }
  const times = (await measured()).slice(first + edits / 4).sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
  console.log(`${what}: median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, best ${at(0)} ms, worst ${at(1)} ms (target ${target} ms, ${times.length} edits)`);
}

{
  const { page, context } = await openPage(running);
  await page.goto(running.url);
  await loaded(page);
  const editor = page.locator('.cm-content, textarea').first();
  await editor.waitFor({ timeout: 30_000 });
  await editor.click();
  await page.keyboard.press('Control+End');
  await bench('edit to repaint', page, ['Enter', 'Backspace'], 40, 16);
  await context.close();
}

// A port of one Service among a thousand, in a file of a megabyte.
{
  const { page, context } = await openPage(running);
  await page.goto(`${running.url}#scenario=manifests-1-36-iptables`);
  await page.locator('code-editor .cm-content').waitFor({ timeout: 30_000 });
  await page.waitForLoadState('networkidle');
  const text = scaleYaml(1000, 3);
  await takeFiles(page, [['manifests/scale.yaml', text]]);
  await page.locator('code-editor .cm-line').filter({ hasText: 'EndpointSlice' }).first().waitFor({ timeout: 60_000 });
  const port = text.indexOf('port: 80', text.indexOf('name: svc-500')) + 'port: 80'.length;
  await page.locator('code-editor').evaluate((editor, at) => { editor.cursor = at; }, port);
  await bench('edit to repaint, 1,000 Services', page, ['1', 'Backspace'], 40, 100);
  await context.close();
}

// 50 nodes, 1,000 Services and 5,000 Pods: until they are there, and an edit of the Service that is asked.
{
  const { page, context } = await openPage(running);
  await page.goto(`${running.url}#scenario=manifests-1-36-iptables`);
  await page.locator('code-editor .cm-content').waitFor({ timeout: 30_000 });
  await page.waitForLoadState('networkidle');
  const text = largeYaml(50, 1000, 5000);
  const longest = page.evaluate(() => new Promise((resolve) => {
    const tasks = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
    addEventListener('loaded-large', () => setTimeout(() => resolve(Math.max(...tasks)), 500), { once: true });
  }));
  await takeFiles(page, [['cluster.yaml', text]]);
  await page.locator('code-editor .cm-line').filter({ hasText: 'node-1' }).first().waitFor({ timeout: 120_000 });
  await page.evaluate(() => dispatchEvent(new Event('loaded-large')));
  console.log(`load of 50 nodes, 1,000 Services, 5,000 Pods: longest task ${(await longest).toFixed(0)} ms (target 1000 ms)`);
  const port = text.indexOf('port: 80', text.indexOf('name: svc-0')) + 'port: 80'.length;
  await page.locator('code-editor').evaluate((editor, at) => { editor.cursor = at; }, port);
  await bench('edit to repaint, 50 nodes', page, ['1', 'Backspace'], 12, 150);
  await context.close();
}

await running.close();
