// What a person does with the view of images, and what they wait for.
import {setSlider} from './drive.mjs';

// Goes to the images, where the page begins with texts.
export async function openImages(page) {
  await page.waitForFunction(() => document.querySelector('#model b'));
  if (await page.locator('#tab-image').isVisible()) await page.locator('#tab-image').click();
  await page.locator('#clean:enabled').waitFor();
}

export async function waitForImage(page) {
  await page.waitForFunction(() => document.querySelector('#stop-image').hidden &&
      !document.querySelector('#clean').disabled);
}

// Until the states are no longer played.
export async function waitForRest(page) {
  await waitForImage(page);
  await page.waitForFunction(() => document.querySelector('#image-play').dataset.playing === '');
}

// Presses the button; when this returns, the page shows that it is at work, or already done.
export async function startCleaning(page) {
  await page.locator('#clean').click();
  await page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  }));
}

// Cleans what is chosen; `sigma` and `steps` are places of the sliders.
export async function clean(page, {sigma, steps} = {}) {
  if (sigma !== undefined) await setSlider(page, 'sigma', sigma);
  if (steps !== undefined) await setSlider(page, 'image-steps', steps);
  await startCleaning(page);
}

// Drops a file, as from another window.
export function dropFile(page, {name, type, bytes}, where = '#view-image') {
  return page.locator(where).evaluate((place, file) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(file.bytes)], file.name, {type: file.type}));
    for (const event of ['dragover', 'drop']) {
      place.dispatchEvent(new DragEvent(event, {dataTransfer: data, bubbles: true, cancelable: true}));
    }
  }, {name, type, bytes: [...bytes]});
}

// The pixels of a canvas, [red, green, blue, alpha, ...], with its width and height.
export function pixelsOf(page, selector) {
  return page.locator(selector).evaluate((canvas) => {
    const {width, height} = canvas;
    // From a copy: the browser warns of a canvas that is read again and again.
    const copy = Object.assign(document.createElement('canvas'), {width, height});
    const context = copy.getContext('2d', {willReadFrequently: true});
    context.drawImage(canvas, 0, 0);
    return {width, height, data: [...context.getImageData(0, 0, width, height).data]};
  });
}

// A number of the totals below the image.
export async function imageTotal(page, name) {
  const row = page.locator('#image-totals div').filter({has: page.getByText(name, {exact: true})});
  return row.locator('dd').textContent();
}
