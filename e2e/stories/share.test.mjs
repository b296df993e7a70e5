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

/** What a button of the share dialog saves. */
async function saved(page, button) {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: button }).click();
  return readFileSync(await (await download).path());
}

/** Drops a file on the page. */
const drop = (page, name, bytes) =>
  page.evaluate(
    ([name, bytes]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    },
    [name, bytes.toString('base64')],
  );

story('pictures and a zip open again by drop, at the step that they show', {}, async ({ page, url }) => {
  await page.getByRole('tab', { name: 'Probe' }).click();
  await page.getByLabel('Port', { exact: true }).fill('31061');
  await page.getByLabel('Port', { exact: true }).press('Tab');
  for (let step = 0; step < 4; step += 1) await page.locator('.step-back + .play + button').click();
  const where = await page.locator('.where').textContent();
  await page.getByRole('button', { name: 'Share' }).click();
  const files = {
    'x.svg': await saved(page, 'This step (SVG)'),
    'x.png': await saved(page, 'This step (PNG)'),
    'walk.svg': await saved(page, 'The whole walk, moving (SVG)'),
    'x.zip': await saved(page, 'Workspace (zip)'),
  };
  assert.ok(files['x.svg'].toString().startsWith('<svg '));
  assert.equal(files['x.png'].subarray(1, 4).toString(), 'PNG');
  // Two pixels for each of the map's 720.
  assert.equal(files['x.png'].readUInt32BE(16), 1440);
  for (const [name, bytes] of Object.entries(files)) {
    await page.evaluate(() => localStorage.clear());
    await page.goto('about:blank');
    await page.goto(`${url}#scenario=local-without-endpoint`);
    // It comes last, and with it what takes drops.
    await page.locator('code-editor .cm-content').waitFor();
    await drop(page, name, bytes);
    await page.getByRole('tab', { name: 'Probe' }).click();
    await page.waitForFunction(() => [...document.querySelectorAll('label input')].some((field) => field.value === '31061'));
    if (!name.endsWith('.zip')) await page.locator('.where', { hasText: where }).waitFor();
    assert.equal(await page.locator('.notice').count(), 0, name);
  }
});

story('packets are saved for Wireshark', {}, async ({ page }) => {
  await page.getByRole('button', { name: 'Share' }).click();
  const bytes = await saved(page, /pcapng/);
  assert.equal(bytes.readUInt32LE(0), 0x0a0d0d0a);
  assert.ok(bytes.includes('Northsouth') && bytes.length > 5000);
});

// What a service worker asks for cannot be answered from here.
const direct = { serviceWorkers: 'block' };

story('a workspace of the same origin is opened by its address', direct, async ({ page, url }) => {
  await page.getByRole('button', { name: 'Share' }).click();
  const zip = await saved(page, 'Workspace (zip)');
  await page.route('**/shared/night.zip', (route) => route.fulfill({ body: zip, contentType: 'application/zip' }));
  await page.goto('about:blank');
  await page.goto(`${url}?src=shared/night.zip#scenario=local-without-endpoint`);
  await page.getByText('istio-ingressga…b-9xnts').first().waitFor();
  assert.equal(await page.locator('.notice').count(), 0);
  // Of another origin nothing is fetched, and that is said.
  await page.goto('about:blank');
  await page.goto(`${url}?src=https://elsewhere.example/night.zip`);
  await page.locator('.notice', { hasText: 'elsewhere.example' }).waitFor();
});

for (const [locale, share, print] of [['en-GB', 'Share', 'Print a handout'], ['zh-CN', '分享', '打印讲义']]) {
  story(`a walk is printed as a handout, ${locale}`, { locale, colorScheme: 'dark' }, async ({ page }) => {
    await page.evaluate(() => {
      globalThis.print = () => {
        dispatchEvent(new Event('beforeprint'));
        globalThis.printed = document.querySelector('#paper .handout').outerHTML;
        globalThis.theme = document.documentElement.dataset.theme;
        dispatchEvent(new Event('afterprint'));
      };
    });
    await page.getByRole('button', { name: share }).click();
    await page.getByRole('button', { name: print }).click();
    const printed = await page.evaluate(() => globalThis.printed);
    assert.ok(printed.split('<figure>').length > 20, printed.slice(0, 500));
    assert.match(printed, new RegExp(`lang="${locale.slice(0, 2)}`));
    assert.equal(await page.evaluate(() => globalThis.theme), 'light');
    assert.equal(await page.locator('#paper').count(), 0);
    // As the browser prints it by itself.
    const pdf = await page.pdf();
    assert.ok((pdf.toString('latin1').match(/\/Type ?\/Page\b/g) ?? []).length > 5);
    await page.keyboard.press('Escape');
  });
}

story('a picture needs no script, and a page of its own shows it still to who wants no motion', { ...direct, reducedMotion: 'reduce' }, async ({ page, context }) => {
  await page.getByRole('button', { name: 'Share' }).click();
  const walk = await saved(page, 'The whole walk, moving (SVG)');
  const other = await context.newPage();
  await other.route('**/walk.svg', (route) => route.fulfill({ body: walk, contentType: 'image/svg+xml' }));
  await other.goto(new URL('walk.svg', page.url()).href);
  const still = () => other.evaluate(() => document.getAnimations().length);
  assert.equal(await still(), 0);
  await other.emulateMedia({ reducedMotion: 'no-preference' });
  assert.ok((await still()) > 10);
  const seen = () => other.evaluate(() => [...document.querySelectorAll('.said')].filter((e) => getComputedStyle(e).visibility === 'visible').map((e) => e.textContent));
  const before = await seen();
  assert.equal(before.length, 1);
  await other.waitForFunction((before) => {
    const now = [...document.querySelectorAll('.said')].find((e) => getComputedStyle(e).visibility === 'visible');
    return now && now.textContent !== before;
  }, before[0]);
  await other.close();
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
    // In the page's own time: from the link to the message that stands there, with whatever blocks it between.
    const ms = await page.evaluate(async (hash) => {
      const start = performance.now();
      location.hash = hash;
      while (!document.querySelector('.notice')) await new Promise((done) => setTimeout(done));
      return performance.now() - start;
    }, `w=${data}`);
    assert.match(await page.locator('.notice').textContent(), message);
    assert.ok(ms < 1000, `${ms} ms`);
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
