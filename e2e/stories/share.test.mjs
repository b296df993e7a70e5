// Links and files that hold a workspace: made, opened, and hostile ones refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { accessible } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] };

function packed(records) {
  return `1.deflate.${deflateSync(records).toString('base64url')}`;
}

function record(name, value) {
  return `${name} ${Buffer.byteLength(value)}\n${value}\n`;
}

/** The records of a workspace of some files, asked by TCP. */
function workspace(files, from = 'client') {
  const head = { seed: '1', from, to: '1.2.3.4', port: '80', kind: 'tcp' };
  return [
    ...Object.entries(head).map(([name, value]) => record(name, value)),
    ...files.map(([name, text]) => record('file', name) + record('text', text)),
  ].join('');
}

story('share a link to an edited workspace at its step, and open it', clipboard, async ({ page, url }) => {
  await page.getByRole('tab', { name: 'Probe' }).click();
  await page.getByLabel('Port', { exact: true }).fill('31061');
  await page.getByLabel('Port', { exact: true }).press('Tab');
  for (let step = 0; step < 5; step += 1) await page.locator('.step-back + .play + button').click();
  const where = await page.locator('.where').textContent();
  await page.getByRole('button', { name: 'Share' }).click();
  await accessible(page);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
  await dialog.getByText('Copied.').waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(link.startsWith(`${url}#w=1.deflate.`), link);
  assert.ok(link.length < 500, link);
  assert.match(await dialog.textContent(), new RegExp(`${link.length} characters`));
  await page.keyboard.press('Escape');

  await page.evaluate(() => localStorage.clear());
  await page.goto('about:blank');
  await page.goto(link);
  await page.locator('.where').waitFor();
  assert.equal(await page.locator('.where').textContent(), where);
  assert.equal(await page.getByLabel('Port', { exact: true }).inputValue(), '31061');
});

story('copy the walk as Markdown', clipboard, async ({ page }) => {
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('button', { name: 'As Markdown' }).click();
  await page.getByText('Copied.').waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /^`client http GET http:\/\/182\.92\.251\.227\/`: /);
  assert.match(text, /```text\n1 /);
  assert.match(text, /\[Open in Northsouth\]\(http/);
});

story('save the workspace as a zip and open it again', {}, async ({ page }) => {
  await page.getByRole('button', { name: 'Share' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Workspace (zip)' }).click();
  const zip = readFileSync(await (await download).path());
  assert.equal(zip.subarray(0, 2).toString(), 'PK');
  await page.getByLabel('Open a file:').setInputFiles({ name: 'x.zip', mimeType: 'application/zip', buffer: zip });
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.notice').count(), 0);
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByLabel('Open a file:').setInputFiles({ name: 'x.zip', mimeType: 'application/zip', buffer: zip.subarray(0, 900) });
  await page.locator('.notice', { hasText: 'The zip is cut or damaged.' }).waitFor({ state: 'attached' });
  await page.keyboard.press('Escape');
});

story('a link in Chinese is answered in Chinese', { locale: 'zh-CN' }, async ({ page, url }) => {
  await page.goto(`${url}#w=1.deflate.AAAA`);
  await page.locator('.notice', { hasText: '链接在传递中被截断或改动' }).waitFor();
});

const whole = readFileSync(new URL('../../core/tests/links/whole.link', import.meta.url), 'utf8').trim();
const bomb = packed(Buffer.alloc(50_000_000, 'a'));
const refused = {
  'cut off': [whole.slice(0, -40), /cut or changed on its way/],
  'not a link': ['<script>alert(1)</script>', /This is no link of Northsouth/],
  'of a version to come': [whole.replace('1.', '9.'), /made by a newer Northsouth/],
  'packed in another way': [whole.replace('deflate', '<b>x</b>'), /packed as/],
  'a decompression bomb': [bomb, /unpacks to more than 1000 kB/],
  'of too many files': [packed(workspace(Array.from({ length: 2000 }, (_, i) => [`f${i}`, '']))), /more than 1000 files/],
  huge: [`1.deflate.${'A'.repeat(300_000)}`, /longer than 200000 characters/],
  'of records that lie about their length': [packed('seed 99999999999999999999\n1\n'), /cut or changed/],
};

for (const [name, [data, message]] of Object.entries(refused)) {
  story(`a link that is ${name} is refused in words`, {}, async ({ page, url }) => {
    const start = Date.now();
    await page.evaluate((hash) => { location.hash = hash; }, `w=${data}`);
    await page.locator('.notice').waitFor();
    assert.match(await page.locator('.notice').textContent(), message);
    assert.ok(Date.now() - start < 1000, `${Date.now() - start} ms`);
    assert.equal(new URL(page.url()).origin, new URL(url).origin);
  });
}

story('markup and script in every text of a link stay text', {}, async ({ page }) => {
  const evil = '</script><script>globalThis.evil = 1</script><img src=x onerror="globalThis.evil=1">${1}{{1}}';
  const files = [
    ['nodes/n1/ip-route.txt', `10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1\n${evil}\n`],
    ['nodes/n1/iptables-save.txt', `*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m comment --comment "${evil.replaceAll('"', "'")}" -j ACCEPT\n${evil}\nCOMMIT\n`],
    [`nodes/${evil}/ip-addr.txt`, evil],
    [evil, evil],
    ['javascript:alert(1)', evil],
    ['load-balancer.yaml', `name: "${evil.replaceAll('"', "'")}"\n`],
  ];
  const data = packed(workspace(files, evil) + record('view', evil) + record('value', evil) + record('view', 'place') + record('value', evil));
  await page.evaluate((hash) => { location.hash = hash; }, `w=${data}`);
  await page.getByText('globalThis.evil').first().waitFor({ state: 'attached' });
  assert.equal(await page.evaluate(() => globalThis.evil), undefined);
  assert.equal(await page.locator('img').count(), 0);
  assert.equal(await page.locator('body script').count(), 0);
});
