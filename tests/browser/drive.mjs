// What a person does with the page, and what they wait for.

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
  if (!await page.locator('#advanced').getAttribute('open').then((open) => open !== null)) {
    await page.locator('#advanced summary').click();
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
