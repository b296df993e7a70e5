// How long from an edit to the repaint that shows its effect, in real Chromium on
// the built page. The page measures itself: `northsouth:edit-to-paint`.
import { openPage, start } from './lib/browser.mjs';
import { loaded } from './lib/page.mjs';

const MEASURE = 'northsouth:edit-to-paint';
const EDITS = 40;
const TARGET_MS = 16;

const running = await start();
const { page } = await openPage(running);
await page.goto(running.url);
await loaded(page);
const editor = page.locator('.cm-content, textarea').first();
await editor.waitFor({ timeout: 30_000 });
await editor.click();
await page.keyboard.press('Control+End');
const measured = () => page.evaluate((name) => performance.getEntriesByName(name).map(({ duration }) => duration), MEASURE);
for (let edit = 0; edit < EDITS; edit += 1) {
  const before = (await measured()).length;
  await page.keyboard.press(edit % 2 === 0 ? 'Enter' : 'Backspace');
  await page.waitForFunction(([name, count]) => performance.getEntriesByName(name).length > count, [MEASURE, before]);
}
// The first edits find cold caches and code not yet optimized.
const times = (await measured()).slice(EDITS / 4).sort((a, b) => a - b);
await running.close();

const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
console.log(`edit to repaint: median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, worst ${at(1)} ms (target ${TARGET_MS} ms, ${times.length} edits)`);
