// The text editor: completion, help, the way to a definition, folds, files from the disk, and a way out.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessible, loaded } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

async function open(page, machine, file) {
  await page.getByRole('navigation', { name: /Machines|机器/ }).getByRole('button', { name: machine }).click();
  await page.getByRole('navigation', { name: /^(Files|文件)$/ }).getByRole('button', { name: file }).click();
  await page.locator('code-editor .cm-content').waitFor();
}

async function newLine(page, text) {
  const line = page.locator('code-editor .cm-line').filter({ hasText: text }).first();
  await line.scrollIntoViewIfNeeded();
  await line.click();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
}

/** Waits until this is what Enter takes: the list may still be that of a letter before. */
const chosen = (page, word) => page.locator('code-editor .cm-tooltip-autocomplete:not(.cm-tooltip-autocomplete-disabled) [aria-selected=true]', { hasText: word }).waitFor();

story('words are completed, each with what it means', {}, async ({ page }) => {
  await open(page, 'work001', 'iptables-save');
  await newLine(page, '-A OUTPUT');
  await page.keyboard.type('-A OUTPUT -m addr', { delay: 20 });
  await chosen(page, 'addrtype');
  await page.locator('code-editor .cm-completionInfo').getByText('what kind of address').waitFor();
  await page.waitForTimeout(150);
  await page.keyboard.press('Enter');
  await page.keyboard.type(' -j KUBE-MARK-D', { delay: 20 });
  await chosen(page, 'KUBE-MARK-DROP');
  await page.waitForTimeout(150);
  await page.keyboard.press('Enter');
  assert.match(await page.locator('code-editor').evaluate((e) => e.value), /-A OUTPUT -m addrtype -j KUBE-MARK-DROP/);
});

story('our own small files and flow mappings are completed', {}, async ({ page }) => {
  await open(page, 'cluster', 'load-balancer');
  await newLine(page, 'forwarding');
  await page.keyboard.type('forw', { delay: 20 });
  const list = page.locator('code-editor .cm-tooltip-autocomplete');
  await chosen(page, 'forwarding');
  await page.locator('code-editor .cm-completionInfo').getByText('full-nat').waitFor();
  await page.waitForTimeout(150);
  await page.keyboard.press('Enter');
  await page.keyboard.type(': full', { delay: 20 });
  await list.getByText('full-nat').waitFor();
});

story('a jump leads to its chain, by key', {}, async ({ page }) => {
  await open(page, 'work001', 'iptables-save');
  await page.locator('code-editor').evaluate((e) => { e.cursor = e.value.indexOf('-j KUBE-SERVICES') + 5; });
  await page.keyboard.press('F12');
  await page.waitForFunction(() => {
    const { value, cursor } = document.querySelector('code-editor');
    return cursor === value.indexOf(':KUBE-SERVICES') + 1;
  });
  await page.keyboard.type('X');
  assert.match(await page.locator('code-editor').evaluate((e) => e.value), /^:XKUBE-SERVICES /m);
});

story('what cannot be read is said under the pointer as well', {}, async ({ page }) => {
  await open(page, 'work001', 'ip-route');
  await page.locator('code-editor').evaluate((editor) => {
    const text = editor.value.replace('default via', 'default bogus via');
    editor.value = text;
    editor.dispatchEvent(new CustomEvent('edit', { detail: text }));
  });
  await page.locator('code-editor .mark').first().hover();
  await page.locator('code-editor .cm-tooltip .help').getByText('bogus').waitFor();
});

story('Tab leaves the text, and nothing holds it', {}, async ({ page }) => {
  await open(page, 'work001', 'ip-route');
  await page.locator('code-editor .cm-line').first().click();
  await page.keyboard.type(' d');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  const inside = await page.evaluate(() => document.activeElement?.localName);
  assert.notEqual(inside, 'code-editor');
  await page.getByText('Tab leaves the text').waitFor();
});

story('a table folds, and a text is searched', {}, async ({ page }) => {
  await open(page, 'work001', 'iptables-save');
  await page.locator('code-editor .cm-foldGutter').getByText('▾').first().click();
  await page.locator('code-editor .cm-foldPlaceholder').waitFor();
  await page.locator('code-editor .cm-line').first().click();
  await page.keyboard.press('Control+f');
  await page.locator('code-editor .cm-search').waitFor();
  await accessible(page);
});

story('files are made, renamed and deleted, and undo brings them back', {}, async ({ page }) => {
  await open(page, 'work001', 'ip-route');
  // Whoever asks for the field writes at once, and comes back to where they asked.
  await page.getByRole('button', { name: 'Rename' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('#file-path:focus').waitFor();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.locator('#file-rename:focus').waitFor();
  await page.getByRole('button', { name: 'New file' }).click();
  await page.locator('#file-path:focus').waitFor();
  await page.keyboard.press('End');
  await page.keyboard.type('ip-rule.txt');
  await page.getByText('Read as:').waitFor();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const files = page.getByRole('navigation', { name: 'Files' });
  await files.getByRole('button', { name: 'ip-rule' }).waitFor();
  await page.getByRole('button', { name: 'Delete this file' }).click();
  await files.getByRole('button', { name: 'ip-rule' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.equal(await page.getByText('Yours: edited.').count(), 0);
});

story('files are dropped on the page, and their paths say what they are', {}, async ({ page }) => {
  await page.locator('code-editor .cm-content').waitFor();
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['kind: Service\napiVersion: v1\nmetadata:\n  name: web\n'], 'web.yaml'));
    transfer.items.add(new File(['hello'], 'notes.md'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  });
  const dialog = page.getByRole('dialog', { name: 'Open files…' });
  await dialog.waitFor();
  assert.equal(await dialog.getByLabel('Path').first().inputValue(), 'manifests/web.yaml');
  await accessible(page);
  await dialog.getByRole('button', { name: 'Take these files' }).click();
  await page.locator('code-editor').getByText('name: web').waitFor();
});

/** Lets a file or a folder of the disk fall on the page, as a hand does. */
async function drop(page, context, path) {
  const client = await context.newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await client.send('Input.dispatchDragEvent', { type, x: 600, y: 300, data });
  }
}

story('a file dropped before the editor has come waits for it', { serviceWorkers: 'block' }, async ({ page, context }) => {
  let release;
  const held = new Promise((then) => { release = then; });
  await page.route(/editor[-\w]*\.js$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.reload();
  await loaded(page);
  const file = join(mkdtempSync(join(tmpdir(), 'northsouth-')), 'ip-route.txt');
  writeFileSync(file, 'default via 192.168.0.253 dev eth0\n');
  await drop(page, context, file);
  await page.waitForFunction(() => globalThis.northsouthDropped.length === 1);
  assert.match(page.url(), /^http/, 'the browser did not open it itself');
  release();
  await page.getByRole('dialog', { name: 'Open files…' }).getByLabel('Path').waitFor();
});

story('a folder is dropped with all that is in it', {}, async ({ page, context }) => {
  await page.locator('code-editor .cm-content').waitFor();
  const folder = join(mkdtempSync(join(tmpdir(), 'northsouth-')), 'dump');
  mkdirSync(join(folder, 'nodes', 'work009'), { recursive: true });
  writeFileSync(join(folder, 'nodes', 'work009', 'ip-route.txt'), 'default via 192.168.0.253 dev eth0\n');
  writeFileSync(join(folder, 'picture.bin'), Buffer.from([0, 1, 2]));
  await drop(page, context, folder);
  const dialog = page.getByRole('dialog', { name: 'Open files…' });
  await dialog.getByText('dump/picture.bin is too large or is no text').waitFor();
  assert.equal(await dialog.getByLabel('Path').first().inputValue(), 'nodes/work009/ip-route.txt');
  await dialog.getByRole('button', { name: 'Take these files' }).click();
  await page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'work009' }).waitFor();
});

story('a paste of several commands comes apart, and so does a packed report', {}, async ({ page, context }) => {
  await page.locator('code-editor .cm-content').waitFor();
  const dialog = page.getByRole('dialog', { name: 'Open files…' });
  const paths = async () => Promise.all((await dialog.getByLabel('Path').all()).map((path) => path.inputValue()));
  await page.evaluate(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', 'root@work009:~# ip r\r\ndefault via 10.0.0.1 dev eth0\r\nroot@work009:~# sysctl -a\r\nnet.ipv4.ip_forward = 1\r\n');
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  await dialog.waitFor();
  assert.deepEqual(await paths(), ['nodes/work009/ip-route.txt', 'nodes/work009/sysctl.txt']);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  const folder = mkdtempSync(join(tmpdir(), 'northsouth-'));
  const inside = join('sosreport-work008-2026-01-31-abcdefg', 'sos_commands', 'networking');
  mkdirSync(join(folder, inside), { recursive: true });
  writeFileSync(join(folder, inside, 'ip_route_show_table_all'), 'default via 10.0.0.1 dev eth0\n');
  writeFileSync(join(folder, inside, `${'x'.repeat(120)}_ip_rule`), '0:\tfrom all lookup local\n');
  execFileSync('tar', ['-czf', 'report.tar.gz', 'sosreport-work008-2026-01-31-abcdefg'], { cwd: folder });
  await drop(page, context, join(folder, 'report.tar.gz'));
  await dialog.waitFor();
  assert.deepEqual((await paths()).sort(), ['nodes/work008/ip-route.txt', 'nodes/work008/ip-rule.txt']);
});

story('a file that looks like a workspace and is none is refused in words', {}, async ({ page, context }) => {
  await page.locator('code-editor .cm-content').waitFor();
  const file = join(mkdtempSync(join(tmpdir(), 'northsouth-')), 'broken.zip');
  writeFileSync(file, 'PK no zip');
  await drop(page, context, file);
  await page.locator('.notice').getByText(/zip/).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
});
