// The page in a browser, on the server at BASE_URL, or on the double of web/tests if that is unset.
import assert from 'node:assert/strict';
import test, {after, before} from 'node:test';
import {startMockServer} from '../../web/tests/mock_server.mjs';
import {setSlider, start, tokens, total, waitForEnd, waitForTokens, write} from './drive.mjs';
import {contrast, onPage} from './harness.mjs';

let url = process.env.BASE_URL;
let double;
before(async () => {
  if (url) return;
  double = await startMockServer({token_ms: 5});
  url = double.url;
});
after(() => double?.close());

test('a prompt is continued, token by token, with what it cost', () => onPage(url, async (page) => {
  await write(page, {prompt: 'The valley', length: 24});
  await waitForEnd(page);
  assert.equal(await tokens(page).count(), 24);
  assert.equal(await page.locator('#text-thinking .given').textContent(), 'The valley');
  assert.equal(await total(page, 'tokens'), 24);
  assert.ok(await total(page, 'thinking steps') >= 24);
  assert.ok(await total(page, 'forward passes') > await total(page, 'thinking steps'));
  assert.ok(await total(page, 'tokens/s') > 0);
  assert.match(await page.locator('#announcer').textContent(), /^24 tokens/);
  assert.match(await page.locator('#legend').textContent(), /low energy.*high energy.*Energy|sure.*unsure.*Calibrated/);
}));

test('slow motion shows the steps of a token one by one', () => onPage(url, async (page) => {
  await page.locator('#start:enabled').waitFor();
  await page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() => {
      const value = document.querySelector('#scrub-value').textContent;
      if (value && seen.at(-1) !== value) seen.push(value);
    }).observe(document.querySelector('#scrub-value'), {childList: true, characterData: true, subtree: true});
  });
  await setSlider(page, 'steps', 3);  // four
  await start(page);
  await waitForTokens(page, 3);
  const seen = await page.evaluate(() => globalThis.seen);
  const of = Number(seen[0].split(' of ')[1]);
  assert.ok(of >= 4);
  // A browser that is busy may draw two steps at once, but neither skips many nor goes back.
  const steps = seen.slice(0, seen.indexOf(`step ${of} of ${of}`) + 1).map((text) => Number(text.split(' ')[1]));
  assert.equal(steps[0], 0);
  assert.ok(steps.every((step, i) => i === 0 || step > steps[i - 1]), `${steps}`);
  assert.ok(steps.length > of / 2, `${steps}`);
}));

test('steps are counted alike at the slider, in the chart and at the token', () => onPage(url, async (page) => {
  for (const place of [0, 3, 5]) {
    await page.locator('#start:enabled').waitFor();
    await setSlider(page, 'steps', place);
    const steps = await page.locator('#steps-value').textContent();
    await write(page, {length: 3});
    await waitForEnd(page);
    assert.equal(await page.locator('#scrub-value').textContent(), `step ${steps} of ${steps}`);
    assert.match(await page.locator('#numbers').textContent(), new RegExp(`, ${steps} thinking step`));
  }
}));

test('slow motion says that it is slow, and can be skipped', () => onPage(url, async (page) => {
  await page.locator('#start:enabled').waitFor();
  await start(page);
  await waitForEnd(page);  // of the writing
  await waitForTokens(page, 2);
  assert.match(await page.locator('#slowed').textContent(), /^Slowed down to be watched: \d+ of 80 tokens shown\. The model took [\d.]+.s for them all\.$/);
  await page.locator('#show-all').click();
  await waitForTokens(page, 80);
  await page.locator('#slowed').waitFor({state: 'hidden'});
  assert.equal(await page.locator('#show-all').isVisible(), false);
  assert.equal(await page.locator('#slow').isChecked(), true);
}));

test('slow motion waits for whoever looks at a token, until told to go on', () => onPage(url, async (page) => {
  await page.locator('#start:enabled').waitFor();
  await start(page);
  await waitForTokens(page, 3);
  await tokens(page).first().click();
  await page.waitForFunction(() => document.querySelector('#play').dataset.playing === '');
  const count = await tokens(page).count();
  await page.waitForTimeout(800);
  assert.equal(await tokens(page).count(), count);
  assert.match(await page.locator('#inspected').textContent(), /^Token 1 /);
  await page.locator('#follow').click();
  await waitForTokens(page, count + 2);
  assert.equal(await page.locator('#follow').isVisible(), false);
}));

test('the scrubber changes candidates, chart and numbers', () => onPage(url, async (page) => {
  await write(page, {length: 6});
  await waitForEnd(page);
  const last = Number(await page.locator('#scrubber').getAttribute('max'));
  const at = async () => [await page.locator('#bars').innerText(), await page.locator('#at-step').innerText(),
                          await page.locator('#chart canvas').evaluate((canvas) => canvas.toDataURL())];
  const end = await at();
  await page.locator('#scrubber').focus();
  await page.keyboard.press('Home');
  await page.locator('#scrub-value').getByText(`step 0 of ${last}`).waitFor();
  const start = await at();
  start.forEach((part, i) => assert.notEqual(part, end[i]));
  assert.equal(await page.locator('#bars li').count(), 8);
  assert.match(await page.locator('#scrubber').getAttribute('aria-valuetext'), /^step 0 of \d+, energy /);
  assert.match(await page.locator('#chart').getAttribute('aria-label'), /^Energy after every step: /);
}));

test('clicking the chart goes to a step', () => onPage(url, async (page) => {
  await write(page, {length: 4});
  await waitForEnd(page);
  await page.locator('#chart .u-over').click({position: {x: 12, y: 60}});
  await page.locator('#scrub-value').getByText('step 0 of').waitFor();
}));

test('the sliders change what is thought', () => onPage(url, async (page) => {
  await write(page, {length: 8});
  await waitForEnd(page);
  const before = await total(page, 'thinking steps');
  await setSlider(page, 'steps', 5);       // eight
  await setSlider(page, 'candidates', 2);  // three
  assert.equal(await page.locator('#steps').inputValue(), '5');
  assert.equal(await page.locator('#candidates-value').textContent(), '3');
  await start(page);
  await waitForEnd(page);
  const after = await total(page, 'thinking steps');
  assert.ok(after >= 3 * before, `${before} steps became ${after}`);
  await page.locator('#candidate-key').waitFor();
  await setSlider(page, 'stop', 12);  // the largest threshold
  await start(page);
  await waitForEnd(page);
  assert.ok(await total(page, 'thinking steps') < after);
}));

test('thinking off runs side by side and costs less', () => onPage(url, async (page) => {
  await write(page, {length: 12, compare: true});
  await waitForEnd(page);
  assert.equal(await tokens(page).count(), 12);
  assert.equal(await tokens(page, 'off').count(), 12);
  assert.ok(await total(page, 'thinking steps', 'off') < await total(page, 'thinking steps'));
  // Both at one moment: the page follows the text by scrolling.
  const [left, right] = await page.evaluate(() => ['thinking', 'off'].map((run) =>
      document.getElementById(`pane-${run}`).getBoundingClientRect().toJSON()));
  assert.ok(left.x + left.width <= right.x && Math.abs(left.y - right.y) < 2);
  await tokens(page, 'off').nth(3).click();
  await page.locator('#inspected').getByText('Token 4, thinking off').waitFor();
  await write(page, {length: 5});
  await waitForEnd(page);
  assert.equal(await page.locator('#pane-off').isVisible(), false);
}));

test('the keyboard alone asks, walks through the tokens and reads their numbers', () => onPage(url, async (page) => {
  await page.locator('#start:enabled').waitFor();
  await page.locator('#slow').focus();
  await page.keyboard.press('Space');
  await page.locator('#prompt').focus();
  await page.keyboard.press('Control+Enter');
  await waitForTokens(page, 80);
  await waitForEnd(page);
  await page.locator('#text-thinking .token[tabindex="0"]').focus();
  await page.keyboard.press('Home');
  for (let i = 0; i < 3; ++i) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  const focused = page.locator(':focus');
  assert.equal(await focused.getAttribute('data-index'), '2');
  assert.match(await focused.getAttribute('aria-label'), /energy .* probability /);
  assert.match(await page.locator('#inspected').textContent(), /^Token 3/);
  assert.notEqual(await focused.evaluate((element) => getComputedStyle(element).outlineStyle), 'none');
  assert.match(await page.locator('#tip').textContent(), /energy .* probability /);
  await page.keyboard.press('End');
  assert.equal(await focused.getAttribute('data-index'), String(await tokens(page).count() - 1));
  assert.equal(await page.locator('#text-thinking .token[tabindex="0"]').count(), 1);
}));

test('everything that can be used is reached with the tab key and has a name', () => onPage(url, async (page) => {
  await write(page, {length: 4, compare: true});
  await waitForEnd(page);
  const nameless = await page.locator('button, input, textarea, summary, [role=button]').evaluateAll((all) =>
      all.filter((element) => element.checkVisibility() && !element.textContent.trim() && !element.labels?.length &&
                              !element.getAttribute('aria-label')).map((element) => element.outerHTML));
  assert.deepEqual(nameless, []);
  const reached = new Set();
  await page.locator('body').evaluate((body) => body.ownerDocument.activeElement.blur());
  for (let i = 0; i < 40; ++i) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
  }
  for (const id of ['theme', 'prompt', 'start', 'steps', 'candidates', 'stop', 'compare', 'length', 'top-p', 'chat', 'slow', 'replay', 'play', 'scrubber']) {
    assert.ok(reached.has(id), `${id} is not among ${[...reached]}`);
  }
}));

test('pointing at a token shows its numbers', () => onPage(url, async (page) => {
  await write(page, {length: 8});
  await waitForEnd(page);
  await tokens(page).nth(2).hover();
  assert.match(await page.locator('#tip').textContent(), /energy .* probability .* thinking step/);
  await page.mouse.move(2, 2);
  assert.equal(await page.locator('#tip').isVisible(), false);
}));

test('stopping keeps what was written', () => onPage(url, async (page) => {
  await page.locator('#start:enabled').waitFor();
  await setSlider(page, 'steps', 11);  // 64 of them, or a fast server is done before the button is reached
  await write(page, {length: 1000});
  await waitForTokens(page, 3);
  await page.locator('#stop-button').click();
  await waitForEnd(page);
  const count = await tokens(page).count();
  assert.ok(count >= 3 && count < 1000, `${count} tokens`);
  assert.match(await page.locator('#pane-thinking .totals').textContent(), /you/);
  await write(page, {length: 5});  // and nothing is broken
  await waitForEnd(page);
  assert.equal(await tokens(page).count(), 5);
}));

test('a replay shows the text again from its first token', () => onPage(url, async (page) => {
  await write(page, {length: 10});
  await waitForEnd(page);
  await page.locator('#replay').click();
  await page.waitForFunction(() => document.querySelectorAll('#text-thinking .token').length < 4);
  await waitForTokens(page, 2);
  await page.locator('#slow').setChecked(false);
  await waitForTokens(page, 10);
}));

test('the sentence of a refusal is shown', () => onPage(url, async (page) => {
  await page.route('**/v1/completions', (route) => route.continue({
    postData: JSON.stringify({...route.request().postDataJSON(), max_tokens: -1})}));
  await write(page);
  const error = page.locator('#pane-thinking .error');
  await error.waitFor();
  assert.match(await error.textContent(), /max_tokens/);
  await waitForEnd(page);
}, {expected_complaints: /status of 4/}));

test('a text is copied without its marks', () => onPage(url, async (page) => {
  await write(page, {prompt: 'Two\nlines: ', length: 130});
  await waitForEnd(page);
  const {copied, written} = await page.evaluate(() => {
    const text = document.getElementById('text-thinking');
    getSelection().selectAllChildren(text);
    return {copied: getSelection().toString(), written: text.textContent};
  });
  assert.equal(copied.trimEnd(), written.trimEnd());
  assert.doesNotMatch(copied, /↵/);
  assert.match(copied, /^Two\nlines: /);
}));

test('the prompt and the settings outlive a reload', () => onPage(url, async (page) => {
  await page.locator('#start:enabled').waitFor();
  await page.locator('#prompt').fill('kept');
  await setSlider(page, 'steps', 5);
  await page.locator('#compare').check();
  await page.locator('#slow').uncheck();
  await page.locator('#advanced summary').click();
  await page.locator('#top-p').fill('0.5');
  await page.locator('#stop-strings').fill('END');
  const steps = await page.locator('#steps-value').textContent();
  await page.reload();
  await page.locator('#start:enabled').waitFor();
  assert.equal(await page.locator('#prompt').inputValue(), 'kept');
  assert.equal(await page.locator('#steps-value').textContent(), steps);
  assert.equal(await page.locator('#compare').isChecked(), true);
  assert.equal(await page.locator('#slow').isChecked(), false);
  assert.equal(await page.locator('#top-p').inputValue(), '0.5');
  assert.equal(await page.locator('#stop-strings').inputValue(), 'END');
}));

test('a browser that keeps nothing for pages shows this one all the same', () => onPage(url, async (page) => {
  await page.addInitScript(() => {
    for (const storage of ['sessionStorage', 'localStorage']) {
      Object.defineProperty(globalThis, storage, {get() { throw new DOMException('denied', 'SecurityError'); }});
    }
  });
  await page.reload();
  await write(page, {length: 3});
  await waitForEnd(page);
  assert.equal(await tokens(page).count(), 3);
}));

test('a chat goes on from what was said', () => onPage(url, async (page) => {
  await page.locator('#start:enabled').waitFor();
  await page.locator('#advanced summary').click();
  await page.locator('#chat').check();
  await page.locator('#system').fill('Be brief.');
  await write(page, {prompt: 'Hello', length: 4});
  await waitForEnd(page);
  assert.match(await page.locator('#text-thinking .given').textContent(), /^System: Be brief.\n\nUser: Hello\n\nAssistant: $/);
  assert.equal(await page.locator('#prompt').inputValue(), '');
  await write(page, {prompt: 'And then?', length: 4});
  await waitForEnd(page);
  assert.match(await page.locator('#text-thinking').textContent(), /User: Hello\n\nAssistant: [^]*\n\nUser: And then\?\n\nAssistant: /);
  await page.locator('#new-chat').click();
  await write(page, {prompt: 'Anew', length: 4});
  await waitForEnd(page);
  assert.doesNotMatch(await page.locator('#text-thinking').textContent(), /Hello/);
}));

test('of a prompt that is too long it is said what was read', () => onPage(url, async (page) => {
  const prompt = 'All work and no play. '.repeat(500);
  await write(page, {prompt, length: 3, compare: true});
  await waitForEnd(page);
  const seen = await tokens(page, 'off').last().evaluate((token) => {
    const [inner, outer] = [token, token.parentElement].map((element) => element.getBoundingClientRect());
    return inner.top >= outer.top && inner.bottom <= outer.bottom;
  });
  assert.ok(seen, 'the text beside it is scrolled to its end too');
  await page.locator('#reading').getByText(/reads the last \d+ of the prompt’s .* tokens/).waitFor();
  const unread = await page.locator('#text-thinking .unread').textContent();
  assert.ok(unread.length > prompt.length / 2 && prompt.startsWith(unread));
  assert.equal(unread + await page.locator('#text-thinking .given:not(.unread)').textContent(), prompt);
  await write(page, {length: 3});
  await waitForEnd(page);
  assert.equal(await page.locator('#reading').isVisible(), false);
}));

test('markup in a prompt is text', () => onPage(url, async (page) => {
  await write(page, {prompt: '<img src=x onerror=alert(1)> & "é€😀"', length: 3});
  await waitForEnd(page);
  assert.equal(await page.locator('#text-thinking .given').textContent(), '<img src=x onerror=alert(1)> & "é€😀"');
  assert.equal(await page.locator('img').count(), 0);
}));

for (const scheme of ['light', 'dark']) {
  test(`words can be read in ${scheme} colours`, () => onPage(url, async (page) => {
    await write(page, {length: 30, compare: true});
    await waitForEnd(page);
    for (const selector of ['#title', '#about-thinking', '.hint >> nth=0', '#start', '.model', '#legend',
                            '.totals dt >> nth=0', '.bars .value >> nth=0', '#advanced summary']) {
      const ratio = await contrast(page.locator(selector));
      assert.ok(ratio >= 4.5, `${selector}: ${ratio}`);
    }
    for (let level = 0; level < 8; ++level) {
      const token = tokens(page).first();
      await token.evaluate((element, value) => { element.dataset.level = value; }, level);
      assert.ok(await contrast(token) >= 4.5, `level ${level}: ${await contrast(token)}`);
    }
  }, {colorScheme: scheme}));
}

test('the button turns the page dark, also for the next visit', () => onPage(url, async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.locator('#theme').click();
  assert.equal(await ground(), light);
  await page.locator('#theme').click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  assert.equal(await page.locator('#theme').getAttribute('aria-label'), 'Colours: Dark');
}));

test('a phone scrolls down only', () => onPage(url, async (page) => {
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(await overflow(), 0);
  await write(page, {prompt: 'W'.repeat(300), length: 40, compare: true});
  await waitForEnd(page);
  await page.locator('.explain summary').click();
  assert.equal(await overflow(), 0);
  const small = await page.locator('button:visible, summary:visible, .check:visible').evaluateAll((all) =>
      all.filter((element) => element.getBoundingClientRect().height < 40).map((element) => element.outerHTML));
  assert.deepEqual(small, []);
}, {viewport: {width: 360, height: 740}, hasTouch: true, isMobile: true}));

for (const [name, viewport] of Object.entries({small: {width: 360, height: 640}, lying: {width: 740, height: 360}})) {
  test(`the button is on the first screen of a ${name} phone`, () => onPage(url, async (page) => {
    await page.locator('#start:enabled').waitFor();
    const box = await page.locator('#start').boundingBox();
    assert.ok(box.y + box.height <= viewport.height, `it ends at ${box.y + box.height}`);
  }, {viewport, hasTouch: true, isMobile: true}));
}

test('without JavaScript the page says so', () => onPage(url, async (page) => {
  assert.match(await page.locator('noscript').textContent(), /JavaScript/);
  assert.equal(await page.locator('noscript p').isVisible(), true);
  assert.equal(await page.locator('#start').isVisible(), false);
  assert.doesNotMatch(await page.locator('body').innerText(), /Asking/);
}, {javaScriptEnabled: false}));

test('nothing moves where motion is unwelcome', () => onPage(url, async (page) => {
  await page.locator('#start:enabled').waitFor();
  assert.equal(await page.locator('#slow').isChecked(), false);
  await write(page, {length: 4});
  await waitForEnd(page);
  const moving = await page.locator('.bars li, .bars .fill').evaluateAll((all) =>
      all.filter((element) => getComputedStyle(element).transitionProperty !== 'none').length);
  assert.equal(moving, 0);
  await tokens(page).nth(1).click();
  const last = await page.locator('#scrubber').getAttribute('max');
  assert.equal(await page.locator('#scrubber').inputValue(), last);
}, {reducedMotion: 'reduce'}));
