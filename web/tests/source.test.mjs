import assert from 'node:assert/strict';
import test from 'node:test';
import {denoiseRequest} from '../controls.js';
import {cleanedName, makeGrey, sentSize} from '../source.js';
import {describeModel} from '../views.js';

test('a large image is made smaller in proportion, and none larger', () => {
  assert.deepEqual(sentSize({width: 4000, height: 3000}, 256), {width: 256, height: 192});
  assert.deepEqual(sentSize({width: 30, height: 20}, 256), {width: 30, height: 20});
  assert.deepEqual(sentSize({width: 5000, height: 1}, 100), {width: 100, height: 1});
  assert.deepEqual(sentSize({width: 5000, height: 10}, Infinity), {width: 5000, height: 10});
});

test('grey pixels are equal in all channels, and white stays white', () => {
  const pixels = Uint8ClampedArray.from([255, 255, 255, 255, 10, 200, 30, 255, 0, 0, 0, 128]);
  makeGrey(pixels);
  assert.deepEqual([...pixels], [255, 255, 255, 255, 124, 124, 124, 255, 0, 0, 0, 128]);
});

test('what is saved is named after what was chosen', () => {
  assert.equal(cleanedName('my photo.jpeg'), 'my-photo-cleaned.png');
  assert.equal(cleanedName('.png'), 'image-cleaned.png');
  assert.equal(cleanedName('archive.tar.gz'), 'archive.tar-cleaned.png');
});

test('a request has what counts and nothing else', () => {
  const model = {id: 'm', ebt: {thinks: true}};
  const all = {sigma: 25, steps: 3, seed: 7, input_sigma: 40, energy_tolerance: 0.01};
  assert.deepEqual(denoiseRequest(model, all), {model: 'm', steps: 3, sigma: 25, seed: 7, energy_tolerance: 0.01});
  assert.deepEqual(denoiseRequest(model, {...all, sigma: 0, energy_tolerance: 0}), {model: 'm', steps: 3, input_sigma: 40});
  assert.deepEqual(denoiseRequest({id: 'm', ebt: {thinks: false}}, {...all, sigma: 0, input_sigma: 0}), {model: 'm', steps: 3});
});

test('a model is described in one line', () => {
  assert.equal(describeModel({ebt: {kind: 'image', thinks: true, width: 32, height: 16, channels: 1, patch: 4}}),
               'Energy-Based Transformer of images · tiles of 32 × 16 pixels, grey · patches of 4 × 4');
  assert.equal(describeModel({ebt: {kind: 'text', thinks: false, vocab_size: 257, context: 1024}}),
               'Transformer++ · vocabulary 257 · context 1\u202f024');
});
