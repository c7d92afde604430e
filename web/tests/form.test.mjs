import assert from 'node:assert/strict';
import test from 'node:test';
import {makeChat, transcript} from '../chat.js';
import {stopStrings} from '../controls.js';
import {readingOf} from '../reading.js';

test('stop strings stand one a line, and backslashes for what cannot be typed', () => {
  assert.deepEqual(stopStrings(''), []);
  assert.deepEqual(stopStrings('END\n\n\\n\\n\na\\tb\n\\\\n'), ['END', '\n\n', 'a\tb', '\\n']);
});

test('a conversation is sent whole, the system message first', () => {
  const chat = makeChat();
  assert.equal(chat.said(), false);
  assert.deepEqual(chat.ask('', 'Hi'), [{role: 'user', content: 'Hi'}]);
  chat.answered('Hi', 'Hello');
  const messages = chat.ask('Be brief.', 'More');
  assert.deepEqual(messages.map(({role, content}) => [role, content]), [
    ['system', 'Be brief.'], ['user', 'Hi'], ['assistant', 'Hello'], ['user', 'More']]);
  assert.equal(transcript(messages), 'System: Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: More\n\nAssistant: ');
  chat.forget();
  assert.equal(chat.said(), false);
});

// A server whose tokens are bytes.
function withBytes(t, {status = 200} = {}) {
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (path, {body}) => {
    const request = JSON.parse(body);
    asked.push([path, request]);
    const answer = path === 'tokenize' ? {tokens: [...Buffer.from(request.prompt)]}
                                       : {prompt: Buffer.from(request.tokens).toString('utf8')};
    return new Response(JSON.stringify(answer), {status});
  });
  return asked;
}

test('nobody is asked about a prompt that surely fits', async (t) => {
  const asked = withBytes(t);
  assert.equal(await readingOf({prompt: 'short'}, 'short', 6, ''), null);
  assert.equal(asked.length, 0);
  assert.equal(await readingOf({prompt: 'just fits'}, 'just fits', 9, ''), null);
  assert.equal(asked.length, 1);
});

test('of a long prompt the end is read, from a whole character on', async (t) => {
  withBytes(t);
  const text = 'the beginning, naïve';
  assert.deepEqual(await readingOf({prompt: text}, text, 5, ''), {total: 21, read: 5, unread: 'the beginning, n'});
  assert.deepEqual(await readingOf({prompt: text}, text, 3, ''), {total: 21, read: 3, unread: 'the beginning, naï'});
});

test('where tokens are not told, nothing is said of them', async (t) => {
  withBytes(t, {status: 404});
  assert.equal(await readingOf({prompt: 'a long one'}, 'a long one', 3, ''), null);
});
