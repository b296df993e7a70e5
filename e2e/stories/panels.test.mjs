// Comparing runs, asking why not, coverage, and how far the model goes.
import assert from 'node:assert/strict';
import { accessible, openTab } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

/** Puts a line before the first rule of a chain of work001. */
async function insert(page, chain, rule) {
  await page.getByRole('navigation', { name: /Machines|机器/ }).getByRole('button', { name: 'work001' }).click();
  await page.getByRole('navigation', { name: /^(Files|文件)$/ }).getByRole('button', { name: 'iptables-save' }).click();
  await page.locator('code-editor .cm-content').waitFor();
  await page.locator('code-editor').evaluate((editor, [chain, rule]) => {
    const at = editor.value.search(new RegExp(`^\\[\\d+:\\d+\\] -A ${chain} `, 'm'));
    const text = `${editor.value.slice(0, at)}[0:0] -A ${chain} ${rule}\n${editor.value.slice(at)}`;
    editor.value = text;
    editor.dispatchEvent(new CustomEvent('edit', { detail: text }));
  }, [chain, rule]);
}

story('an edit is compared with the run before it, at the step where they part', {}, async ({ page }) => {
  await openTab(page, 'Compare');
  const panel = page.getByRole('tabpanel');
  await panel.getByText('Both walks are the same').waitFor();
  await panel.getByRole('button', { name: 'Keep this run' }).click();
  await insert(page, 'FORWARD', '-s 203.0.113.9/32 -j DROP');
  await panel.getByText('Here the walks part').waitFor();
  assert.match(await panel.locator('.diff .new').textContent(), /-A FORWARD -s 203\.0\.113\.9\/32 -j DROP/);
  await accessible(page);
  await panel.locator('.pairs .after button').first().click();
  await page.getByRole('tab', { name: 'This step' }).click();
  assert.match(await panel.textContent(), /FORWARD/);
});

story('a rule says why the packet did not take it, and what it would take', {}, async ({ page }) => {
  await openTab(page, 'Why not');
  const panel = page.getByRole('tabpanel');
  await panel.getByLabel('Find a line').fill('work001 KUBE-SERVICES 182.92.251.227');
  await panel.getByRole('button', { name: /KUBE-FW/ }).first().click();
  await panel.getByText('It was asked and did not hold').waitFor();
  await panel.getByText('destination is').first().waitFor();
  await accessible(page);
  await panel.getByRole('button', { name: 'Try it' }).first().click();
  await panel.getByText('The packet took it').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await panel.getByText('It was asked and did not hold').waitFor();
});

story('a rule that was passed over can be asked where it is explained', {}, async ({ page }) => {
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('button', { name: /KUBE-SERVICES \d+ → KUBE-NODEPORTS/ }).first().click();
  await page.getByRole('tab', { name: 'This step' }).click();
  await page.getByRole('button', { name: 'Why not this one?' }).first().click();
  await page.getByRole('heading', { name: 'What it would take' }).waitFor();
});

story('a rule on the map is asked where it stands, by key as well', {}, async ({ page }) => {
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('button', { name: /→ DNAT/ }).first().click();
  const ask = page.locator('.map .ask').filter({ has: page.locator('title') });
  await ask.first().focus();
  await page.keyboard.press('Enter');
  const panel = page.getByRole('tabpanel');
  await panel.getByText('It was asked and did not hold').waitFor();
  await page.getByRole('tab', { name: 'Why not', selected: true }).waitFor();
});

story('tabs go by arrow keys, and those behind “More” come into the row', {}, async ({ page }) => {
  const selected = page.locator('[role=tab][aria-selected=true]');
  await page.getByRole('tab', { name: 'This step' }).focus();
  await page.keyboard.press('ArrowRight');
  await selected.getByText('All steps').waitFor();
  await page.keyboard.press('End');
  await selected.getByText('Why not').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('#more-tabs').getByText('commands on any of these machines').waitFor();
  await accessible(page);
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-more');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await selected.getByText('Terminal').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-terminal');
  assert.equal(await page.locator('#more-tabs').isVisible(), false);
});

story('what “More” holds is read whole', {}, async ({ page }) => {
  await page.locator('#tab-more').click();
  await page.locator('#more-tabs').waitFor();
  const wide = await page.locator('#more-tabs span').evaluateAll((all) => all.filter((e) => e.scrollWidth > e.clientWidth + 1).length);
  const menu = await page.locator('#more-tabs').boundingBox();
  const said = await page.locator('#more-tabs span').evaluateAll((all) => Math.max(...all.map((e) => e.getBoundingClientRect().right)));
  assert.equal(wide, 0);
  assert.ok(said <= menu.x + menu.width, `${said} in ${menu.x + menu.width}`);
});

story('the line under the cursor can be asked', {}, async ({ page }) => {
  await page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'work001' }).click();
  await page.getByRole('navigation', { name: 'Files' }).getByRole('button', { name: 'ip-route' }).click();
  await page.locator('code-editor .cm-line').filter({ hasText: '169.254.123.0' }).click();
  await page.getByRole('button', { name: 'Why not this line?' }).click();
  await page.getByRole('tabpanel').getByText('It was asked and did not hold').waitFor();
});

story('coverage shows which lines probes reach, beside the lines as well', {}, async ({ page }) => {
  await openTab(page, 'Coverage');
  const panel = page.getByRole('tabpanel');
  await panel.getByLabel('More probes').fill('client tcp 192.168.0.18:31061\nnonsense');
  await panel.getByRole('button', { name: 'Measure' }).click();
  await panel.getByText(/lines took a packet of \d+ probes/).waitFor();
  await panel.getByText('No probe can be read in line 2').waitFor();
  await panel.locator('summary').first().click();
  await accessible(page);
  await page.locator('code-editor .covered').first().waitFor();
});

story('怎样才会走到：也说中文，窄屏也能用', { locale: 'zh-CN', viewport: { width: 390, height: 844 } }, async ({ page }) => {
  for (const tab of ['对比', '覆盖', '为何不走']) {
    await openTab(page, tab);
    await accessible(page);
  }
  const panel = page.getByRole('tabpanel');
  await panel.getByLabel('查找一行').fill('work001 ip-route 169.254.0.0');
  await panel.getByRole('button', { name: /169\.254/ }).first().click();
  await panel.getByText('检查过这一条').waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
});

story('each step says how exactly it is modelled, and the walk what it depends on', {}, async ({ page }) => {
  await page.locator('.inspector .fidelity').getByText('exact').first().waitFor();
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.locator('.steps .fidelity summary').click();
  await page.getByText('Linux Virtual Server').waitFor();
});
