import assert from 'node:assert/strict';
import test from 'node:test';
import {denoiseRequest} from '../controls.js';
import {cleanedName, isReadAsItIs, makeGrey, refusal, scaledSize} from '../source.js';
import {describeModel} from '../views.js';
import {makePng} from './mock_images.mjs';

test('a large image is made smaller in proportion, and none larger', () => {
  assert.deepEqual(scaledSize({width: 4000, height: 3000}, 256), {width: 256, height: 192});
  assert.deepEqual(scaledSize({width: 30, height: 20}, 256), {width: 30, height: 20});
  assert.deepEqual(scaledSize({width: 5000, height: 1}, 100), {width: 100, height: 1});
  assert.deepEqual(scaledSize({width: 5000, height: 10}, Infinity), {width: 5000, height: 10});
});

test('a file is sent as it is where the server reads it', async () => {
  const png = makePng(4, 4, () => [1, 2, 3]);
  // `bits` and `colours` as the header of a PNG has them.
  const read = (type, bits, colours) => {
    const bytes = Buffer.from(png);
    bytes.set([bits, colours], 24);
    return isReadAsItIs(new Blob([bytes], {type}));
  };
  assert.equal(await read('image/png', 8, 2), true);
  assert.equal(await read('image/png', 16, 0), true);
  assert.equal(await read('image/png', 8, 6), false, 'with an alpha channel');
  assert.equal(await read('image/png', 8, 3), false, 'with a palette, of which some may be transparent');
  assert.equal(await read('image/png', 1, 0), false, 'black and white');
  assert.equal(await read('image/jpeg', 8, 2), true);
  assert.equal(await read('image/webp', 8, 2), false);
});

test('what a server would refuse is known before', () => {
  const limits = {max_pixels: 10000, max_history: 50000};
  assert.equal(refusal({width: 100, height: 100}, 5, limits), null);
  assert.match(refusal({width: 101, height: 100}, 1, limits), /^The image has 101 × 100 pixels, more than the 10.000 that /);
  assert.match(refusal({width: 100, height: 100}, 6, limits), /^6 steps of 100 × 100 pixels are more than /);
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
