// Pictures of the page at work on a server of an Energy-Based Transformer, to be
// looked at: page.png, page_dark.png, page_phone.png and page_phone_dark.png.
//   node screenshots.mjs URL FOLDER [PROMPT]
import {join} from 'node:path';
import {chromium} from 'playwright-core';
import {setSlider, tokens, waitForEnd, write} from './drive.mjs';

const [url, folder, prompt = 'The '] = process.argv.slice(2);
if (!folder) throw new Error('usage: node screenshots.mjs URL FOLDER [PROMPT]');

// Where motion is unwelcome a token that is picked shows its last step at once.
const kDesk = {viewport: {width: 1280, height: 900}, reducedMotion: 'reduce'};
const kPhone = {viewport: {width: 390, height: 844}, isMobile: true, hasTouch: true,
                deviceScaleFactor: 2, reducedMotion: 'reduce'};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox']});

async function picture(name, options, {candidates, compare, token}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('#start:enabled').waitFor();
  await setSlider(page, 'candidates', candidates);
  await write(page, {prompt, length: 160, compare});
  await waitForEnd(page);
  await page.locator('.advanced summary').click();
  await tokens(page).nth(token).click();
  await page.mouse.move(2, 2);
  // The whole page, by a window as tall: a picture larger than its window forgets what a phone is.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({width: options.viewport.width, height});
  await page.screenshot({path: join(folder, `${name}.png`)});
  await context.close();
}

await picture('page', kDesk, {candidates: 3, compare: true, token: 40});
await picture('page_dark', {...kDesk, colorScheme: 'dark'}, {candidates: 3, token: 40});
await picture('page_phone', kPhone, {candidates: 0, compare: true, token: 20});
await picture('page_phone_dark', {...kPhone, colorScheme: 'dark'}, {candidates: 0, token: 20});
await browser.close();
