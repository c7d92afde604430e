import assert from 'node:assert/strict';
import test from 'node:test';
import {describeMap, describePatch, mapLevel, mapScale, patchAfter, patchAt} from '../energy_map.js';

const map = {rows: 2, columns: 3, patch: 4, values: [1, 2, 3, 4, 5, 9]};

test('the scale spans the middle of all maps, without outliers', () => {
  const even = {...map, values: Array.from({length: 101}, (_, i) => i)};
  assert.deepEqual(mapScale([even]), {low: 2, high: 98});
  const both = mapScale([{...map, values: [0, 0]}, {...map, values: [10, 10]}]);
  assert.equal(both.low, 0);
  assert.equal(both.high, 10);
  assert.equal(mapScale([]), null);
});

test('levels go from low to high', () => {
  const scale = {low: 0, high: 8};
  assert.deepEqual([-5, 0, 3.5, 7.9, 8, 100].map((value) => mapLevel(value, scale)), [0, 0, 3, 7, 7, 7]);
  assert.equal(mapLevel(5, {low: 5, high: 5}), 4, 'equal energies are in the middle');
  assert.equal(mapLevel(null, scale), 7, 'no number');
});

test('a patch is found by its pixels', () => {
  assert.equal(patchAt(map, 0, 0), 0);
  assert.equal(patchAt(map, 11.9, 7.9), 5);
  assert.equal(patchAt(map, 4, 3.9), 1);
  assert.equal(patchAt(map, 12, 0), null);
  assert.equal(patchAt(map, -0.1, 0), null);
});

test('arrow keys walk from patch to patch and stay on the map', () => {
  assert.equal(patchAfter(map, 0, 'ArrowRight'), 1);
  assert.equal(patchAfter(map, 0, 'ArrowDown'), 3);
  assert.equal(patchAfter(map, 0, 'ArrowLeft'), 0);
  assert.equal(patchAfter(map, 5, 'ArrowDown'), 5);
  assert.equal(patchAfter(map, 5, 'ArrowUp'), 2);
  assert.equal(patchAfter(map, 4, 'Home'), 3);
  assert.equal(patchAfter(map, 4, 'End'), 5);
  assert.equal(patchAfter(map, 4, 'a'), null);
});

test('a map and its patches are described in words', () => {
  assert.equal(describeMap(map), 'Energy of 2 × 3 patches, from 1 to 9, highest at the bottom right');
  assert.match(describeMap({...map, values: [1, 7, 3, 4, 5, 2]}), /highest at the top$/);
  assert.match(describeMap({rows: 1, columns: 1, patch: 4, values: [0.00123456]}),
               /from 0.00123 to 0.00123, highest at the middle$/);
  const large = {rows: 600, columns: 600, patch: 4, values: Array(360000).fill(1)};
  large.values[0] = 2;
  assert.match(describeMap(large), /from 1 to 2, highest at the top left$/);
  assert.equal(describePatch(map, 5), 'energy 9 in row 2, column 3');
});
