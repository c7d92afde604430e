import assert from 'node:assert/strict';
import test from 'node:test';
import {chartContent, imageChartContent, roomOf} from '../chart.js';

const token = (energies, candidate_energies = [energies.at(-1)]) => ({
  energy: energies.at(-1), states: energies.map((energy) => ({energy})), candidate_energies});

test('tokens that follow each other share one axis', () => {
  const {recent, range: [low, high]} = chartContent([token([90, 50]), token([3, 1])], 1, 0, false);
  assert.deepEqual(recent, [[90, 50]]);
  assert.ok(low < 1 && low > -10 && high > 90 && high < 100);
});

test('a token that was picked has the axis to itself and to its candidates', () => {
  const {range: [low, high]} = chartContent([token([90, 50]), token([3, 1], [1, 4])], 1, 0, true);
  assert.ok(low < 1 && low > 0.5 && high > 4 && high < 4.5);
});

test('the chart is as wide as the longest thought it shows', () => {
  assert.equal(chartContent([token([5, 4, 3, 2]), token([3, 1])], 1, 0, false).span, 3);
  assert.equal(chartContent([token([5])], 0, 0, false).span, 1);
});

test('wide numbers get more room', () => {
  assert.equal(roomOf([]), roomOf(['0', '10']));
  assert.ok(roomOf(['−1234.56', '−1234.58']) > roomOf(['0']));
});

test('an energy that does not change has an axis', () => {
  const {range: [low, high]} = chartContent([token([2, 2])], 0, 0, true);
  assert.ok(low < 2 && high > 2);
});

test('an image has one line, on an axis as wide as it will get', () => {
  const {span, recent, range: [low, high]} = imageChartContent([0.004, 0.002], 1, 5);
  assert.deepEqual([span, recent], [5, []]);
  assert.ok(low < 0.002 && low > 0.001 && high > 0.004 && high < 0.005);
});

test('values that are no numbers do not move the axis', () => {
  const {range: [low, high]} = imageChartContent([20, Infinity, NaN], 1, 3);
  assert.ok(low < 20 && low > 15 && high > 20 && high < 25);
  const flat = imageChartContent([0, 0], 0, 1).range;
  assert.ok(flat[0] < 0 && flat[1] > 0);
});
