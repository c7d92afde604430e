// OpenAI's client in a page of another origin, to which the server is opened by --cors.
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {after, before, test} from 'node:test';
import {chromium} from 'playwright-core';
import {kBase, kKey, kModel} from './server.mjs';

const kPackage = new URL('node_modules/openai/', import.meta.url);
let site;
let browser;
let page;

// The site of the page: the client as its package has it, and an empty page.
async function answer(request, response) {
  try {
    const name = request.url.slice(1);
    const body = name === '' ? '<!doctype html><title>t</title>' : await readFile(new URL(name, kPackage));
    response.setHeader('Content-Type', name === '' ? 'text/html' : 'text/javascript');
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

before(async () => {
  site = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => site.once('listening', resolve));
  browser = await chromium.launch(
      {executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox']});
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
});
after(async () => {
  await browser?.close();
  site?.close();
});

// Runs `body(client, model, OpenAI)` in the page.
function inPage(body, key = kKey) {
  return page.evaluate(async ([source, base, key, model]) => {
    const {default: OpenAI} = await import('/index.mjs');
    const client = new OpenAI(
        {baseURL: `${base}v1`, apiKey: key, maxRetries: 0, dangerouslyAllowBrowser: true});
    return new Function(`return ${source}`)()(client, model, OpenAI);
  }, [body.toString(), kBase, key, kModel]);
}

test('a page lists models and chats', async () => {
  const found = await inPage(async (client, model) => {
    const names = (await client.models.list()).data.map(({id}) => id);
    const answer = await client.chat.completions.create(
        {model, messages: [{role: 'user', content: 'Hello'}], max_tokens: 5});
    return [names.includes(model), answer.usage.completion_tokens];
  });
  assert.equal(found[0], true);
  assert.ok(found[1] > 0);
});

test('a page reads a stream', async () => {
  const chunks = await inPage(async (client, model) => {
    const stream = await client.chat.completions.create(
        {model, messages: [{role: 'user', content: 'Hello'}], max_tokens: 5, stream: true});
    let count = 0;
    for await (const chunk of stream) count += chunk.choices.length;
    return count;
  });
  assert.ok(chunks > 2);
});

test('a page is told what is wrong', async () => {
  const errors = await inPage(async (client, model, OpenAI) => {
    const error = (promise) => promise.then(() => null, (error) => [error.status, error.code]);
    const stranger = new OpenAI(
        {baseURL: client.baseURL, apiKey: 'wrong', maxRetries: 0, dangerouslyAllowBrowser: true});
    return Promise.all([
      error(client.models.retrieve('none')),
      error(client.completions.create({model, prompt: 'a', max_tokens: -1})),
      error(client.completions.create({model, prompt: 'a'.repeat(300)})),
      error(client.completions.create({model, prompt: 'a'.repeat(2_000_000)})),
      error(stranger.models.list()),
    ]);
  });
  assert.deepEqual(errors, [[404, 'model_not_found'], [400, null], [400, 'context_length_exceeded'],
                            [413, 'body_too_large'], [401, 'invalid_api_key']]);
});
