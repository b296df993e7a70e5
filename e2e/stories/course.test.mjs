// The classroom: the course, a lesson, an exercise solved and handed in, the class sheet.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { story } from '../lib/story.mjs';
import { accessible, loaded } from '../lib/page.mjs';

const go = (page, fragment) => page.evaluate((to) => { window.location.hash = to; }, fragment);

story('an exercise is opened from the course, solved, handed in and marked', {}, async ({ page }) => {
  await go(page, 'course');
  await page.getByRole('heading', { name: 'Lessons' }).waitFor();
  await accessible(page);
  await page.getByRole('link', { name: 'The page times out since Tuesday' }).click();
  const task = page.locator('.task');
  await task.waitFor();
  assert.ok((await task.locator('.goals .failed').count()) > 1, 'the start fails');
  await task.getByRole('button', { name: 'Show the walk' }).first().click();
  await task.getByRole('button', { name: /Open a hint/ }).click();
  await task.getByText('Follow the packet on').waitFor();
  await accessible(page);

  const field = page.locator('code-editor .cm-content');
  await field.waitFor();
  await field.getByText('172.20.1.144/28').click();
  await page.keyboard.press('Control+Shift+k');
  await task.getByText('Solved.').waitFor();
  assert.equal(await task.locator('.goals .failed').count(), 0);

  await task.getByRole('button', { name: 'Hand in' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Ann <b>');
  const link = await page.locator('#hand-in textarea').inputValue();
  assert.match(link, /#hand-in=1\.deflate\./);
  await page.keyboard.press('Escape');

  await go(page, 'course');
  await page.locator('.course .done', { hasText: 'The page times out' }).waitFor();
  await go(page, 'teach');
  await page.getByRole('textbox', { name: 'Links or hand-ins' }).fill(`${link}\nhand-in=1.deflate.broken`);
  await page.getByRole('button', { name: 'Mark', exact: true }).click();
  await page.getByText('2 of 2 looked at').waitFor();
  const rows = page.locator('tbody tr');
  assert.match(await rows.nth(0).textContent(), /Ann <b>shadowed-route3\/3/);
  assert.match(await rows.nth(1).textContent(), /cut or changed/);

  // What is no hand-in is told.
  const wrong = `${page.url().split('#')[0]}#exercise=shadowed-route`;
  await page.getByRole('textbox', { name: 'Links or hand-ins' }).fill(`Dear teacher,\n${link}\n${wrong}\n> ${link}`);
  await page.getByRole('button', { name: 'Mark', exact: true }).click();
  await page.getByText('1 of 1 looked at').waitFor();
  await page.getByRole('listitem').filter({ hasText: /line 3 · .*#exercise=shadowed-route · a link to a workspace/ }).waitFor();
  await page.getByText('1 line has no hand-in in it').click();
  await page.getByRole('listitem').filter({ hasText: 'line 1 · Dear teacher,' }).waitFor();
});

story('a lesson shows a step when it was predicted', { locale: 'zh-CN' }, async ({ page }) => {
  await go(page, 'lesson=05-dnat');
  const card = page.locator('.tour');
  await card.getByText('替换目的地址的规则').waitFor();
  const before = await page.locator('.where').textContent();
  await card.getByRole('radio').nth(1).check();
  await card.getByText('不对，应该是 172.20.1.157。').waitFor();
  assert.notEqual(await page.locator('.where').textContent(), before);
  for (let at = 2; at <= 4; at += 1) await card.getByRole('button', { name: '下一段' }).click();
  await go(page, 'course');
  await page.locator('.course .done', { hasText: 'DNAT' }).waitFor();
});

story('an exercise of one’s own is checked as it is typed, and opens from a link', {}, async ({ page }) => {
  await go(page, 'teach');
  const draft = page.getByRole('textbox', { name: 'The exercise' });
  await draft.fill('---\nkind: nonsense\n---\n# X\n');
  await page.getByText(/`kind`|kind/).first().waitFor();
  const text = readFileSync(new URL('../../content/en/exercises/shadowed-route.md', import.meta.url), 'utf8');
  await draft.fill(text.replace('The page times out since Tuesday', 'My own exercise'));
  await page.getByText('It is sound').waitFor();
  await page.getByRole('link', { name: 'Open as a student' }).click();
  await page.getByRole('heading', { name: 'My own exercise' }).waitFor();

  // Handed in, it is marked where its link comes along.
  const task = page.url();
  await page.locator('.task').getByRole('button', { name: 'Hand in' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Ann');
  const link = await page.locator('#hand-in textarea').inputValue();
  await page.goto(`${page.url().split('#')[0]}#/teach`);
  await page.reload();
  await page.getByRole('textbox', { name: 'Links or hand-ins' }).fill(`${task}\n${link}`);
  await page.getByRole('button', { name: 'Mark', exact: true }).click();
  await page.getByText('1 of 1 looked at').waitFor();
  assert.match(await page.locator('tbody tr').first().textContent(), /Annshared-[0-9a-f]{16}0\/3/);
});

story('an exercise begins with one of ours, another comes in its place and goes again, and a look as a student loses nothing', {}, async ({ page }) => {
  await go(page, 'teach');
  const draft = page.getByRole('textbox', { name: 'The exercise' });
  await page.getByRole('combobox', { name: 'Or begin with' }).selectOption('The page times out since Tuesday');
  await page.getByText('It is sound').waitFor();
  await draft.fill((await draft.inputValue()).replace('The page times out since Tuesday', 'Mine'));
  const mine = await draft.inputValue();
  await page.getByRole('button', { name: 'Take the workspace as it is in the playground' }).click();
  assert.notEqual(await draft.inputValue(), mine);
  await page.getByRole('combobox', { name: 'Or begin with' }).selectOption('The page times out since Tuesday');
  await page.waitForFunction(() => document.querySelector('textarea.code').value.includes('The page times out since Tuesday'));
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.equal(await draft.inputValue(), mine);
  await page.getByRole('link', { name: 'Open as a student' }).click();
  await page.getByRole('heading', { name: 'Mine' }).waitFor();
  await page.goBack();
  await draft.waitFor();
  assert.equal(await draft.inputValue(), mine);
  await page.locator('button[aria-pressed]', { hasText: '中文' }).click();
  assert.match(await draft.inputValue(), /^# .*[\u4e00-\u9fff]/m);
});

story('lines that an exercise keeps stay, by whatever key', { permissions: ['clipboard-read', 'clipboard-write'] }, async ({ page }) => {
  await go(page, 'exercise=a-route-that-nobody-asks');
  const field = page.locator('code-editor .cm-content');
  await field.waitFor();
  await page.getByText('The grey lines are locked').first().waitFor();
  const text = () => page.evaluate(() => document.querySelector('code-editor').value);
  const before = await text();
  const kept = field.locator('.kept').first();
  await kept.click();
  await page.keyboard.type('x');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Control+Shift+k');
  await page.evaluate(() => navigator.clipboard.writeText('many: lines\n'.repeat(3000)));
  await page.keyboard.press('Control+v');
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  assert.equal(await text(), before, 'nothing changed');
  await page.locator('.cm-tooltip', { hasText: 'The grey lines are locked' }).waitFor();
  assert.match(await page.locator('.cm-announced').textContent(), /grey lines are locked/);

  // The line that is open: by its own words.
  await page.evaluate(() => {
    const editor = document.querySelector('code-editor');
    editor.cursor = editor.value.indexOf('tcp-web');
  });
  await page.keyboard.press('Delete');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Delete');
  await page.keyboard.type('http');
  await page.locator('.task').getByText('Solved.').waitFor();
  // Many lines at once, where they may stand.
  await go(page, 'exercise=shadowed-route');
  await page.locator('code-editor .cm-content', { hasText: 'default via' }).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.press('Control+v');
  await page.waitForFunction(() => document.querySelector('code-editor').value.split('\n').length > 3000);
});

story('a class is marked from a table and can be cancelled', {}, async ({ page }) => {
  await go(page, 'teach');
  const hand = (n) => JSON.stringify({
    format: 'northsouth hand-in', exercise: 'shadowed-route', name: `S ${n}`, started: '', finished: '', version: 1, hints: 0, answers: {},
    changes: [{ file: 'nodes/work001/ip-route.txt', edit: '-172.20.1.144/28 via 192.168.0.18 dev eth0\n' }],
  });
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  const rows = Array.from({ length: 400 }, (_, n) => `${n},${quoted(`Student, ${n}`)},${quoted(hand(n))}`);
  const csv = ['ID,Full name,Online text', ...rows, '9999,"Nobody, N",'].join('\r\n');
  // As soon as the first is marked, by whoever is in the page: from outside it may be too late.
  await page.evaluate(() => {
    new MutationObserver((_, observer) => {
      const cancel = [...document.querySelectorAll('button')].find((button) => button.textContent === 'Cancel');
      if (!cancel || !document.querySelector('tbody tr')) return;
      observer.disconnect();
      cancel.click();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.getByLabel('Choose files').setInputFiles({ name: 'moodle.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.getByText(/^(\d+) of \1 looked at$/).waitFor();
  const first = page.locator('tbody tr').first();
  assert.match(await first.textContent(), /Student, 0S 0shadowed-route3\/3100/);
  await page.getByLabel('Choose files').setInputFiles({ name: 'few.csv', mimeType: 'text/csv', buffer: Buffer.from(['Name;Answer', `Ann;${hand(1).replaceAll(';', '')}`, 'Bob;'].join('\n')) });
  await page.getByText('2 of 2 looked at').waitFor();
  assert.match(await page.locator('tbody tr').nth(1).textContent(), /Bob.*nothing was handed in/);
});

story('a folder of hand-ins is dropped, or chosen, and an archive as platforms make it', {}, async ({ page }) => {
  await go(page, 'teach');
  await page.getByRole('textbox', { name: 'Links or hand-ins' }).waitFor();
  const hand = (name, edit) => JSON.stringify({
    format: 'northsouth hand-in', exercise: 'shadowed-route', name, started: '', finished: '', version: 1, hints: 0, answers: {},
    changes: edit ? [{ file: 'nodes/work001/ip-route.txt', edit }] : [],
  });
  const right = '-172.20.1.144/28 via 192.168.0.18 dev eth0\n';
  const folder = mkdtempSync(join(tmpdir(), 'northsouth-class-'));
  try {
    mkdirSync(join(folder, 'class', 'ann'), { recursive: true });
    writeFileSync(join(folder, 'class', 'ann', 'shadowed-route.json'), hand('Ann', right));
    writeFileSync(join(folder, 'class', 'bob.json'), hand('Bob'));
    writeFileSync(join(folder, 'class', 'photo.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]));
    const rows = page.locator('tbody tr');
    const marked = async () => {
      await page.getByText('3 of 3 looked at').waitFor();
      const texts = await rows.allTextContents();
      assert.match(texts[0], /ann\/shadowed-route\.jsonAnnshadowed-route3\/3100/);
      assert.match(texts[1], /bob\.jsonBobshadowed-route0\/3/);
      assert.match(texts[2], /photo\.png.*this is no text/);
    };
    await page.getByLabel('Choose a folder').setInputFiles(join(folder, 'class'));
    await marked();

    // The same folder, dropped: files and a folder as the browser's entries give them.
    await page.reload();
    await page.getByRole('textbox', { name: 'Links or hand-ins' }).waitFor();
    await page.waitForFunction(() => customElements.get('code-editor'));
    const files = ['ann/shadowed-route.json', 'bob.json', 'photo.png'].map((path) => [path, [...readFileSync(join(folder, 'class', path))]]);
    await page.evaluate((all) => {
      const leaf = (name, bytes) => ({ isFile: true, name, file: (then) => then(new File([new Uint8Array(bytes)], name)) });
      const dir = (name, inside) => ({
        isDirectory: true,
        name,
        createReader: () => { let left = inside; return { readEntries: (then) => { const some = left; left = []; then(some); } }; },
      });
      const [ann, bob, photo] = all;
      const entry = dir('class', [dir('ann', [leaf('shadowed-route.json', ann[1])]), leaf('bob.json', bob[1]), leaf('photo.png', photo[1])]);
      const event = new Event('drop', { cancelable: true });
      event.dataTransfer = { items: [{ kind: 'file', webkitGetAsEntry: () => entry, getAsFile: () => null }], types: ['Files'] };
      dispatchEvent(event);
    }, files);
    await marked();

    // A zip of them, stored as it is.
    await page.getByLabel('Choose files').setInputFiles({ name: 'submissions.zip', mimeType: 'application/zip', buffer: zipOf({ 'ann_1/a.json': hand('Ann', right), 'bob_2/b.json': hand('Bob') }) });
    await page.getByText('2 of 2 looked at').waitFor();
    assert.match(await rows.nth(0).textContent(), /ann_1\/a\.jsonAnnshadowed-route3\/3100/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** A zip of texts, none of them packed. */
function zipOf(files) {
  const entries = Object.entries(files).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]);
  const locals = [];
  const central = [];
  let at = 0;
  for (const [name, body] of entries) {
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt32LE(crc32(body), 10);
    head.writeUInt32LE(body.length, 14);
    head.writeUInt32LE(body.length, 18);
    head.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), head, name, body]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), head, rest, name]));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06'), end]);
}

story('a prediction is told nothing before it is made', {}, async ({ page }) => {
  await go(page, 'exercise=from-inside-to-the-balancer');
  const task = page.locator('.task');
  await task.getByText('Answer first; then the walk is shown.').waitFor();
  await task.getByRole('radio', { name: 'KUBE-SVC-HBO2MBMQRZFAHKF2' }).check();
  await task.getByRole('textbox').fill('172.20.1.165');
  await task.getByRole('button', { name: 'Answer', exact: true }).click();
  await task.getByRole('radio', { name: 'no', exact: true }).check();
  assert.equal(await task.locator('.score').textContent(), '', 'all is right, and nothing says so');
  assert.equal(await task.getByText('Solved.').count(), 0);
  assert.equal(await page.getByText('172.20.1.157:80', { exact: true }).count(), 0);
  await page.getByRole('button', { name: 'Share' }).click();
  const dialog = page.getByRole('dialog');
  assert.ok(await dialog.getByRole('button', { name: 'As text, every packet' }).isDisabled());
  await page.keyboard.press('Escape');
  await task.getByRole('button', { name: 'Show the walk' }).first().click();
  await task.getByText('Solved.').waitFor();
});

story('the workspace at hand becomes an exercise, which is kept as a file and opened from there; progress likewise', {}, async ({ page }) => {
  await page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'work001' }).click();
  await page.getByRole('navigation', { name: 'Files', exact: true }).getByRole('button', { name: 'ip-route' }).click();
  await page.locator('code-editor .cm-content', { hasText: 'default via' }).waitFor();
  await page.locator('code-editor').evaluate((editor) => {
    const text = `${editor.value}172.20.1.144/28 via 192.168.0.18 dev eth0\n`;
    editor.value = text;
    editor.dispatchEvent(new CustomEvent('edit', { detail: text }));
  });
  await page.waitForFunction(() => Object.values(localStorage).some((kept) => kept.includes('172.20.1.144/28')));
  await go(page, 'teach');
  await page.getByRole('button', { name: 'Take the workspace as it is in the playground' }).click();
  const draft = page.getByRole('textbox', { name: 'The exercise' });
  const taken = await draft.inputValue();
  assert.match(taken, /edit:\s*\n?-? ?nodes\/work001\/ip-route\.txt/);
  assert.match(taken, /```edit nodes\/work001\/ip-route\.txt\n[^`]*\+172\.20\.1\.144\/28/);
  const told = taken.replace(/^# $/m, '# The other node gets it\n\nRequests for the gateway end at the wrong node.')
    .replace('## hint 1\n', '## hint 1\n\nLook.\n').replace('## hint 2\n', '## hint 2\n\nLook closer.\n').replace('## hint 3\n', '## hint 3\n\nThe longest prefix.\n')
    .replace('## solution\n', '## solution\n\nAway with it.\n\n```edit nodes/work001/ip-route.txt\n-172.20.1.144/28 via 192.168.0.18 dev eth0\n```\n');
  await draft.fill(told);
  await page.getByRole('combobox', { name: 'Kind of goal' }).selectOption({ value: 'avoids' });
  await page.getByRole('status').filter({ hasText: 'does not hold' }).waitFor();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('button', { name: /^Remove: / }).first().click();
  await page.getByText('It is sound').waitFor();
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as a file (en)' }).click();
  const file = await (await saved).path();

  await go(page, 'course');
  await page.getByRole('heading', { name: 'Lessons' }).waitFor();
  await page.getByLabel('Open files').setInputFiles({ name: 'own.md', mimeType: 'text/markdown', buffer: readFileSync(file) });
  await page.getByRole('heading', { name: 'The other node gets it' }).waitFor();
  await page.locator('code-editor .cm-content').getByText('172.20.1.144/28').click();
  await page.keyboard.press('Control+Shift+k');
  await page.locator('.task').getByText('Solved.').waitFor();

  await go(page, 'exercise=shadowed-route');
  await page.getByRole('heading', { name: 'The page times out since Tuesday' }).waitFor();
  await page.locator('code-editor .cm-content').getByText('172.20.1.144/28').click();
  await page.keyboard.press('Control+Shift+k');
  await page.locator('.task').getByText('Solved.').waitFor();
  await go(page, 'course');
  await page.locator('.course .done', { hasText: 'The page times out' }).waitFor();
  const exported = page.waitForEvent('download');
  await page.getByRole('region', { name: 'Progress' }).getByRole('button', { name: 'Save as a file' }).click();
  const progress = readFileSync(await (await exported).path());
  await page.evaluate(() => localStorage.removeItem('northsouth.progress'));
  await page.reload();
  await page.getByRole('heading', { name: 'Lessons' }).waitFor();
  assert.equal(await page.locator('.course .done').count(), 0);
  await page.getByLabel('Load from a file').setInputFiles({ name: 'p.txt', mimeType: 'text/plain', buffer: progress });
  await page.locator('.course .done', { hasText: 'The page times out' }).waitFor();
});

story('a lesson is presented: a clicker turns, the notes keep step, a code names the link', {}, async ({ page, context }) => {
  await go(page, 'lesson=05-dnat');
  const card = page.locator('.tour');
  await card.getByRole('button', { name: 'Present' }).click();
  await page.locator('.page.presenting').waitFor();
  const opened = context.waitForEvent('page');
  await card.getByRole('button', { name: 'Speaker’s notes' }).click();
  const notes = await opened;
  await notes.getByText('Ask the class which packets of a connection').waitFor();
  await page.keyboard.press('PageDown');
  await notes.getByRole('heading', { name: 'The note that the kernel keeps' }).waitFor();
  await notes.getByRole('button', { name: 'Next' }).click();
  await card.getByRole('heading', { name: 'The answer needs no rule' }).waitFor();
  await notes.keyboard.press('PageUp');
  await card.getByRole('heading', { name: 'The note that the kernel keeps' }).waitFor();
  await accessible(notes);
  await notes.close();
  await card.getByRole('button', { name: 'QR code' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('img', { name: 'QR code of the link below' }).waitFor();
  assert.match(await dialog.locator('.snippet').textContent(), /#lesson=05-dnat$/);
  await page.keyboard.press('Escape');
  await card.getByRole('button', { name: 'Present' }).click();
  assert.equal(await page.locator('.page.presenting').count(), 0);
});

story('what may be edited and the goals of an exercise are picked, in both languages', {}, async ({ page }) => {
  await go(page, 'teach');
  const read = (lang) => ({ name: `${lang}.md`, mimeType: 'text/markdown', buffer: readFileSync(new URL(`../../content/${lang}/exercises/exactly-a-tenth.md`, import.meta.url)) });
  await page.getByLabel('Open files').setInputFiles([read('en'), read('zh-CN')]);
  await page.getByText('It is sound').waitFor();
  await page.getByRole('combobox', { name: 'cluster.yaml' }).selectOption('some lines, by number');
  const draft = page.getByRole('textbox', { name: 'The exercise' });
  assert.match(await draft.inputValue(), /\{file: cluster.yaml, lines: 1-\d+\}/);
  await page.getByRole('combobox', { name: 'Kind of goal' }).selectOption('exactly this share reaches');
  await page.getByRole('status').filter({ hasText: 'does not hold' }).waitFor();
  await page.getByRole('button', { name: 'Add' }).click();
  await page.locator('button[aria-pressed]', { hasText: '中文' }).click();
  assert.match(await draft.inputValue(), /\n- \{share: 10 %, of: "?web-v2\*"?, probe: everybody\}\nsources/);
  await accessible(page);
  await page.getByRole('link', { name: 'Open as a student' }).click();
  await page.getByRole('heading', { name: 'Exactly a tenth' }).waitFor();
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByRole('heading', { name: '恰好十分之一' }).waitFor();
});

for (const [locale, button, answers] of [['en-GB', 'Handout: The node and its port', 'Answers'], ['zh-CN', '讲义: 节点和它的端口', '答案']]) {
  story(`a lesson is printed, its answers on a sheet of their own, ${locale}`, { locale }, async ({ page }) => {
    await page.evaluate(() => {
      globalThis.print = () => {
        dispatchEvent(new Event('beforeprint'));
        globalThis.printed = document.querySelector('#paper').innerHTML;
        dispatchEvent(new Event('afterprint'));
      };
    });
    await go(page, 'course');
    await page.getByRole('button', { name: button }).click();
    await page.waitForFunction(() => globalThis.printed);
    const [text, behind] = (await page.evaluate(() => globalThis.printed)).split('class="answers"');
    assert.ok(text.split('<figure>').length > 3 && text.includes('class="question"'));
    assert.ok(behind.includes(answers) && behind.includes('<strong>KUBE-NODEPORTS</strong>'));
    assert.equal(await page.locator('#paper').count(), 0);
  });
}

story('what an exercise wants predicted is not told on the line of time', {}, async ({ page, url }) => {
  await page.goto(`${url}#exercise=count-the-hops`);
  await page.locator('.task').waitFor();
  await loaded(page);
  await page.locator('.line .dots').waitFor();
  assert.equal(await page.locator('.line .change').count(), 0);
  assert.equal(await page.locator('.line .dot.changed:not(.now)').count(), 0);
  assert.equal(await page.locator('.packets button').count(), 1);
});
