import assert from 'node:assert/strict';
import test from 'node:test';
import {streamCompletion} from '../api.js';
import {startMockServer} from './mock_server.mjs';

// The page's addresses are relative to itself.
async function complete(changes, {abort_after, token, ...request} = {}) {
  const server = await startMockServer(changes);
  const fetch_anywhere = globalThis.fetch;
  globalThis.fetch = (path, init) => fetch_anywhere(new URL(path, server.url), init);
  const chunks = [];
  const abort = new AbortController();
  try {
    await streamCompletion({prompt: 'The ', max_tokens: 12, trace: 3, thinking: {steps: 2}, ...request}, {
      token, signal: abort.signal,
      on_chunk(chunk) {
        chunks.push(chunk);
        if (chunks.length === abort_after) abort.abort();
      }});
    return {chunks, server};
  } catch (error) {
    return {chunks, error, server};
  } finally {
    globalThis.fetch = fetch_anywhere;
    await server.close();
  }
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
  assert.match(error.message, /ended before the text was finished/);
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
