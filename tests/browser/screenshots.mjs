// Pictures of the page at work on a server of Energy-Based Transformers, to be looked at: page.png,
// page_dark.png, page_phone.png and page_phone_dark.png of texts, page-image.png and the like of
// images, each where such a model is served.
//   node screenshots.mjs URL FOLDER [PROMPT]
import {join} from 'node:path';
import {chromium} from 'playwright-core';
import {setSlider, tokens, waitForEnd, write} from './drive.mjs';
import {clean, openImages, waitForRest} from './image_drive.mjs';

const [url, folder, prompt = 'The '] = process.argv.slice(2);
if (!folder) throw new Error('usage: node screenshots.mjs URL FOLDER [PROMPT]');

// Where motion is unwelcome a token that is picked shows its last step at once.
const kDesk = {viewport: {width: 1280, height: 900}, reducedMotion: 'reduce'};
const kPhone = {viewport: {width: 390, height: 844}, isMobile: true, hasTouch: true,
                deviceScaleFactor: 2, reducedMotion: 'reduce'};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox']});

const {data} = await (await fetch(new URL('v1/models', url))).json();
const serves = (kind) => data.some(({ebt}) => ebt.kind === kind);

// Opens the page, lets `use(page)` work on it, and takes its picture.
async function picture(name, options, use) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(url);
  await use(page);
  await page.mouse.move(2, 2);
  // The whole page, by a window as tall: a picture larger than its window forgets what a phone is.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({width: options.viewport.width, height});
  await page.screenshot({path: join(folder, `${name}.png`)});
  await context.close();
}

const writing = ({candidates, compare, token}) => async (page) => {
  await page.locator('#start:enabled').waitFor();
  await setSlider(page, 'candidates', candidates);
  await write(page, {prompt, length: 160, compare});
  await waitForEnd(page);
  await page.locator('#advanced summary').click();
  await tokens(page).nth(token).click();
};

const cleaning = ({map}) => async (page) => {
  await openImages(page);
  await clean(page, {sigma: 5, steps: 3});  // 25, four
  await waitForRest(page);
  await page.locator('#show-map').setChecked(map);
};

if (serves('text')) {
  await picture('page', kDesk, writing({candidates: 3, compare: true, token: 40}));
  await picture('page_dark', {...kDesk, colorScheme: 'dark'}, writing({candidates: 3, token: 40}));
  await picture('page_phone', kPhone, writing({candidates: 0, compare: true, token: 20}));
  await picture('page_phone_dark', {...kPhone, colorScheme: 'dark'}, writing({candidates: 0, token: 20}));
}
if (serves('image')) {
  await picture('page-image', kDesk, cleaning({map: true}));
  await picture('page-image_plain', kDesk, cleaning({map: false}));
  await picture('page-image_dark', {...kDesk, colorScheme: 'dark'}, cleaning({map: true}));
  await picture('page-image_phone', kPhone, cleaning({map: true}));
}
await browser.close();
