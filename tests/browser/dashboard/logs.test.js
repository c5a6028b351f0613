// What the emulator and the user function say, as it comes.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { counts, dashboard, eventually, hideable } from './harness.js';

const scratch = mkdtempSync(join(tmpdir(), 'logs-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const TALK = join(scratch, 'talk');
const talkative = new URL('./talkative.cjs', import.meta.url).pathname;
const it = dashboard({ sample: 'shopping-cart-node', env: { NODE_OPTIONS: `--require ${talkative}`, TALK } });

// The user function prints lines, and the emulator has them.
async function say(...lines) {
  writeFileSync(TALK, lines.map((line) => `${line}\n`).join(''));
  process.kill(Number((await it.api('/v1/status')).userFunction.pid), 'SIGUSR2');
  await eventually(`a line "${lines.at(-1)}"`, async () => ((await it.api('/v1/logs?limit=1')).lines ?? []).at(-1)?.text === lines.at(-1));
}

const grid = (page) => page.getByRole('grid', { name: 'Log lines' });
const row = (page, text) => grid(page).getByRole('row').filter({ hasText: text });
const panel = (page) => page.getByRole('region', { name: 'Selected line' });
const queryOf = (page) => page.evaluate(() => location.hash.split('?')[1] ?? '');
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

test('lines of both appear as they come', async () => {
  const page = await it.open('#/logs');
  const ready = row(page, 'the user function is ready');
  await ready.getByText('emulator').waitFor();
  await say('a cart was <b>opened</b>');
  await row(page, 'a cart was <b>opened</b>').getByText('user function').waitFor();
});

test('filters hold on the server, and stand in the address', async () => {
  await say('Apples are here', 'pears are here');
  const page = await it.open('#/logs');
  await row(page, 'pears are here').first().waitFor();
  await page.getByRole('searchbox', { name: 'Part of the text' }).fill('apples');
  await row(page, 'pears are here').waitFor({ state: 'detached' });
  await row(page, 'Apples are here').waitFor();
  assert.equal(await queryOf(page), 'contains=apples');
  await page.reload();
  await row(page, 'Apples are here').waitFor();
  await say('plums are here', 'more apples');
  await row(page, 'more apples').waitFor();
  await counts(row(page, 'plums'), 0);

  await page.getByLabel('Source').selectOption('emulator');
  await page.getByText('No line fits').waitFor();
  await page.getByRole('button', { name: 'Show all lines' }).click();
  await row(page, 'plums').waitFor();
  await page.getByLabel('Source').selectOption('emulator');
  await row(page, 'plums').waitFor({ state: 'detached' });
  await row(page, 'the user function is ready').waitFor();
  await page.getByLabel('Level').selectOption('error');
  await page.getByText('No line fits').waitFor();
  assert.equal(await queryOf(page), 'source=emulator&level=error');
});

test('what is paused stands still, and goes on with what has come meanwhile', async () => {
  const page = await it.open('#/logs');
  await say('before the pause');
  await row(page, 'before the pause').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await say('during the pause');
  const follow = page.getByRole('button', { name: 'Follow (1 new line)' });
  await follow.waitFor();
  await counts(row(page, 'during the pause'), 0);
  await follow.click();
  await row(page, 'during the pause').waitFor();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
});

test('a line is read whole in a panel, can be copied, linked to and closed', async () => {
  const long = `long ${'and longer '.repeat(80)}end`;
  await say('the line before', long, 'the line after');
  const page = await it.open('#/logs');
  await row(page, 'long and longer').last().click();
  await panel(page).getByText(long).waitFor();
  const width = (locator) => locator.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  assert.equal(await width(panel(page).locator('pre')), 0, 'it wraps');
  await panel(page).getByRole('button', { name: 'Copy this line' }).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await clipboard(page), long);

  await grid(page).focus();
  await page.keyboard.press('ArrowDown');
  await panel(page).getByText('the line after').waitFor();
  const query = await queryOf(page);
  assert.match(query, /^line=\d+&run=20\d\d-/);
  await page.keyboard.press('Escape');
  await panel(page).waitFor({ state: 'detached' });
  assert.equal(await queryOf(page), '');
  // Keys go on from where they were.
  await page.keyboard.press('ArrowUp');
  await panel(page).getByText(long).waitFor();

  const linked = await it.open(`#/logs?${query}`);
  await panel(linked).getByText('the line after').waitFor();
  await grid(linked).locator('[aria-selected=true]').getByText('the line after').waitFor();
  await panel(linked).getByRole('button', { name: 'Close' }).click();
  await panel(linked).waitFor({ state: 'detached' });
});

test('a link to an old line finds it, and one to a line that is gone says why', async () => {
  await say('the old line', ...Array.from({ length: 2_000 }, (_, i) => `younger ${i}`));
  const { number } = (await it.api('/v1/logs?limit=1&filter.contains=the+old+line')).lines[0];
  const { started } = await it.api('/v1/status');
  const linked = await it.open(`#/logs?${new URLSearchParams({ line: number, run: started })}`);
  await grid(linked).locator('[aria-selected=true]').getByText('the old line').waitFor();
  const earlier = await it.open(`#/logs?line=${number}&run=2020-01-01T00:00:00Z`);
  await earlier.getByText(`Line ${number} is of an earlier run of the emulator`).waitFor();
  await counts(panel(earlier), 0);
  await earlier.getByRole('button', { name: 'Close the note' }).click();
  assert.equal(await queryOf(earlier), '');
  const filtered = await it.open(`#/logs?line=${number}&contains=younger+77`);
  await filtered.getByText(`Line ${number} does not fit the filter`).waitFor();
  const gone = await it.open('#/logs?line=999999');
  await gone.getByText('There is no line 999999 in this run of the emulator.').waitFor();
  await say(...Array.from({ length: 10_000 }, (_, i) => `pushes out ${i}`));
  const old = await it.open('#/logs?line=1');
  await old.getByText('Line 1 is no longer kept. The emulator keeps the newest 10,000 lines').waitFor();
  // All that came after it until now is shown as well.
  const { lines } = await it.api('/v1/logs?limit=10000&filter.contains=pushes+out+1');
  const whole = await it.open(`#/logs?${new URLSearchParams({ line: lines[0].number, contains: 'pushes out 1' })}`);
  await whole.getByRole('button', { name: 'Follow', exact: true }).waitFor();
  await whole.getByText(`${lines.length.toLocaleString('en-US')} lines`, { exact: true }).waitFor();
  await grid(whole).locator('[aria-selected=true]').getByText(lines[0].text, { exact: true }).waitFor();
  await say('pushes out 1 more');
  await whole.getByRole('button', { name: 'Follow (1 new line)' }).waitFor();
});

test('of many lines only those that are seen exist, and scrolling up holds them', async () => {
  const page = await it.open('#/logs');
  await say(...Array.from({ length: 3000 }, (_, i) => `line number ${i}`));
  await row(page, 'line number 2999').waitFor();
  assert.ok((await grid(page).getByRole('row').count()) < 100);
  await grid(page).hover();
  await page.mouse.wheel(0, -2000);
  await page.getByRole('button', { name: /^Follow/ }).waitFor();
  await row(page, 'line number 2940').waitFor();
  await say('one more');
  await page.getByRole('button', { name: 'Follow (1 new line)' }).click();
  await row(page, 'one more').waitFor();
});

test('lines that came while nobody looked leave no hole', async () => {
  await say('before the hole');
  const page = await it.open('#/logs', { init: hideable });
  await row(page, 'before the hole').waitFor();
  const meanwhile = async (...lines) => {
    await page.evaluate(() => window.hide(true));
    await say(...lines);
    await page.evaluate(() => window.hide(false));
    await row(page, lines.at(-1)).waitFor();
  };
  await meanwhile(...Array.from({ length: 2_000 }, (_, i) => `unseen ${i}`));
  const all = (await it.api('/v1/logs?limit=10000')).lines.length;
  await page.getByText(`${all.toLocaleString('en-US')} lines`, { exact: true }).waitFor();
  await meanwhile('just one more');
});

test('what is shown can be copied and downloaded', async () => {
  await say('alpha for the file', 'beta for the file');
  const page = await it.open('#/logs?contains=for+the+file');
  await row(page, 'beta for the file').waitFor();
  const expected = /^\d\d:\d\d:\d\d\.\d{3} user function info: alpha for the file\n\d\d:\d\d:\d\d\.\d{3} user function info: beta for the file\n$/;
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await page.getByText('Copied').waitFor();
  assert.match(await clipboard(page), expected);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
  assert.equal(download.suggestedFilename(), 'cloudstate-dev.log');
  assert.match(readFileSync(await download.path(), 'utf8'), expected);
});

test('lines of the run before stay, and are told from those of the new one with the same numbers', async () => {
  const restarted = dashboard({ sample: 'shopping-cart-node', manual: true });
  await restarted.start();
  try {
    const page = await restarted.open('#/logs', { allow: [/./] });
    const ready = row(page, 'the user function is ready');
    await ready.waitFor();
    await (await restarted.interrupt())();
    await counts(ready, 2);
    const selected = grid(page).locator('[aria-selected=true]');
    const rowIndex = (locator) => locator.getAttribute('aria-rowindex');
    for (const [each, run] of [[ready.last(), /run=20\d\d-/], [ready.first(), /run=earlier$/]]) {
      await each.click();
      await eventually('the address tells the run', async () => run.test(await queryOf(page)));
      assert.equal(await rowIndex(selected), await rowIndex(each));
    }
    const { started } = await restarted.api('/v1/status');
    await eventually('the page knows the new run', async () => {
      await ready.last().click();
      return new URLSearchParams(await queryOf(page)).get('run') === started;
    });
    await page.keyboard.press('ArrowUp');
    assert.equal(Number(await rowIndex(selected)), Number(await rowIndex(ready.last())) - 1);
    await restarted.closePages();
  } finally {
    await restarted.stop();
  }
});
