// The map: near and far, by hand and by key, and back to the packet.
import assert from 'node:assert/strict';
import { story } from '../lib/story.mjs';

const pane = (page) => page.locator('.map-scroll');
const level = (page) => page.locator('.levels [aria-pressed=true]').textContent();
const width = (page) => page.locator('.map-scroll svg').evaluate((svg) => svg.getBoundingClientRect().width);
const scrolled = (page) => pane(page).evaluate(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop]);
const follow = (page) => page.getByRole('button', { name: 'Follow the packet' });
const toLevel = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function toDnat(page) {
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('button', { name: /→ DNAT/ }).first().click();
}

/** Until something about the page is as wanted. */
async function until(read, wanted) {
  for (let tries = 0; tries < 400; tries += 1) {
    if (wanted(await read())) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`never as wanted, at last: ${await read()}`);
}

story('the map shows the whole way, a machine, a chain, a rule', {}, async ({ page }) => {
  await toDnat(page);
  await toLevel(page, 'Whole way');
  await page.getByRole('button', { name: /^work001 .*the packet is here/ }).waitFor();
  assert.equal(await page.locator('.map .box.part').count(), 0);
  await toLevel(page, 'Machine');
  await page.getByRole('button', { name: /^PREROUTING nat, work001: the packet is here/ }).waitFor();
  assert.equal(await page.locator('.map .drawer').count(), 0);
  await toLevel(page, 'Chain');
  await page.locator('.map .card.current').getByText(/KUBE-SEP/).waitFor();
  await toLevel(page, 'Rule');
  await page.locator('.map .card').getByText('-A KUBE-SEP-EW7YLHH65NRUVIFQ -p tcp').waitFor();
  await page.locator('.map .card').getByText(/source is 203\.0\.113\.9/).waitFor();
});

story('buttons, keys and the wheel zoom, and past a bound the map shows more', {}, async ({ page }) => {
  const before = await width(page);
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await until(() => width(page), (now) => now > before * 1.2);
  await page.keyboard.press('-');
  await until(() => width(page), (now) => Math.abs(now - before) < 8);
  await pane(page).hover();
  await page.keyboard.down('Control');
  for (let turn = 0; turn < 12; turn += 1) await page.mouse.wheel(0, 60);
  await page.keyboard.up('Control');
  await until(() => level(page), (now) => now === 'Machine' || now === 'Whole way');
});

story('two fingers zoom', { hasTouch: true }, async ({ page, context }) => {
  const before = await width(page);
  const box = await pane(page).boundingBox();
  const client = await context.newCDPSession(page);
  const fingers = (apart) => [-1, 1].map((side, id) => ({ x: box.x + box.width / 2 + side * apart, y: box.y + 200, id }));
  await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(40) });
  for (const apart of [44, 48, 52, 56]) {
    await client.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(apart) });
  }
  await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await until(() => width(page), (now) => now > before * 1.25);
});

story('the map is dragged, stays where it was left, and follows the packet again', {}, async ({ page }) => {
  await toDnat(page);
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.getByRole('button', { name: 'Zoom in' }).click();
  const box = await pane(page).boundingBox();
  await page.mouse.move(box.x + 300, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 180, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await follow(page).waitFor();
  const left = await scrolled(page);
  assert.ok(left[0] > 100 && left[1] > 30, `${left}`);
  await page.getByRole('button', { name: 'step' }).last().click();
  assert.deepEqual(await scrolled(page), left);
  await follow(page).click();
  await follow(page).waitFor({ state: 'detached' });
});

story('an opened place stays open while the packet goes on', {}, async ({ page }) => {
  await page.getByRole('button', { name: /^work002 192/ }).click();
  await page.getByRole('button', { name: /^eth0 .*work002/ }).waitFor();
  await page.getByRole('button', { name: 'next machine' }).click();
  await page.getByRole('button', { name: /^eth0 .*work002/ }).waitFor();
  await page.keyboard.press('f');
  await page.getByRole('button', { name: /^eth0 .*work001/ }).waitFor();
});

story('the whole way in Chinese on a dark screen', { colorScheme: 'dark', locale: 'zh-CN' }, async ({ page }) => {
  await page.getByRole('button', { name: '全程' }).click();
  await page.getByRole('button', { name: '适应窗口' }).click();
  await page.getByRole('button', { name: /^work002 192/ }).waitFor();
});

story('forced colours keep the packet and the way apart from the rest', { forcedColors: 'active' }, async ({ page }) => {
  await toDnat(page);
  const colour = (selector, property) =>
    page.locator(selector).first().evaluate((found, name) => getComputedStyle(found)[name], property);
  assert.notEqual(await colour('.map .wire.walked', 'stroke'), await colour('.map .wire:not(.walked)', 'stroke'));
  assert.equal(await colour('.map .packet', 'fill'), await colour('.map .wire.walked', 'stroke'));
});

story('Envoy opens into listener, chain, virtual host, route, cluster, endpoint, each with its text', {}, async ({ page }) => {
  await page.getByRole('tab', { name: 'All steps' }).click();
  await page.getByRole('button', { name: /To cluster outbound/ }).first().click();
  const drawer = page.locator('.map .drawer[role=group]');
  for (const stage of ['listener', 'filter chain', 'virtual host', 'route', 'cluster', 'endpoint']) {
    await drawer.locator('.card .name').getByText(stage, { exact: true }).waitFor();
  }
  await drawer.locator('.card.current .rule.current').waitFor();
  await drawer.locator('.rule.written').getByText('to-tomcat').click();
  await page.locator('code-editor').getByText('to-tomcat').first().waitFor();
});

story('magnified to 400 % all of the page is reached by scrolling', { viewport: { width: 360, height: 225 } }, async ({ page }) => {
  const forward = page.locator('.controls').getByRole('button', { name: 'next machine' });
  await forward.scrollIntoViewIfNeeded();
  await forward.click();
  await page.getByRole('button', { name: /^slb .*the packet is here/ }).waitFor();
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(sideways <= 0, `${sideways} pixels stick out`);
});

for (const width of [320, 390]) {
  story(`at ${width} pixels the map keeps the packet in view, and moves by finger`, { viewport: { width, height: 844 }, hasTouch: true }, async ({ page, context }) => {
    const inView = async () => {
      const [box, around] = await Promise.all([page.locator('.map .packet').boundingBox(), pane(page).boundingBox()]);
      return box.y > around.y - 8 && box.y + box.height < around.y + around.height + 8 && box.x > around.x - 8 && box.x < around.x + around.width;
    };
    const onward = page.locator('.controls').getByRole('button', { name: 'next machine' });
    for (let machine = 0; machine < 4; machine += 1) {
      await toLevel(page, 'Machine');
      await until(inView, (seen) => seen);
      await onward.click();
    }
    const box = await pane(page).boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height - 20];
    const client = await context.newCDPSession(page);
    await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
    for (const up of [10, 30, 60, 90]) {
      await client.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x, y: y - up }] });
    }
    await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await follow(page).click();
    await page.getByRole('button', { name: 'Larger map' }).click();
    assert.ok((await pane(page).boundingBox()).height > box.height * 1.4);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 0);
  });
}

story('with reduced motion the packet is there at once', { reducedMotion: 'reduce' }, async ({ page }) => {
  const moves = await page.locator('.map .packet').evaluate((packet) => getComputedStyle(packet).transitionDuration);
  assert.match(moves, /^0s/);
});
