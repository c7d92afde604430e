import assert from 'node:assert/strict';
import test from 'node:test';
import {describe, kLevels, levelOf, quantile, uncertaintyScale} from '../scale.js';

const states = [{energy: 4}, {energy: -2}];
const thought = (energy, more = {}) => ({energy, states, logprob: -0.5, thinking_steps: 1, ...more});

test('quantiles are interpolated', () => {
  assert.equal(quantile([0, 10], 0.25), 2.5);
  assert.equal(quantile([7], 0.9), 7);
});

test('a calibrated model is coloured by its certainty, whatever the text', () => {
  const scale = uncertaintyScale([thought(-2, {certainty: 0.9}), thought(5, {certainty: 0.2})]);
  assert.equal(scale.kind, 'certainty');
  assert.ok(Math.abs(scale.uncertainty({certainty: 0.9}) - 0.1) < 1e-12);
});

test('without calibration, colours span the energies of the text', () => {
  const tokens = Array.from({length: 101}, (_, i) => thought(i - 100));
  const scale = uncertaintyScale(tokens);
  assert.equal(scale.kind, 'energy');
  assert.equal(scale.sure, '−95.0');
  assert.equal(scale.unsure, '−5.0');
  assert.equal(scale.uncertainty(thought(-50)), 0.5);
  assert.equal(scale.uncertainty(thought(-100)), 0);
  assert.equal(scale.uncertainty(thought(0)), 1);
  assert.match(scale.caption, /Not calibrated/);
});

test('equal energies are neither sure nor unsure', () => {
  assert.equal(uncertaintyScale([thought(1), thought(1)]).uncertainty(thought(1)), 0.5);
});

test('a model that does not think is coloured by probability', () => {
  const scale = uncertaintyScale([{logprob: Math.log(0.25), states: []}]);
  assert.equal(scale.kind, 'probability');
  assert.ok(Math.abs(scale.uncertainty({logprob: Math.log(0.25)}) - 0.75) < 1e-12);
});

test('no tokens have no scale', () => assert.equal(uncertaintyScale([]), null));

test('levels cover the scale and do not leave it', () => {
  assert.deepEqual([-1, 0, 0.5, 0.999, 1, 2].map(levelOf),
                   [0, 0, kLevels / 2, kLevels - 1, kLevels - 1, kLevels - 1]);
});

test('a token is described by its numbers', () => {
  assert.equal(describe(thought(-2, {certainty: 0.83})),
               'energy −2.00, probability 61\u202f%, certainty 83\u202f%, 1 thinking step');
  assert.equal(describe({logprob: 0, states: [], thinking_steps: 0}), 'probability 100\u202f%');
});
