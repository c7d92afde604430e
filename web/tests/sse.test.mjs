import assert from 'node:assert/strict';
import test from 'node:test';
import {eventReader} from '../sse.js';

const kStream = 'data: {"a": 1}\n\n: a comment\r\ndata: two\r\ndata:lines\r\n\r\nevent: x\rdata: é\r\rdata: cut';

test('events are the same wherever the stream is cut', () => {
  const expected = ['{"a": 1}', 'two\nlines', 'é'];
  for (let size = 1; size <= kStream.length; ++size) {
    const read = eventReader();
    const events = [];
    for (let at = 0; at < kStream.length; at += size) events.push(...read(kStream.slice(at, at + size)));
    assert.deepEqual(events, expected, `pieces of ${size}`);
  }
});

test('an event counts only when its blank line has come', () => {
  const read = eventReader();
  assert.deepEqual(read('data: 1\n'), []);
  assert.deepEqual(read('\n'), ['1']);
});

test('events without data are none', () => {
  assert.deepEqual(eventReader()('event: ping\n\nid: 3\n\n: comment\n\n'), []);
});
