import assert from 'node:assert/strict';
import test from 'node:test';
import {colourScale, describe, kLevels, levelOf, quantile} from '../scale.js';

const states = [{energy: 4}, {energy: -2}];
const thought = (energy, more = {}) => ({energy, states, logprob: -0.5, thinking_steps: 1, ...more});

test('quantiles are interpolated', () => {
  assert.equal(quantile([0, 10], 0.25), 2.5);
  assert.equal(quantile([7], 0.9), 7);
});

test('a calibrated model is coloured by its probability of being right, whatever the text', () => {
  const scale = colourScale([thought(-2, {certainty: 0.9}), thought(5, {certainty: 0.2})]);
  assert.equal(scale.kind, 'certainty');
  assert.ok(Math.abs(scale.place({certainty: 0.9}) - 0.1) < 1e-12);
});

test('without calibration, colours span the energies of the text', () => {
  const tokens = Array.from({length: 101}, (_, i) => thought(i - 100));
  const scale = colourScale(tokens);
  assert.equal(scale.kind, 'energy');
  assert.deepEqual([scale.before, scale.low, scale.high, scale.after],
                   ['low energy', '−95.0', '−5.0', 'high energy']);
  assert.equal(scale.place(thought(-50)), 0.5);
  assert.equal(scale.place(thought(-100)), 0);
  assert.equal(scale.place(thought(0)), 1);
  assert.doesNotMatch(JSON.stringify(scale), /\bsure|unsure|certain|confiden|doubt/);
});

test('equal energies are neither low nor high', () => {
  assert.equal(colourScale([thought(1), thought(1)]).place(thought(1)), 0.5);
});

test('a model that does not think is coloured by probability', () => {
  const scale = colourScale([{logprob: Math.log(0.25), states: []}]);
  assert.equal(scale.kind, 'probability');
  assert.ok(Math.abs(scale.place({logprob: Math.log(0.25)}) - 0.75) < 1e-12);
});

test('no tokens have no scale', () => assert.equal(colourScale([]), null));

test('levels cover the scale and do not leave it', () => {
  assert.deepEqual([-1, 0, 0.5, 0.999, 1, 2].map(levelOf),
                   [0, 0, kLevels / 2, kLevels - 1, kLevels - 1, kLevels - 1]);
});

test('a token is described by its numbers', () => {
  assert.equal(describe(thought(-2, {certainty: 0.83})),
               'energy −2.00, probability 61\u202f%, calibrated probability of being right 83\u202f%, 1 thinking step');
  assert.match(describe(thought(-2, {thinking_steps: 16, candidate_energies: [1, 2, 3, 4]})),
               /16 thinking steps of 4 candidates$/);
  assert.equal(describe({logprob: 0, states: [], thinking_steps: 0}), 'probability 100\u202f%');
});
