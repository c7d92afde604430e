// The view of images in a browser, on the server at BASE_URL, whose model of images is an EBT of
// colours, or on the double of web/tests if that is unset.
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import test, {after, before} from 'node:test';
import {makePng, pngSize} from '../../web/tests/mock_images.mjs';
import {startMockServer} from '../../web/tests/mock_server.mjs';
import {setSlider} from './drive.mjs';
import {contrast, onPage} from './harness.mjs';
import {clean, dropFile, imageTotal, openImages, pixelsOf, startCleaning, waitForImage, waitForRest} from './image_drive.mjs';

let url = process.env.BASE_URL;
let double;
before(async () => {
  if (url) return;
  double = await startMockServer({images: 'ebt', step_ms: 5});
  url = double.url;
});
after(() => double?.close());

const onImages = (body, options) => onPage(url, async (page) => {
  await openImages(page);
  await body(page);
}, options);

test('the drawing is made noisy and cleaned, step by step', () => onImages(async (page) => {
  assert.match(await page.locator('#source-name').textContent(), /the drawing, 128 × 96 pixels$/);
  await clean(page, {sigma: 5, steps: 3});  // 25, four
  await waitForRest(page);
  const noisy = await pixelsOf(page, '#given canvas');
  const cleaned = await pixelsOf(page, '#after canvas >> nth=0');
  assert.deepEqual([noisy.width, noisy.height], [128, 96]);
  assert.deepEqual([cleaned.width, cleaned.height], [128, 96]);
  assert.notDeepEqual(noisy.data, cleaned.data);
  assert.equal(await page.locator('#given-name').textContent(), 'With noise of σ 25');
  assert.equal(await page.locator('#after-name').textContent(), 'After step 4 of 4');
  assert.match(await page.locator('#image-numbers').textContent(), /^after step 4, energy .*, PSNR .*dB$/);
  assert.match(await imageTotal(page, 'PSNR'), /^[\d.]+.dB → [\d.]+.dB$/);
  assert.match(await imageTotal(page, 'energy'), / → /);
  assert.ok(Number(await imageTotal(page, 'tiles')) >= 1);
  assert.match(await page.locator('#announcer').textContent(), /^Cleaned in 4 steps/);
  assert.match(await page.locator('#image-chart').getAttribute('aria-label'), /^Energy after every step: ([^,]+, ){4}[^,]+$/);
}));

test('the scrubber goes from step to step', () => onImages(async (page) => {
  await clean(page, {steps: 3});
  await waitForRest(page);
  const shown = async () => [await page.locator('#image-numbers').textContent(),
                             (await pixelsOf(page, '#after canvas >> nth=0')).data.join(),
                             await page.locator('#image-chart canvas').evaluate((canvas) => canvas.toDataURL())];
  const end = await shown();
  await page.locator('#image-scrubber').focus();
  await page.keyboard.press('Home');
  await page.locator('#image-scrub-value').getByText('step 0 of 4').waitFor();
  const start = await shown();
  start.forEach((part, i) => assert.notEqual(part, end[i]));
  assert.equal(start[1], (await pixelsOf(page, '#given canvas')).data.join(), 'what was given');
  assert.equal(await page.locator('#after-name').textContent(), 'Before the first step');
  await page.locator('#image-chart .u-over').click({position: {x: 400, y: 60}});
  await page.waitForFunction(() => document.querySelector('#image-scrubber').value > 0);
}));

test('the steps can be played again', () => onImages(async (page) => {
  await clean(page, {steps: 7});
  await waitForRest(page);
  await page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() => {
      const value = document.querySelector('#image-scrub-value').textContent;
      if (seen.at(-1) !== value) seen.push(value);
    }).observe(document.querySelector('#image-scrub-value'), {childList: true, characterData: true, subtree: true});
  });
  await page.locator('#image-play').click();
  await page.locator('#image-play[aria-label="Pause"]').waitFor();
  await waitForRest(page);
  const steps = (await page.evaluate(() => globalThis.seen)).map((text) => Number(text.split(' ')[1]));
  assert.equal(steps.at(-1), 16);
  assert.ok(steps.length > 8, `${steps}`);
  assert.ok(steps.every((step, i) => i === 0 || step > steps[i - 1]), `${steps}`);
}));

test('the map of energies lies over the image and tells its numbers', () => onImages(async (page) => {
  await clean(page);
  await waitForRest(page);
  assert.equal(await page.locator('#overlay').isVisible(), false);
  assert.equal(await page.locator('#map-legend').textContent(), '');
  await page.locator('#show-map').check();
  await page.locator('#overlay').waitFor();
  const map = await pixelsOf(page, '#overlay');
  assert.deepEqual([map.width, map.height], [128, 96]);
  const colours = new Set();
  for (let i = 0; i < map.data.length; i += 4) colours.add(map.data.slice(i, i + 4).join());
  assert.ok(colours.size > 3 && colours.size <= 9, `${colours.size} colours`);
  assert.match(await page.locator('#map-legend').textContent(), /^low energy[\d.e−-]+[\d.e−-]+high energyOf each patch\.$/);
  assert.match(await page.locator('#overlay').getAttribute('aria-label'), /^Energy of 24 × 32 patches, from .* to .*, highest at the /);
  const filter = (selector) => page.locator(selector).evaluate((element) => getComputedStyle(element).filter);
  assert.equal(await filter('#after canvas >> nth=0'), 'grayscale(1)');
  await page.locator('#opacity').fill('40');
  assert.equal(await page.locator('#overlay').evaluate((element) => getComputedStyle(element).opacity), '0.4');
  const box = await page.locator('#overlay').boundingBox();
  await page.mouse.move(box.x + box.width - 2, box.y + 2);
  await page.locator('#tip').getByText(/^energy .* in row 1, column 32$/).waitFor();
  await page.mouse.move(2, 2);
  assert.equal(await page.locator('#tip').isVisible(), false);
  await page.locator('#show-map').uncheck();
  await page.locator('#overlay').waitFor({state: 'hidden'});
  assert.equal(await filter('#after canvas >> nth=0'), 'none');
}));

test('the map has a scale for each step, or one for all', () => onImages(async (page) => {
  await clean(page);
  await waitForRest(page);
  await page.locator('#show-map').check();
  const legend = () => page.locator('#map-legend').textContent();
  const last = await legend();
  await page.locator('#one-scale').check();
  const all = await legend();
  assert.notEqual(all, last);
  await page.locator('#image-scrubber').focus();
  await page.keyboard.press('Home');
  await page.locator('#image-scrub-value').getByText('step 0 of').waitFor();
  assert.equal(await legend(), all);
  await page.locator('#one-scale').uncheck();
  assert.notEqual(await legend(), last);
}));

test('the map is walked by the arrow keys', () => onImages(async (page) => {
  await clean(page);
  await waitForRest(page);
  await page.locator('#show-map').check();
  await page.locator('#overlay').focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
  assert.match(await page.locator('#announcer').textContent(), /^energy .* in row 2, column 2$/);
  assert.match(await page.locator('#tip').textContent(), /in row 2, column 2$/);
  await page.keyboard.press('Tab');
  assert.equal(await page.locator('#tip').isVisible(), false);
}));

test('a dropped image is cleaned at the size that is asked for', () => onImages(async (page) => {
  const bytes = makePng(300, 60, (x, y) => [x % 256, 4 * y, (x + y) % 256]);
  await dropFile(page, {name: 'stripes.png', type: 'image/png', bytes});
  await page.locator('#source-name').getByText('stripes.png, 300 × 60 pixels, sent as 256 × 51').waitFor();
  await setSlider(page, 'side', 1);  // 96
  await page.locator('#source-name').getByText('sent as 96 × 19').waitFor();
  await clean(page, {sigma: 0});
  await waitForRest(page);
  assert.equal((await pixelsOf(page, '#after canvas >> nth=0')).width, 96);
  assert.equal(await page.locator('#given-name').textContent(), 'As it was given');
  assert.equal(await page.locator('#image-totals').getByText('PSNR').count(), 0, 'nothing to compare with');
  await setSlider(page, 'side', 9);  // as it is
  await page.locator('#source-name').getByText(/300 × 60 pixels$/).waitFor();
  await startCleaning(page);
  await waitForRest(page);
  assert.equal((await pixelsOf(page, '#after canvas >> nth=0')).width, 300);
}));

test('an image is chosen and the result is saved', () => onImages(async (page) => {
  await page.locator('#file').setInputFiles({name: 'my photo.png', mimeType: 'image/png',
                                             buffer: makePng(40, 30, (x, y) => [6 * x, 8 * y, 90])});
  await page.locator('#source-name').getByText('my photo.png, 40 × 30 pixels').waitFor();
  assert.equal(await page.locator('#download').isVisible(), false);
  await clean(page);
  await waitForRest(page);
  const saved = page.waitForEvent('download');
  await page.locator('#download').click();
  const download = await saved;
  assert.equal(download.suggestedFilename(), 'my-photo-cleaned.png');
  assert.deepEqual(pngSize(await readFile(await download.path())), {width: 40, height: 30});
}));

test('a transparent image is put on white', () => onImages(async (page) => {
  const bytes = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 16, height: 16});
    canvas.getContext('2d').fillRect(0, 0, 8, 16);
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve); });
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  await dropFile(page, {name: 'half.png', type: 'image/png', bytes});
  await page.locator('#source-name').getByText('half.png').waitFor();
  await setSlider(page, 'side', 9);  // as it is
  await clean(page, {sigma: 0});
  await waitForRest(page);
  assert.equal(await page.locator('#image-error').isVisible(), false);
}));

test('a file that is no image is refused in a sentence', () => onImages(async (page) => {
  await dropFile(page, {name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('not an image')});
  await page.locator('#image-error').getByText('The browser cannot read “notes.txt” as an image.').waitFor();
  await clean(page);  // what was chosen before
  await waitForRest(page);
  assert.equal(await page.locator('#image-error').isVisible(), false);
  await dropFile(page, {name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('not an image')});
  await page.locator('#image-error').waitFor();
  await page.locator('#sample').click();
  await page.locator('#image-error').waitFor({state: 'hidden'});
}));

test('both views can be reached, by keys too', () => onPage(url, async (page) => {
  await openImages(page);
  assert.match(await page.locator('#model').textContent(), / · Energy-Based Transformer of images · tiles of /);
  assert.equal(await page.locator('#view-text').isVisible(), false);
  await page.locator('#tab-image').focus();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.locator('#tab-text').getAttribute('aria-selected'), 'true');
  assert.equal(await page.locator('#prompt').isVisible(), true);
  assert.equal(await page.locator('#clean').isVisible(), false);
  assert.match(await page.locator('#model').textContent(), /vocabulary/);
  assert.equal(await page.locator('#skip').getAttribute('href'), '#written');
}));

test('everything that can be used is reached with the tab key and has a name', () => onImages(async (page) => {
  await clean(page);
  await waitForRest(page);
  await page.locator('#show-map').check();
  const nameless = await page.locator('button, input, textarea, summary, a, [role=img], progress').evaluateAll((all) =>
      all.filter((element) => element.checkVisibility() && !element.textContent.trim() && !element.labels?.length &&
                              !element.getAttribute('aria-label')).map((element) => element.outerHTML));
  assert.deepEqual(nameless, []);
  const reached = new Set();
  await page.locator('body').evaluate((body) => body.ownerDocument.activeElement.blur());
  for (let i = 0; i < 30; ++i) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
  }
  for (const id of ['tab-image', 'theme', 'file', 'sample', 'sigma', 'image-steps', 'side', 'clean', 'show-map', 'opacity',
                    'one-scale', 'download', 'overlay', 'image-play', 'image-scrubber']) {
    assert.ok(reached.has(id), `${id} is not among ${[...reached]}`);
  }
}));

for (const scheme of ['light', 'dark']) {
  test(`words can be read in ${scheme} colours`, () => onImages(async (page) => {
    await clean(page);
    await waitForRest(page);
    await page.locator('#show-map').check();
    for (const selector of ['h1 >> visible=true', '#about-cleaning', '#source-name', '#clean', '#sample', '#map-legend', '#download',
                            '#after-name', '#image-totals dt >> nth=0', '#image-numbers', '#tab-text', '#tab-image']) {
      const ratio = await contrast(page.locator(selector));
      assert.ok(ratio >= 4.5, `${selector}: ${ratio}`);
    }
  }, {colorScheme: scheme}));
}

test('a phone scrolls down only', () => onImages(async (page) => {
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(await overflow(), 0);
  await dropFile(page, {name: `${'long'.repeat(40)}.png`, type: 'image/png', bytes: makePng(20, 64, (x, y) => [x, y, 0])});
  await page.locator('#source-name').getByText('longlong').waitFor();
  await clean(page);
  await waitForRest(page);
  await page.locator('#show-map').check();
  await page.locator('#image-advanced summary').click();
  assert.equal(await overflow(), 0);
  const small = await page.locator('button:visible, summary:visible, .check:visible, .button:visible').evaluateAll((all) =>
      all.filter((element) => element.getBoundingClientRect().height < 40).map((element) => element.outerHTML));
  assert.deepEqual(small, []);
  await page.locator('#overlay').tap();
  await page.locator('#tip').getByText(/^energy .* in row \d+, column \d+$/).waitFor();
}, {viewport: {width: 360, height: 740}, hasTouch: true, isMobile: true}));

test('the button is on the first screen of a phone', () => onImages(async (page) => {
  const box = await page.locator('#clean').boundingBox();
  assert.ok(box.y + box.height <= 640, `it ends at ${box.y + box.height}`);
}, {viewport: {width: 360, height: 640}, hasTouch: true, isMobile: true}));

test('what was set for an image outlives a reload', () => onImages(async (page) => {
  await setSlider(page, 'sigma', 2);
  const noise = await page.locator('#sigma-value').textContent();
  await page.reload();
  await openImages(page);
  assert.equal(await page.locator('#sigma-value').textContent(), noise);
}));

test('where motion is unwelcome the last step is shown at once', () => onImages(async (page) => {
  await clean(page, {steps: 6});
  await waitForImage(page);
  assert.equal(await page.locator('#image-play').getAttribute('data-playing'), '');
  await page.locator('#after-name').getByText('After step 12 of 12').waitFor();
}, {reducedMotion: 'reduce'}));
