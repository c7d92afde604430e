// The page on servers of every mood, which the double of web/tests plays.
import assert from 'node:assert/strict';
import test from 'node:test';
import {startMockServer} from '../../web/tests/mock_server.mjs';
import {start, tokens, waitForEnd, waitForTokens, write} from './drive.mjs';
import {onPage} from './harness.mjs';

async function withServer(changes, body, options) {
  const server = await startMockServer(changes);
  try {
    await onPage(server.url, (page) => body(page, server), options);
  } finally {
    await server.close();
  }
}

test('what the form says is what is asked', () => withServer({}, async (page, server) => {
  await write(page, {prompt: 'A ', length: 3, compare: true});
  await waitForEnd(page);
  const common = {model: 'valley', prompt: 'A ', max_tokens: 3, temperature: 0.7, seed: 0, trace: 8, stream: true,
                  stream_options: {include_usage: true}};
  assert.deepEqual(server.requests, [
    {...common, thinking: {steps: 4, on: 'final', candidates: 1, stop_change: 0}},
    {...common, thinking: {steps: 1, on: 'final', candidates: 1, stop_change: 0}}]);
}));

test('only the end of a long prompt is asked for', () => withServer({}, async (page, server) => {
  await write(page, {prompt: 'A '.repeat(200), length: 3});
  await waitForEnd(page);
  assert.equal(server.requests[0].truncate_prompt_tokens, -1);
}));

test('what is set under Advanced is asked too, also of a chat', () => withServer({}, async (page, server) => {
  await page.locator('#start:enabled').waitFor();
  await page.locator('#advanced summary').click();
  await page.locator('#top-p').fill('0.9');
  await page.locator('#top-k').fill('40');
  await page.locator('#seed').fill('7');
  await page.locator('#stop-strings').fill('END\n\\n\\n');
  await page.locator('#chat').check();
  await page.locator('#system').fill('Be brief.');
  await write(page, {prompt: 'Hi', length: 2});
  await waitForEnd(page);
  const {messages, top_p, top_k, seed, stop, prompt} = server.requests[0];
  assert.deepEqual({top_p, top_k, seed, stop, prompt},
                   {top_p: 0.9, top_k: 40, seed: 7, stop: ['END', '\n\n'], prompt: undefined});
  assert.deepEqual(messages, [{role: 'system', content: 'Be brief.'}, {role: 'user', content: 'Hi'}]);
}));

test('an impossible number that is folded away is shown, and nothing is asked', () => withServer({}, async (page, server) => {
  await page.locator('#start:enabled').waitFor();
  await page.locator('#advanced summary').click();
  await page.locator('#length').fill('');
  await page.locator('#advanced summary').click();
  await start(page);
  await page.locator('#length:focus').waitFor();
  assert.equal(await page.locator('#length').isVisible(), true);
  assert.equal(server.requests.length, 0);
}));

test('stopping tells the server', () => withServer({token_ms: 20}, async (page, server) => {
  await write(page, {length: 500, compare: true});
  await waitForTokens(page, 2, 'off');
  await page.keyboard.press('Escape');
  await waitForEnd(page);
  for (let i = 0; i < 50 && server.log.cancelled < 2; ++i) await page.waitForTimeout(20);
  assert.equal(server.log.cancelled, 2);
}));

test('tokens of a slow server appear as they come', () => withServer({token_ms: 250}, async (page) => {
  await write(page, {length: 4});
  await waitForTokens(page, 1);
  assert.ok(await tokens(page).count() < 4);
  assert.equal(await page.locator('#pane-thinking').getAttribute('aria-busy'), 'true');
  await waitForEnd(page);
  assert.equal(await tokens(page).count(), 4);
}));

test('bytes that are no character stand there as numbers', () => withServer({}, async (page) => {
  await write(page, {length: 150});
  await waitForEnd(page);
  const mark = (index) => tokens(page).nth(index).evaluate((token) => getComputedStyle(token, '::before').content);
  assert.equal(await mark(20), '"FF"');
  const text = await page.locator('#text-thinking').textContent();
  assert.match(text, /last\.\nNaïve/);
  assert.doesNotMatch(text, /FF|C3|↵/);
  await tokens(page).nth(20).click();
  await page.locator('#inspected').getByText('‹FF›').waitFor();
}));

test('a key is asked for quietly, and only by a server that wants one', () => withServer({bearer: 'sesame'}, async (page) => {
  await page.locator('#token').waitFor();
  assert.equal(await page.locator('#error').isVisible(), false);
  await page.locator('#token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.locator('#error').getByText('This key does not open the server.').waitFor();
  await page.locator('#token').fill('sesame');
  await page.keyboard.press('Enter');
  await page.locator('#start:enabled').waitFor();
  assert.equal(await page.locator('#token').isVisible(), false);
  assert.equal(await page.locator('#error').isVisible(), false);
  await write(page, {length: 3});
  await waitForEnd(page);
  assert.equal(await tokens(page).count(), 3);
}, {expected_complaints: /status of 401/}));

test('a full queue is told in the words of the server', () => withServer(
    {refuse: {status: 429, message: 'All 64 places of the queue are taken; try again later.'}}, async (page) => {
  await write(page);
  await page.locator('#pane-thinking .error').getByText('All 64 places of the queue are taken').waitFor();
  assert.equal(await page.locator('#pane-thinking .totals').isVisible(), false);
}, {expected_complaints: /status of 429/}));

test('a text that breaks off keeps its tokens and says why', () => withServer({fail_after: 5}, async (page) => {
  await write(page, {length: 20});
  await page.locator('#pane-thinking .error').getByText('The model folder was removed.').waitFor();
  assert.equal(await tokens(page).count(), 5);
  assert.equal(await page.locator('#start').isEnabled(), true);
}));

test('a connection that is cut says so', () => withServer({cut_after: 5, token_ms: 10}, async (page) => {
  await write(page, {length: 20});
  await page.locator('#pane-thinking .error').getByText('ended before the answer was finished').waitFor();
  assert.equal(await tokens(page).count(), 5);
}, {expected_complaints: /ERR_/}));

test('a server that has gone is missed', () => withServer({}, async (page, server) => {
  await page.locator('#start:enabled').waitFor();
  await server.close();
  await write(page);
  await page.locator('#pane-thinking .error').getByText('The server does not answer').waitFor();
}, {expected_complaints: /ERR_/}));

test('a calibrated model is coloured by its probability of being right', () => withServer({calibrated: true}, async (page) => {
  await write(page);
  await waitForEnd(page);
  assert.match(await page.locator('#legend').textContent(), /Calibrated probability of being right/);
  assert.match(await tokens(page).first().getAttribute('aria-label'), /probability of being right \d/);
}));

test('a model that does not think says so', () => withServer({arch: 'transformer_pp'}, async (page) => {
  await page.locator('#about-baseline').waitFor();
  assert.equal(await page.locator('#about-thinking').isVisible(), false);
  assert.equal(await page.locator('#title').textContent(), 'Watch it write');
  assert.equal(await page.locator('#steps').isVisible(), false);
  assert.equal(await page.locator('#compare').isVisible(), false);
  assert.equal(await page.locator('#inspector').isVisible(), false);
  await page.locator('#slow').setChecked(false);
  await start(page);
  await waitForEnd(page);
  assert.match(await page.locator('#legend').textContent(), /this model has no energy/);
  assert.match(await tokens(page).first().getAttribute('aria-label'), /: probability /);
}));
