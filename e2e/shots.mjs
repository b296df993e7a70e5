// Pictures of the built page in each language, theme and width, into shots/.
//
//   node e2e/shots.mjs [directory]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPage, start } from './lib/browser.mjs';
import { loaded } from './lib/page.mjs';

const LOCALES = ['en-GB', 'zh-CN'];
const THEMES = ['light', 'dark'];
const VIEWPORTS = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
  { width: 390, height: 844 },
];

const [directory = 'shots'] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const running = await start();
for (const locale of LOCALES) {
  for (const colorScheme of THEMES) {
    for (const viewport of VIEWPORTS) {
      const { page, context, offences } = await openPage(running, { locale, colorScheme, viewport });
      await page.goto(running.url);
      await loaded(page);
      await page.waitForLoadState('networkidle');
      const file = join(directory, `${locale}-${colorScheme}-${viewport.width}.png`);
      await page.screenshot({ path: file });
      console.log([file, ...offences].join('\n  '));
      await context.close();
    }
  }
}
await running.close();
