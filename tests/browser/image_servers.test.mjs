// The view of images on servers of every mood, which the double of web/tests plays.
import assert from 'node:assert/strict';
import test from 'node:test';
import {makePng} from '../../web/tests/mock_images.mjs';
import {startMockServer} from '../../web/tests/mock_server.mjs';
import {setSlider, waitForEnd, write} from './drive.mjs';
import {onPage} from './harness.mjs';
import {clean, dropFile, imageTotal, openImages, pixelsOf, startCleaning, waitForImage, waitForRest} from './image_drive.mjs';

async function withServer(changes, body, {server_shows_images = true, ...options} = {}) {
  const server = await startMockServer({texts: false, images: 'ebt', ...changes});
  try {
    await onPage(server.url, async (page) => {
      if (server_shows_images) await openImages(page);
      await body(page, server);
    }, options);
  } finally {
    await server.close();
  }
}

// A server that stops after so many states of an image, until `go` is called.
function heldAfter(after) {
  let go;
  const until = new Promise((resolve) => { go = resolve; });
  return {hold: {after, until}, go};
}

test('a model of images alone has the page to itself', () => withServer({}, async (page) => {
  assert.equal(await page.locator('#views').isVisible(), false);
  assert.equal(await page.locator('#prompt').isVisible(), false);
  assert.match(await page.locator('#model').textContent(), /^mist · /);
  assert.equal(await page.locator('h1 >> visible=true').textContent(), 'Watch it clean');
}));

test('a model of texts alone shows nothing of images', () => withServer({texts: true, images: null}, async (page) => {
  await page.locator('#start:enabled').waitFor();
  assert.equal(await page.locator('#views').isVisible(), false);
  assert.equal(await page.locator('#clean').isVisible(), false);
}, {server_shows_images: false}));

test('texts are written while images are cleaned', () => {
  const {hold, go} = heldAfter(1);
  return withServer({texts: true, hold}, async (page) => {
    await startCleaning(page);
    await page.locator('#tab-text').click();
    await write(page, {length: 5});
    await waitForEnd(page);
    await page.keyboard.press('Escape');  // stops what is in view
    await page.locator('#tab-image').click();
    assert.equal(await page.locator('#stop-image').isVisible(), true);
    go();
    await waitForRest(page);
    assert.equal(await page.locator('#after-name').textContent(), 'After step 3 of 3');
  });
});

test('what the form says is what is asked', () => withServer({}, async (page, server) => {
  await clean(page, {sigma: 6, steps: 4});
  await waitForRest(page);
  await page.locator('#image-advanced summary').click();
  await page.locator('#input-sigma').fill('12.5');
  await page.locator('#energy-tolerance').fill('0.01');
  await clean(page, {sigma: 0});
  await waitForRest(page);
  assert.deepEqual(server.log.images.map(({type, query}) => [type, query]), [
    ['image/png', {model: 'mist', steps: '6', sigma: '35', seed: '0', stream: 'true'}],
    ['image/png', {model: 'mist', steps: '6', input_sigma: '12.5', energy_tolerance: '0.01', stream: 'true'}]]);
}));

test('a file that needs no change is sent as it is', () => withServer({}, async (page, server) => {
  const bytes = makePng(50, 20, (x, y) => [x, y, 7]);
  await dropFile(page, {name: 'a.png', type: 'image/png', bytes});
  await page.locator('#source-name').getByText('a.png').waitFor();
  await setSlider(page, 'side', 9);  // as it is
  await startCleaning(page);
  await waitForRest(page);
  assert.deepEqual(server.log.images[0].file, bytes);
}));

test('a file that a server would refuse is sent as one that it reads', () => withServer({}, async (page, server) => {
  const bytes = Buffer.from(await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 16, height: 16});
    canvas.getContext('2d').fillRect(0, 0, 8, 16);  // and the rest is transparent
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve); });
    return [...new Uint8Array(await blob.arrayBuffer())];
  }));
  await dropFile(page, {name: 'half.png', type: 'image/png', bytes});
  await page.locator('#source-name').getByText('half.png').waitFor();
  await setSlider(page, 'side', 9);  // as it is
  await startCleaning(page);
  await waitForRest(page);
  assert.notDeepEqual(server.log.images[0].file, bytes);
}));

test('an image of more bytes than the server takes is not sent', () => withServer({image_changes: {max_body: 1000}}, async (page, server) => {
  await startCleaning(page);
  await page.locator('#image-error').getByText('that this server takes: choose a smaller longest side.').waitFor();
  await waitForImage(page);
  assert.equal(server.log.images.length, 0);
}));

test('an image may be dropped beside the view, where it is shown', () => withServer({texts: true}, async (page) => {
  const file = {name: 'a.png', type: 'image/png', bytes: makePng(50, 20, (x, y) => [x, y, 7])};
  await dropFile(page, file, 'body');
  await page.locator('#source-name').getByText('a.png').waitFor();
  await page.locator('#tab-text').click();
  await dropFile(page, {...file, name: 'b.png'}, 'body');
  await page.locator('#tab-image').click();
  assert.match(await page.locator('#source-name').textContent(), /^a.png/);
}));

test('a model of grey images is sent grey ones', () => withServer({image_changes: {channels: 1}}, async (page, server) => {
  await startCleaning(page);
  await waitForRest(page);
  const sent = [...server.log.images[0].file];
  const grey = await page.evaluate(async (bytes) => {
    const picture = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
    const canvas = Object.assign(document.createElement('canvas'), {width: picture.width, height: picture.height});
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    const {data} = context.getImageData(0, 0, picture.width, picture.height);
    return data.every((value, i) => i % 4 === 3 || value === data[i - i % 4]);
  }, sent);
  assert.equal(grey, true);
}));

test('an impossible number that is folded away is shown, and nothing is asked', () => withServer({}, async (page, server) => {
  await page.locator('#image-advanced summary').click();
  await page.locator('#image-seed').fill('');
  await page.locator('#image-advanced summary').click();
  await page.locator('#clean').click();
  await page.locator('#image-seed:focus').waitFor();
  assert.equal(await page.locator('#image-seed').isVisible(), true);
  assert.equal(server.log.images.length, 0);
}));

test('steps of a slow server appear as they come', () => {
  const {hold, go} = heldAfter(2);
  return withServer({hold}, async (page) => {
    await startCleaning(page);
    await page.locator('#after-name').getByText('After step 1 of 3').waitFor();
    assert.equal(await page.locator('#panes-images').getAttribute('aria-busy'), 'true');
    assert.equal(await page.locator('#download').isVisible(), false);
    go();
    await waitForRest(page);
    assert.equal(await page.locator('#after-name').textContent(), 'After step 3 of 3');
  });
});

test('until the first step arrives the share of the work is shown', () => withServer(heldAfter(0), async (page) => {
  await startCleaning(page);
  await page.locator('#image-progress').waitFor();
  await page.waitForFunction(() => document.querySelector('#image-progress').value > 0);
  await page.keyboard.press('Escape');
  await waitForImage(page);
}));

test('stopping tells the server and keeps what has come', () => withServer(heldAfter(3), async (page, server) => {
  await clean(page, {steps: 8});
  await page.waitForFunction(() => document.querySelector('#image-scrubber').max >= 2);
  await page.keyboard.press('Escape');
  await waitForRest(page);
  for (let i = 0; i < 50 && server.log.cancelled < 1; ++i) await page.waitForTimeout(20);
  assert.equal(server.log.cancelled, 1);
  assert.match(await page.locator('#announcer').textContent(), /^Stopped after 2 steps/);
  assert.equal(await page.locator('#download').isVisible(), true);
  await clean(page, {steps: 0});  // and nothing is broken
  await waitForRest(page);
  assert.equal(await page.locator('#after-name').textContent(), 'After step 1 of 1');
}));

test('a token is asked for only by a server that wants one', () => withServer({bearer: 'sesame'}, async (page) => {
  await page.locator('#token').waitFor();
  await page.locator('#token').fill('sesame');
  await page.keyboard.press('Enter');
  await openImages(page);
  assert.equal(await page.locator('#token').isVisible(), false);
  await startCleaning(page);
  await waitForRest(page);
  assert.match(await imageTotal(page, 'size'), /128 × 96/);
}, {server_shows_images: false, expected_complaints: /status of 401/}));

test('a refusal is told in the words of the server', () => withServer(
    {refuse: {status: 413, message: 'The image has 9999 x 9999 pixels, more than the 4194304 that this server takes.'}}, async (page) => {
  await startCleaning(page);
  await page.locator('#image-error').getByText('more than the 4194304').waitFor();
  await waitForImage(page);
  assert.equal(await page.locator('#image-totals').isVisible(), false);
}, {expected_complaints: /status of 413/}));

test('an image that breaks off keeps its steps and says why', () => withServer({fail_after: 2}, async (page) => {
  await startCleaning(page);
  await page.locator('#image-error').getByText('Cleaning the image failed: it diverged.').waitFor();
  await waitForRest(page);
  assert.equal(await page.locator('#image-scrubber').getAttribute('max'), '1');
}));

test('a connection that is cut says so', () => withServer({cut_after: 2, step_ms: 10}, async (page) => {
  await startCleaning(page);
  await page.locator('#image-error').getByText('ended before the answer was finished').waitFor();
}, {expected_complaints: /ERR_/}));

test('a server that has gone is missed', () => withServer({}, async (page, server) => {
  await server.close();
  await page.locator('#clean').click();
  await page.locator('#image-error').getByText('The server does not answer').waitFor();
}, {expected_complaints: /ERR_/}));

test('a model without energies shows likeness instead', () => withServer({images: 'dit'}, async (page) => {
  assert.equal(await page.locator('#about-cleaning').isVisible(), false);
  assert.equal(await page.locator('#about-diffusion').isVisible(), true);
  assert.equal(await page.locator('#image-steps-label').textContent(), 'Forward passes');
  assert.equal(await page.locator('#show-map').isVisible(), false);
  await page.locator('#image-advanced summary').click();
  assert.equal(await page.locator('#energy-tolerance').isVisible(), false);
  await clean(page, {steps: 3});
  await waitForRest(page);
  assert.equal(await page.locator('#after-name').textContent(), 'After pass 4 of 4');
  assert.match(await page.locator('#image-chart').getAttribute('aria-label'), /^PSNR, dB after every step: 20.00.dB, /);
  assert.equal(await page.locator('#overlay').isVisible(), false);
  await clean(page, {sigma: 0});
  await waitForRest(page);
  assert.equal(await page.locator('#image-energy').isVisible(), false, 'nothing to draw');
}));

test('as many passes are taken as the server allows and no more', () => withServer(
    {images: 'dit', image_changes: {max_steps: 40}}, async (page) => {
  assert.equal(await page.locator('#image-steps-value').textContent(), '32');
}));

test('the energy that is told is that of the step that is shown', () => withServer({}, async (page) => {
  await startCleaning(page);
  await waitForRest(page);
  await page.locator('#show-map').check();
  await page.locator('#overlay').hover({position: {x: 5, y: 5}});
  await page.locator('#tip').getByText(/in row 1, column 1$/).waitFor();
  const last = await page.locator('#tip').textContent();
  await page.locator('#image-scrubber').evaluate((scrubber) => {
    scrubber.value = 0;
    scrubber.dispatchEvent(new Event('input'));
  });
  await page.waitForFunction((old) => document.querySelector('#tip').textContent !== old, last);
  assert.match(await page.locator('#tip').textContent(), /in row 1, column 1$/);
}));

test('the map changes its colours with the page', () => withServer({}, async (page) => {
  await startCleaning(page);
  await waitForRest(page);
  await page.locator('#show-map').check();
  const light = await pixelsOf(page, '#overlay');
  await page.locator('#theme').click();
  await page.locator('#theme').click();
  assert.equal(await page.locator('#theme').getAttribute('aria-label'), 'Colours: Dark');
  assert.notDeepEqual((await pixelsOf(page, '#overlay')).data, light.data);
}));
