import assert from 'node:assert/strict';
import test from 'node:test';
import {describeState, givenName, imageTotals} from '../image_inspector.js';
import {currentState, kNoImageYet, lastState, reduce, stepsOf, tickMs} from '../image_state.js';

const after = (actions, state = kNoImageYet) => actions.reduce(reduce, state);
const source = {type: 'source', source: {name: 'a.png', width: 8, height: 8}};
const start = (play = true, steps = 3) => ({type: 'start', asked: {steps}, play});
const arrived = (step, more = {}) => ({type: 'state', seconds: step, state: {step, energy: 8 / 2 ** step, ...more}});
const ticks = (count) => Array(count).fill({type: 'tick'});
const done = [{type: 'summary', summary: {steps: 3, width: 8, height: 8, tiles: 2, steps_per_tile: 2.5}, seconds: 4},
              {type: 'end', status: 'done'}];

test('states that come at once are played one after the other', () => {
  let state = after([source, start(), arrived(0), arrived(1), arrived(2), arrived(3), ...done]);
  const seen = [state.cursor];
  while (state.playing && seen.length < 10) {
    state = reduce(state, {type: 'tick'});
    seen.push(state.cursor);
  }
  assert.deepEqual(seen, [0, 1, 2, 3]);
});

test('states that come slowly are waited for', () => {
  let state = after([source, start(), ...ticks(3)]);
  assert.equal(state.cursor, null);
  state = after([arrived(0), ...ticks(3), arrived(1), ...ticks(2)], state);
  assert.deepEqual([state.cursor, state.playing], [1, true]);
  state = after([{type: 'end', status: 'done'}, {type: 'tick'}], state);
  assert.equal(state.playing, false);
});

test('without play the newest state is shown', () => {
  const state = after([source, start(false), arrived(0), arrived(1), arrived(2)]);
  assert.deepEqual([state.cursor, state.playing], [2, false]);
  assert.equal(currentState(state).step, 2);
});

test('whoever looks at a state keeps it while others come', () => {
  let state = after([source, start(), arrived(0), arrived(1), {type: 'go', to: 0}, arrived(2), ...ticks(2)]);
  assert.deepEqual([state.cursor, state.playing], [0, false]);
  state = after([{type: 'go', to: 99}], state);
  assert.equal(state.cursor, 2);
});

test('play goes on from where one is, and from the start at the end', () => {
  let state = after([source, start(), arrived(0), arrived(1), arrived(2), {type: 'go', to: 1}, {type: 'play'}, {type: 'tick'}]);
  assert.equal(state.cursor, 2);
  assert.equal(reduce(state, {type: 'play'}).cursor, 2, 'more will come');
  state = after([...done, {type: 'go', to: 2}, {type: 'play'}], state);
  assert.deepEqual([state.cursor, state.playing], [0, true]);
  state = reduce(state, {type: 'pause'});
  assert.deepEqual([state.playing, reduce(state, {type: 'tick'}).playing], [false, false]);
});

test('without states there is nothing to go to', () => {
  const state = after([{type: 'go', to: 2}, {type: 'play'}]);
  assert.deepEqual([state.cursor, state.playing], [null, false]);
});

test('a new run forgets the last one but not the image', () => {
  const state = after([source, start(), arrived(0), ...done, start(true, 7)]);
  assert.deepEqual([state.states, state.summary, state.cursor, state.name], [[], null, null, 'a.png']);
  assert.equal(stepsOf(state), 7);
});

test('another image that is chosen meanwhile does not rename the run', () => {
  const state = after([source, start(), {type: 'source', source: {name: 'b.png'}}]);
  assert.deepEqual([state.name, state.source.name], ['a.png', 'b.png']);
});

test('a failure keeps what came before it, and its sentence', () => {
  const state = after([source, start(), arrived(0), arrived(1), {type: 'end', status: 'failed', error: 'No.'}]);
  assert.deepEqual([state.error, lastState(state).step, state.status], ['No.', 1, 'failed']);
  assert.equal(after([{type: 'complain', error: 'Bad file.'}], state).status, 'failed');
  assert.equal(after([start()], state).error, null);
  assert.equal(after([source], state).error, null, 'it was about another image');
});

test('the number of steps is what was taken once it is known', () => {
  assert.equal(stepsOf(after([source, start(true, 8), arrived(0)])), 8);
  assert.equal(stepsOf(after([source, start(true, 8), arrived(0), ...done])), 3);
});

test('few steps are shown longer than many', () => {
  assert.equal(tickMs(after([source, start(true, 1)])), 600);
  assert.equal(tickMs(after([source, start(true, 14)])), 200);
  assert.equal(tickMs(after([source, start(true, 500)])), 40);
});

test('totals tell from where to where', () => {
  const state = after([source, start(), arrived(0, {psnr: 20}), arrived(1, {psnr: null}), ...done]);
  assert.deepEqual(imageTotals(state), [
    ['energy', '8 → 4'], ['PSNR', '20.00\u202fdB → ∞\u202fdB'], ['size', '8 × 8'], ['tiles', '2'],
    ['steps per tile', '2.5'], ['time', '4.00\u202fs']]);
  const dit = after([source, start(), {type: 'state', seconds: 1, state: {step: 0}}]);
  assert.deepEqual(imageTotals(dit), [['time', '1.00\u202fs']]);
});

test('a state is described by its numbers', () => {
  assert.equal(describeState({step: 0, energy: 0.012345}, true), 'before the first step, energy 0.0123');
  assert.equal(describeState({step: 4, psnr: 31.256}, false), 'after pass 4, PSNR 31.26\u202fdB');
  assert.equal(givenName({sigma: 25}), 'With noise of σ 25');
  assert.equal(givenName({input_sigma: 25}), 'As it was given');
});

test('unknown actions are errors', () => {
  assert.throws(() => reduce(kNoImageYet, {type: 'nonsense'}), /unknown action nonsense/);
});
