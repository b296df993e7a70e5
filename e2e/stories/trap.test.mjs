// The program stopped in the midst of what it does.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, start } from '../lib/browser.mjs';
import { loaded } from '../lib/page.mjs';

let running;
before(async () => {
  running = await start();
});
after(() => running?.close());

/** Lets the story have the program's memory. */
function keepMemory() {
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const real = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      const made = await real(...given);
      const { exports = {} } = made.instance ?? made;
      globalThis.memory ??= Object.values(exports).find((one) => one instanceof WebAssembly.Memory);
      return made;
    };
  }
}

/** Takes all memory that there is for it. */
function useUp() {
  const { memory } = globalThis;
  for (let pages = 1 << 15; pages >= 1;) {
    try {
      memory.grow(pages);
    } catch {
      pages >>= 1;
    }
  }
}

for (const [locale, said, again] of [
  ['en-GB', /Your texts are kept in this browser/, 'Open my texts again'],
  ['zh-CN', /你的文本已保存在浏览器里/, '重新打开我的文本'],
]) {
  test(`a program without memory says what to do and keeps the texts, ${locale}`, { timeout: 120_000 }, async () => {
    const { page, context } = await openPage(running, { locale });
    try {
      await page.addInitScript(keepMemory);
      await page.goto(running.url);
      await loaded(page);
      const editor = page.locator('code-editor');
      await editor.locator('.cm-line').first().click();
      await page.keyboard.press('Control+Home');
      await page.keyboard.type('# kept');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => Object.values(localStorage).some((text) => text.includes('# kept')));
      assert.equal(await page.locator('#failure').isVisible(), false);
      await page.evaluate(useUp);
      await editor.evaluate((element) => {
        element.dispatchEvent(new CustomEvent('edit', { detail: `${'# too much\n'.repeat(6_000_000)}` }));
      });
      await page.locator('#failure').getByText(said).waitFor();
      assert.match(await page.locator('#failure-detail').textContent(), /Error/);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/failed-${locale}.png` });
      await page.locator('#failure a:visible').first().click();
      await loaded(page);
      await page.locator('.notice').getByRole('button', { name: again }).click();
      await editor.getByText('# kept').waitFor();
    } finally {
      await context.close();
    }
  });
}
