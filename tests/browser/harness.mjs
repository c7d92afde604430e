// A browser, and pages that must neither ask anyone but their own server for anything nor complain.
import assert from 'node:assert/strict';
import {after, before} from 'node:test';
import {chromium} from 'playwright-core';

const kChromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
let browser;

before(async () => {
  browser = await chromium.launch({executablePath: kChromium, args: ['--no-sandbox']});
});
after(() => browser?.close());

// Runs `body(page)` on the page at `url`. `expected_complaints`: a pattern of console errors that
// belong to the test, such as the browser's note on a refused request.
export async function onPage(url, body, {expected_complaints, ...options} = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
  const page = await context.newPage();
  const problems = [];
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) problems.push(`asked for ${request.url()}`);
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    const harmless = ['log', 'info', 'debug'].includes(message.type());
    if (!harmless && !expected_complaints?.test(message.text())) problems.push(message.text());
  });
  try {
    await page.goto(url);
    await body(page);
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
  }
}

export const tokens = (page, run = 'thinking') => page.locator(`#text-${run} .token`);

export async function waitForTokens(page, count, run = 'thinking') {
  await page.waitForFunction(([name, least]) =>
      document.querySelectorAll(`#text-${name} .token`).length >= least, [run, count]);
}

export async function waitForEnd(page) {
  await page.waitForFunction(() => document.querySelector('#stop-button').hidden &&
      !document.querySelector('#start').disabled);
}

export async function setSlider(page, id, value) {
  await page.locator(`#${id}`).focus();
  await page.keyboard.press('Home');
  for (let i = 0; i < value; ++i) await page.keyboard.press('ArrowRight');
}

// Presses the button; when this returns, the page shows that it is at work, or already done.
export async function start(page) {
  await page.locator('#start').click();
  await page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  }));
}

// Writes `length` tokens at the pace at which they come.
export async function write(page, {prompt = 'The ', length = 24, compare = false} = {}) {
  await page.locator('#start:enabled').waitFor();
  await page.locator('#prompt').fill(prompt);
  await page.locator('#slow').setChecked(false);
  await page.locator('#compare').setChecked(compare);
  if (!await page.locator('.advanced').getAttribute('open').then((open) => open !== null)) {
    await page.locator('.advanced summary').click();
  }
  await page.locator('#length').fill(String(length));
  await start(page);
}

// A number of the totals below a text.
export async function total(page, name, run = 'thinking') {
  const row = page.locator(`#pane-${run} .totals div`)
      .filter({has: page.getByText(name, {exact: true})});
  return Number((await row.locator('dd').textContent()).replace(/[^0-9.]/g, ''));
}

// WCAG contrast of an element's text on the nearest ground behind it.
export function contrast(locator) {
  return locator.evaluate((element) => {
    const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
    let ground = element;
    while (ground && (parse(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) {
      ground = ground.parentElement;
    }
    const luminance = (colour) => {
      const [r, g, b] = parse(colour).slice(0, 3).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [low, high] = [getComputedStyle(element).color,
                         getComputedStyle(ground ?? document.body).backgroundColor]
        .map(luminance).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
}
