// The cluster as a whole: roads, life, dialects, whose a file is, and which field made which line.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import { openPage } from '../lib/browser.mjs';
import { accessible, openTab } from '../lib/page.mjs';
import { story } from '../lib/story.mjs';

/** Opens a scenario, at its first step. */
async function open(page, url, scenario, shown = 'code-editor .cm-content') {
  // From elsewhere, so that what is found is the new page's; and when the old one has all that it fetches.
  await page.waitForLoadState('networkidle');
  await page.goto('about:blank');
  await page.goto(`${url}#scenario=${scenario}`);
  await page.locator(shown).waitFor();
}

async function file(page, machine, name) {
  await page.getByRole('navigation', { name: /^(Machines|机器)$/ }).getByRole('button', { name: machine, exact: true }).click();
  await page.getByRole('navigation', { name: /^(Files|文件)$/ }).getByRole('button', { name }).click();
}

/** A line of the editor, scrolled to: it draws those in sight only. */
async function line(page, text) {
  const found = page.locator('code-editor .cm-line').filter({ hasText: text }).first();
  for (let i = 0; i < 40 && (await found.count()) === 0; i += 1) {
    await page.locator('code-editor .cm-scroller').evaluate((editor) => editor.scrollBy(0, 200));
    await page.waitForTimeout(50);
  }
  return found;
}

const edit = (page, from, to) =>
  page.locator('code-editor').evaluate((editor, [from, to]) => {
    editor.value = editor.value.replace(from, to);
    editor.dispatchEvent(new CustomEvent('edit', { detail: editor.value }));
  }, [from, to]);

story('the weights of a route are exact chances, beside a tally of connections', {}, async ({ page, url }) => {
  await open(page, url, 'canary-weight');
  await openTab(page, 'Outcomes');
  const panel = page.getByRole('tabpanel');
  await panel.getByText('The shares are unequal: web-v1 gets 9/10, web-v2 1/10').waitFor();
  const counted = await panel.getByRole('img', { name: /of 100 connections/ }).evaluateAll((bars) =>
    bars.map((bar) => Number(/: (\d+) of/.exec(bar.getAttribute('aria-label'))[1])));
  assert.equal(counted.reduce((a, b) => a + b), 100);
  await panel.getByText('On the way').waitFor();
  await panel.locator('summary').first().click();
  await panel.getByRole('button', { name: /^outbound\|80\|v1\|web/ }).click();
  await page.locator('code-editor .cm-line').filter({ hasText: 'subset: v1' }).waitFor();
});

story('a pod is deleted: the walk, the texts, and the connection that was there', {}, async ({ page, url }) => {
  await open(page, url, 'policy-cluster');
  await openTab(page, 'Cluster');
  const panel = page.getByRole('tabpanel');
  await panel.getByRole('button', { name: 'delete default/web-a' }).click();
  const changed = panel.getByRole('region', { name: 'What it changed' });
  await changed.getByText('web-b: it is delivered').waitFor();
  await changed.getByText('work001: the next machine does not answer').waitFor();
  assert.match(await changed.locator('.way').nth(1).textContent(), /work001\s+→\s+vpc\s+→\s+work002\s+→\s+web-b/);
  await changed.locator('summary').filter({ hasText: 'nodes/work001/iptables-save.txt' }).click();
  await changed.locator('details[open] .diff .gone').first().waitFor();
  await accessible(page);
  await changed.getByRole('button', { name: 'Compare the walks step by step' }).click();
  await panel.getByText('Here the walks part').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await panel.getByText('Both walks are the same').waitFor();
});

story('nodes stop and come back, checks fail, pods are unready, workloads scale', {}, async ({ page, url }) => {
  await open(page, url, 'manifests-1-36-iptables');
  await openTab(page, 'Cluster');
  const panel = page.getByRole('tabpanel');
  const said = panel.getByRole('region', { name: 'What it changed' }).getByRole('status');
  for (const [name, sentence] of [
    ['scale to 3 default/istio-ingressgateway', 'Scale default/istio-ingressgateway to 3'],
    ['stop work001', 'Stop node work001'],
    ['start work001', 'Start node work001'],
    ['fail check work001', "Let the load balancer’s check of work001 fail"],
    ['pass check work001', "Let the load balancer’s check of work001 pass"],
    ['drain work002', 'Drain node work002'],
    ['uncordon work002', 'Uncordon node work002'],
  ]) {
    await panel.getByRole('button', { name, exact: true }).click();
    await said.getByText(sentence, { exact: true }).waitFor();
  }
  await open(page, url, 'policy-cluster');
  await openTab(page, 'Cluster');
  await panel.getByRole('button', { name: 'make unready default/web-a' }).click();
  await panel.getByText('web-b: it is delivered').waitFor();
  // conntrack keeps its NAT.
  await panel.getByText('web-a: it is delivered').nth(1).waitFor();
});

story('one Service in every dialect, on one node and the other', {}, async ({ page, url }) => {
  await open(page, url, 'policy-local');
  await openTab(page, 'Cluster');
  await page.getByRole('button', { name: 'One Service in every dialect' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('heading', { name: '1.14 iptables' }).waitFor();
  assert.match(await dialog.locator('section').first().textContent(), /KUBE-XLB-/);
  assert.match(await dialog.locator('section.own').textContent(), /1\.36 iptables.*KUBE-EXT-/s);
  assert.match(await dialog.locator('section').last().textContent(), /map service-ips/);
  assert.match(await dialog.locator('section.own').textContent(), /DNAT|KUBE-SEP-/);
  await dialog.getByLabel('Node').selectOption('work002');
  await dialog.locator('section.own').getByText('DROP').first().waitFor();
  await accessible(page);
});

story('a generated file is taken over, differs, and is given back', {}, async ({ page, url }) => {
  await open(page, url, 'policy-local');
  await file(page, 'work001', 'iptables-save');
  await page.locator('code-editor.generated').waitFor();
  await page.getByText('wrote this, from cluster.yaml').waitFor();
  await accessible(page);
  await page.getByRole('button', { name: 'Take over' }).click();
  await page.getByText('and as kube-proxy would write it').waitFor();
  assert.equal(await page.locator('code-editor.generated').count(), 0);
  await edit(page, '-A KUBE-SERVICES', '-A KUBE-SERVICES -s 10.9.8.0/24');
  await page.getByRole('button', { name: 'Difference' }).click();
  assert.match(await page.locator('.owner .diff .new').textContent(), /-s 10\.9\.8\.0\/24/);
  await accessible(page);
  await page.getByRole('button', { name: 'Give back to kube-proxy' }).click();
  await page.locator('code-editor.generated').waitFor();
});

story('a field lights the lines that it made, and a line names its fields', {}, async ({ page, url }) => {
  await open(page, url, 'policy-local');
  await (await line(page, 'externalTrafficPolicy')).click();
  const made = page.locator('.made');
  await made.getByText(/^Service web spec\.externalTrafficPolicy made \d+ lines in 3 files; used by 2 steps$/).waitFor();
  await accessible(page);
  await made.getByRole('button', { name: /healthy: false/ }).click();
  await page.locator('code-editor .kin').getByText('work002').waitFor();
  await file(page, 'work001', 'iptables-save');
  await page.locator('code-editor .kin').filter({ hasText: 'KUBE-EXT-' }).first().waitFor();
  await made.getByRole('button', { name: 'Service web spec.externalTrafficPolicy' }).click();
  await page.locator('code-editor .cm-activeLine, code-editor .cm-line').filter({ hasText: 'externalTrafficPolicy: Local' }).waitFor();
  // And from a route to the fields of its Node.
  await file(page, 'cluster', 'vpc');
  await (await line(page, '172.20.2.0/25')).click();
  await made.getByText('This line comes from').waitFor();
  await made.getByRole('button', { name: 'Node work002 spec.podCIDR' }).click();
  await page.locator('code-editor .kin').filter({ hasText: '172.20.2.0/25' }).first().waitFor();
});

/** What `kubectl get … -A -o yaml` prints of manifests: one List, in which kinds of Northsouth's own are not. */
function listOf(manifests) {
  const items = manifests.split(/^---$/m).map((text) => text.trim()).filter((text) => /kind: (Service|Node|Pod)\b/.test(text));
  const item = (text) => text.split('\n').map((line, at) => `${at === 0 ? '- ' : '  '}${line}\n`).join('');
  return `apiVersion: v1\nitems:\n${items.map(item).join('')}kind: List\nmetadata:\n  resourceVersion: ""\n`;
}

story('dumps of a whole cluster are dropped: where a node disagrees is shown; all is renamed, and the walk stays', {}, async ({ page, context, url }) => {
  const scenario = fileURLToPath(new URL('../../content/scenarios/policy-cluster/cluster.yaml', import.meta.url));
  await open(page, url, 'policy-cluster');
  const folder = join(mkdtempSync(join(tmpdir(), 'northsouth-')), 'mine');
  const put = (path, text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const manifests = readFileSync(scenario, 'utf8');
  put('cluster.yaml', listOf(manifests));
  put('manifests/kube-proxy.yaml', manifests.split(/^---$/m).find((text) => text.includes('KubeProxyConfiguration')));
  for (const node of ['work001', 'work002']) {
    for (const name of ['iptables-save', 'ip-route', 'ip-addr']) {
      const value = () => page.locator('code-editor').evaluate((editor) => editor.value);
      const last = await value();
      await file(page, node, name);
      // A machine's first file is open as soon as the machine is; no two of these are alike.
      await page.locator(`code-editor [aria-label="nodes/${node}/${name}.txt"]`).waitFor();
      await page.waitForFunction((last) => document.querySelector('code-editor').value !== last, last);
      put(`nodes/${node}/${name}.txt`, await value());
    }
  }
  // Somebody took a rule out by hand.
  const rules = readFileSync(join(folder, 'nodes/work001/iptables-save.txt'), 'utf8');
  const without = rules.replace(/^-A KUBE-NODEPORTS .*\n/m, '');
  assert.notEqual(without, rules);
  put('nodes/work001/iptables-save.txt', without);

  const client = await context.newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await client.send('Input.dispatchDragEvent', { type, x: 600, y: 300, data });
  }
  await page.getByRole('dialog', { name: 'Open files…' }).getByRole('button', { name: 'Take these files' }).click();
  await openTab(page, 'Cluster');
  const panel = page.getByRole('tabpanel');
  await panel.getByRole('heading', { name: 'Rules that kube-proxy would not write' }).waitFor();
  await panel.getByRole('heading', { name: 'nodes/work001/iptables-save.txt nat KUBE-NODEPORTS' }).waitFor();
  await panel.locator('.diff .gone').filter({ hasText: '-A KUBE-NODEPORTS' }).waitFor();
  assert.deepEqual(await panel.getByRole('heading', { name: /work002/ }).allTextContents(), [], 'nobody touched that one');
  await panel.getByText(/2 Node, .*1 Service|1 Service.*2 Node/).waitFor();
  await accessible(page);

  const where = await page.locator('.where').textContent();
  await panel.getByRole('button', { name: 'Rename everything' }).click();
  await page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'node-1', exact: true }).waitFor();
  await panel.getByRole('heading', { name: 'nodes/node-1/iptables-save.txt nat KUBE-NODEPORTS' }).waitFor();
  assert.equal(await page.locator('.where').textContent(), where);
  for (const group of ['cluster', 'node-1']) {
    await page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: group, exact: true }).click();
    const text = await page.locator('code-editor').evaluate((editor) => editor.value);
    assert.doesNotMatch(text, /work00|web|182\.92\.|172\.20\./);
  }
  await accessible(page);

  // So it is handed on: the link says nothing of what it was, and opens as the same walk.
  await page.getByRole('button', { name: 'Share' }).click();
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  const carried = inflateSync(Buffer.from(link.split('1.deflate.')[1], 'base64url')).toString();
  assert.match(carried, /node-1/);
  assert.doesNotMatch(carried, /work00|web|182\.92\.|172\.20\./);
  const steps = (where) => where.replace(/^.*? of /, '');
  const opened = await openPage({ browser: context.browser(), url });
  await opened.page.goto(link);
  await opened.page.locator('.where').waitFor();
  assert.equal(steps(await opened.page.locator('.where').textContent()), steps(where));
  await opened.page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'node-1', exact: true }).waitFor();
  assert.equal(await opened.page.locator('.notice').count(), 0);
  assert.deepEqual(opened.offences, []);
  await opened.context.close();
});

story('a walk whose answer is refused ends so after it is renamed, shared and opened', {}, async ({ page, context, url }) => {
  await open(page, url, 'answer-past-the-nat', '#tab-more');
  const end = 'its answer is refused: it comes from another address than was asked';
  await openTab(page, 'All steps');
  await page.locator('.walk-end', { hasText: end }).waitFor();
  await openTab(page, 'Cluster');
  await page.getByRole('button', { name: 'Rename everything' }).click();
  await page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'node-1', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Share' }).click();
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  const opened = await openPage({ browser: context.browser(), url });
  await opened.page.goto(link);
  await opened.page.getByRole('navigation', { name: 'Machines' }).getByRole('button', { name: 'node-1', exact: true }).waitFor();
  await openTab(opened.page, 'All steps');
  await opened.page.locator('.walk-end', { hasText: end }).waitFor();
  assert.deepEqual(opened.offences, []);
  await opened.context.close();
});

story('集群的各个面板：中文、深色、窄屏', { locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 390, height: 844 } }, async ({ page, url }) => {
  await open(page, url, 'policy-local', '#tab-more');
  for (const tab of ['所有去向', '集群']) {
    await openTab(page, tab);
    await accessible(page);
  }
  await page.getByRole('button', { name: '删除 default/web-a' }).click();
  await page.getByText('带来的变化').waitFor();
  await accessible(page);
  await page.getByRole('button', { name: '同一 Service 的各版写法' }).click();
  await page.getByText('本集群所用').waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
});
