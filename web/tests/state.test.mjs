import assert from 'node:assert/strict';
import test from 'node:test';
import {tickMs} from '../player.js';
import {cursorToken, isRunning, kNothingYet, reduce, shownTokens, totals} from '../state.js';
import {ending, totalsRows} from '../totals.js';

const token = (id, steps = 2) => ({
  token: id, thinking_steps: steps, forward_passes: 5,
  states: Array.from({length: steps + 1}, (_, step) => ({energy: -step, top: []})),
});
const chunk = (run, tokens, more = {}) => ({
  type: 'chunk', run, seconds: 2, chunk: {choices: [{thinking: tokens, finish_reason: null}], ...more}});
const after = (actions, state = kNothingYet) => actions.reduce(reduce, state);
const start = (...names) => ({type: 'start', prompt: 'The ', names});
const live = {type: 'pace', pace: 'live'};
const ticks = (count) => Array(count).fill({type: 'tick'});

test('live, the cursor is at the last step of the newest token', () => {
  const state = after([live, start('thinking'), chunk('thinking', [token(1)]), chunk('thinking', [token(2)])]);
  assert.equal(state.shown, 2);
  assert.deepEqual(state.cursor, {run: 'thinking', index: 1, step: 2});
  assert.equal(cursorToken(state).token, 2);
});

test('in slow motion every step of a token comes before the next token', () => {
  let state = after([start('thinking'), chunk('thinking', [token(1), token(2)])]);
  assert.equal(state.shown, 0);
  const seen = [];
  for (let i = 0; i < 6; ++i) {
    state = reduce(state, {type: 'tick'});
    seen.push([state.shown, state.cursor.step]);
  }
  assert.deepEqual(seen, [[1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [2, 2]]);
});

test('slow motion waits for a text that is still written, and ends with it', () => {
  let state = after([start('thinking'), chunk('thinking', [token(1)]), ...ticks(5)]);
  assert.equal(state.playing, true);
  state = after([{type: 'end', run: 'thinking', status: 'done'}, {type: 'tick'}], state);
  assert.equal(state.playing, false);
});

test('slow motion waits for the thinking text when the other is ahead', () => {
  let state = after([start('thinking', 'off'), chunk('off', [token(1), token(2), token(3)]),
                     chunk('thinking', [token(1)]), ...ticks(9)]);
  assert.equal(state.shown, 1);
  state = after([{type: 'end', run: 'thinking', status: 'stopped'}, ...ticks(9)], state);
  assert.equal(state.shown, 3);
  assert.equal(shownTokens(state, 'thinking').length, 1);
  assert.equal(shownTokens(state, 'off').length, 3);
});

test('when the thinking text has no token, the other is looked at', () => {
  const state = after([live, start('thinking', 'off'), chunk('off', [token(9)])]);
  assert.equal(cursorToken(state).token, 9);
});

test('what slow motion has not shown yet can be skipped, and it goes on with what comes then', () => {
  let state = after([start('thinking'), chunk('thinking', [token(1), token(2)]), {type: 'tick'}, {type: 'skip'}]);
  assert.deepEqual([state.shown, state.cursor.index, state.cursor.step], [2, 1, 2]);
  state = after([chunk('thinking', [token(3)]), {type: 'tick'}], state);
  assert.deepEqual([state.shown, state.cursor.index, state.cursor.step, state.pace], [3, 2, 0, 'slow']);
});

test('turning slow motion off shows all that has arrived', () => {
  const state = after([start('thinking'), chunk('thinking', [token(1), token(2)]), live]);
  assert.equal(state.shown, 2);
  assert.equal(state.playing, false);
});

test('a selected token stays selected while others arrive, until following again', () => {
  let state = after([live, start('thinking'), chunk('thinking', [token(1), token(2)]),
                     {type: 'select', run: 'thinking', index: 0}, chunk('thinking', [token(3)])]);
  assert.deepEqual(state.cursor, {run: 'thinking', index: 0, step: 2});
  assert.equal(state.shown, 3);
  state = reduce(state, {type: 'follow'});
  assert.equal(state.cursor.index, 2);
});

test('selecting plays the steps of that token only', () => {
  let state = after([live, start('thinking'), chunk('thinking', [token(1), token(2)]),
                     {type: 'select', run: 'thinking', index: 0, play: true}]);
  assert.deepEqual([state.cursor.step, state.playing], [0, true]);
  state = after(ticks(3), state);
  assert.deepEqual([state.cursor.index, state.cursor.step, state.playing], [0, 2, false]);
});

test('a selection outside of the text is moved into it', () => {
  const state = after([live, start('thinking'), chunk('thinking', [token(1)]),
                       {type: 'select', run: 'thinking', index: 12}]);
  assert.equal(state.cursor.index, 0);
});

test('a chosen step is kept within the steps that were taken', () => {
  const state = after([live, start('thinking'), chunk('thinking', [token(1, 3)]), {type: 'step', step: 99}]);
  assert.equal(state.cursor.step, 3);
});

test('replay starts over with nothing shown', () => {
  const state = after([live, start('thinking'), chunk('thinking', [token(1)]), {type: 'replay'}]);
  assert.deepEqual([state.shown, state.cursor, state.playing, state.pace], [0, null, true, 'slow']);
});

test('totals are summed, and replaced by what the server counted', () => {
  let state = after([live, start('thinking'), chunk('thinking', [token(1), token(2)])]);
  assert.deepEqual(totals(state.runs.thinking), {
    tokens: 2, thinking_steps: 4, forward_passes: 10, seconds: 2, tokens_per_second: 1});
  const usage = {completion_tokens: 2, thinking_steps: 4, forward_passes: 17};
  state = reduce(state, {type: 'chunk', run: 'thinking', seconds: 9, chunk: {choices: [], usage}});
  assert.equal(totals(state.runs.thinking).forward_passes, 17);
  assert.equal(totals(state.runs.thinking).seconds, 2, 'time is that of the newest token');
  assert.equal(totalsRows(state.runs.thinking, false).some(([name]) => name === 'thinking steps'), false);
});

test('the text of completions and of chats is gathered', () => {
  const choice = (more) => ({type: 'chunk', run: 'thinking', seconds: 1, chunk: {choices: [more]}});
  const state = after([start('thinking'), choice({text: 'ab'}), choice({delta: {role: 'assistant'}}),
                       choice({delta: {content: 'c'}}), {...choice({}), chunk: {choices: [], usage: {}}}]);
  assert.equal(state.runs.thinking.text, 'abc');
});

test('a run says what ended it', () => {
  const state = after([live, start('thinking', 'off'),
                       {type: 'chunk', run: 'thinking', seconds: 1, chunk: {choices: [{finish_reason: 'length'}]}},
                       {type: 'end', run: 'thinking', status: 'done'},
                       {type: 'end', run: 'off', status: 'failed', error: 'No.'}]);
  assert.equal(isRunning(state), false);
  assert.equal(ending(state.runs.thinking), 'its length');
  assert.equal(ending(state.runs.off), 'an error');
  assert.equal(state.runs.off.error, 'No.');
});

test('a token takes about the same time however many steps it thought', () => {
  const time = (steps) => {
    const state = after([start('thinking'), chunk('thinking', [token(1, steps)]), {type: 'tick'}]);
    return tickMs(state) * (steps + 1);
  };
  assert.equal(time(3), time(7));
});

test('unknown actions are errors', () => {
  assert.throws(() => reduce(kNothingYet, {type: 'nonsense'}), /unknown action nonsense/);
});
