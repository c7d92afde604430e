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
