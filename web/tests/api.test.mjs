import assert from 'node:assert/strict';
import test from 'node:test';
import {servedModels, streamCompletion, streamDenoising} from '../api.js';
import {makePng} from './mock_images.mjs';
import {startMockServer} from './mock_server.mjs';

// Calls `body(server)` with a double to which addresses are relative, as they are to the page.
async function withServer(changes, body) {
  const server = await startMockServer(changes);
  const fetch_anywhere = globalThis.fetch;
  globalThis.fetch = (path, init) => fetch_anywhere(new URL(path, server.url), init);
  try {
    return await body(server);
  } finally {
    globalThis.fetch = fetch_anywhere;
    await server.close();
  }
}

// What `send(abort, on_event)` came to.
function collect(changes, abort_after, send) {
  return withServer(changes, async (server) => {
    const chunks = [];
    const abort = new AbortController();
    try {
      await send(abort.signal, (chunk) => {
        chunks.push(chunk);
        if (chunks.length === abort_after) abort.abort();
      });
      return {chunks, server};
    } catch (error) {
      return {chunks, error, server};
    }
  });
}

function complete(changes, {abort_after, token, ...request} = {}) {
  return collect(changes, abort_after, (signal, on_chunk) => streamCompletion(
      {prompt: 'The ', max_tokens: 12, trace: 3, thinking: {steps: 2}, ...request},
      {token, signal, on_chunk}));
}

function clean(changes, options = {}) {
  const image = new Blob([makePng(8, 6, () => [1, 2, 3])], {type: 'image/png'});
  return collect({images: 'ebt', ...changes}, options.abort_after, (signal, on_event) => streamDenoising(
      image, {steps: 2, sigma: 25}, {signal, on_event, ...options}));
}

test('a stream is read to its end', async () => {
  const {chunks, error} = await complete({});
  assert.equal(error, undefined);
  assert.equal(chunks.length, 13);
  assert.equal(chunks[0].choices[0].thinking[0].states.length, 4);
  assert.equal(chunks.at(-1).usage.completion_tokens, 12);
});

test('refusals are told in the sentence of the server', async () => {
  const {error} = await complete({refuse: {status: 429, message: 'The queue is full.'}});
  assert.equal(error.message, 'The queue is full.');
  assert.equal(error.status, 429);
});

test('an error within a stream is told, after what came before it', async () => {
  const {chunks, error} = await complete({fail_after: 3});
  assert.equal(chunks.length, 3);
  assert.equal(error.message, 'The model folder was removed.');
});

test('a connection that is cut says so', async () => {
  const {chunks, error} = await complete({cut_after: 2, token_ms: 5});
  assert.equal(chunks.length, 2);
  assert.match(error.message, /ended before the answer was finished/);
});

test('the bearer token is sent', async () => {
  assert.equal((await complete({bearer: 'b'})).error.status, 401);
  assert.equal((await complete({bearer: 'b'}, {token: 'b'})).error, undefined);
});

test('aborting is no failure of the server', async () => {
  const {chunks, error} = await complete({token_ms: 5}, {abort_after: 2});
  assert.equal(error.name, 'AbortError');
  assert.ok(chunks.length < 12);
});

test('models are told apart by their kind', async () => {
  const served = (changes) => withServer(changes, () => servedModels());
  const both = await served({images: 'dit'});
  assert.deepEqual([both.text.id, both.image.id, both.image.ebt.thinks], ['valley', 'mist', false]);
  assert.equal((await served({})).image, null);
  assert.equal((await served({texts: false, images: 'ebt'})).text, null);
  await assert.rejects(served({texts: false}), /has no model/);
});

test('an image is sent as a file with its options in the address', async () => {
  const {chunks, error, server} = await clean();
  assert.equal(error, undefined);
  const [{type, query, file}] = server.log.images;
  assert.equal(type, 'image/png');
  assert.deepEqual(query, {steps: '2', sigma: '25', stream: 'true'});
  assert.equal(file.readUInt32BE(16), 8);
  assert.deepEqual(chunks.filter(({object}) => object === 'image.step').map(({step}) => step), [0, 1, 2]);
  assert.equal(chunks.at(-1).object, 'image.denoised');
});

test('an event is waited for before the next is read', async () => {
  const seen = [];
  await clean({}, {async on_event({object}) {
    seen.push(`${object} begins`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    seen.push(`${object} ends`);
  }});
  assert.ok(seen.length >= 8);
  seen.forEach((event, i) => assert.match(event, i % 2 === 0 ? /begins$/ : /ends$/));
});

test('refusals, failures and cuts of images are told', async () => {
  assert.equal((await clean({refuse: {status: 413, message: 'Too large.'}})).error.message, 'Too large.');
  assert.match((await clean({fail_after: 1})).error.message, /diverged/);
  assert.match((await clean({cut_after: 1})).error.message, /ended before the answer/);
  assert.equal((await clean({step_ms: 5}, {abort_after: 1})).error.name, 'AbortError');
});
