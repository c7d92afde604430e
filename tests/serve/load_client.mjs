// Many clients at once, some of them slow, gone, or hostile, against the server at BASE_URL for so
// many seconds; then the server's own numbers must agree with what the clients saw:
//   BASE_URL=http://127.0.0.1:8080/ node load_client.mjs [SECONDS] [CLIENTS]
import assert from 'node:assert/strict';
import {connect} from 'node:net';

const base = new URL(process.env.BASE_URL);
const kSeconds = Number(process.argv[2] ?? 60);
const kClients = Number(process.argv[3] ?? 64);
const kLimitBytes = 1 << 20;  // of a body

const counts = {};
const count = (what) => { counts[what] = (counts[what] ?? 0) + 1; };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A generator of numbers that is the same on every run.
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function httpBytes(path, body, extra = '') {
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\nHost: ${base.host}\r\nAuthorization: Bearer secret\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `Connection: close\r\n${extra}\r\n`),
    Buffer.from(body)]);
}

// Sends bytes and gives back what comes, read at a pace; `leave_after` bytes the client is gone.
function exchange(bytes, {leave_after = Infinity, leave_ms = Infinity, read_pause_ms = 0} = {}) {
  return new Promise((resolve) => {
    const socket = connect({host: base.hostname, port: base.port, highWaterMark: 2048});
    let text = '';
    let left = false;
    const leave = () => { left = true; socket.resetAndDestroy(); };
    const timer = leave_ms < Infinity ? setTimeout(leave, leave_ms) : null;
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      if (text.length > leave_after) leave();
      if (read_pause_ms > 0) {
        socket.pause();
        setTimeout(() => socket.resume(), read_pause_ms);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({left, text, status: Number(text.slice(9, 12))});
    });
  });
}

const kStatuses = {well: [200, 429], hostile: [400, 413]};

// A request that is asked and read as it should be.
async function well(draw, options = {}) {
  const chat = draw() < 0.3;
  const stream = draw() < 0.5;
  const body = {max_tokens: 1 + Math.floor(40 * draw()), seed: Math.floor(1000 * draw()), stream,
                n: draw() < 0.2 ? 2 : 1, trace: draw() < 0.3 ? 5 : 0,
                thinking: {steps: 1 + Math.floor(3 * draw())}};
  if (chat) body.messages = [{role: 'user', content: 'Hello'}];
  else body.prompt = draw() < 0.2 ? ['a', 'bc'] : 'The quick brown fox';
  const answer = await exchange(
      httpBytes(chat ? '/v1/chat/completions' : '/v1/completions', JSON.stringify(body)), options);
  if (answer.left) return count('left');
  assert.ok(kStatuses.well.includes(answer.status), `unexpected answer: ${answer.text.slice(0, 500)}`);
  if (answer.status === 429) {
    count('refused by 429');
    return pause(20 + 100 * draw());
  }
  if (stream) assert.ok(answer.text.includes('data: [DONE]'), `cut off: ${answer.text.slice(-300)}`);
  else assert.ok(answer.text.includes('"usage"'), `cut off: ${answer.text.slice(-300)}`);
  count('answered');
}

const kHostile = [
  '{"prompt": "a', '[1, 2', '{"n": "two"}', '{"prompt": {"a": [}}', '['.repeat(5000), 'null', '',
  '{"max_tokens": 1e999}', '{"temperature": "hot"}', '{"messages": []}',
  Buffer.from([...Buffer.from('{"prompt": "'), 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80,
               ...Buffer.from('"}')]),
];

async function hostile(draw) {
  const kind = draw();
  let bytes;
  if (kind < 0.7) bytes = httpBytes('/v1/completions', kHostile[Math.floor(draw() * kHostile.length)]);
  else if (kind < 0.85) bytes = httpBytes('/v1/completions', Buffer.alloc(2 * kLimitBytes, 0x20));
  else bytes = Buffer.from(Array.from({length: 300}, () => Math.floor(256 * draw())).concat([10, 13, 10]));
  const answer = await exchange(bytes, {leave_ms: kind < 0.85 ? Infinity : 300});
  if (kind < 0.85) {
    assert.ok(kStatuses.hostile.includes(answer.status), `unexpected: ${answer.text.slice(0, 300)}`);
  }
  count('hostile');
}

async function client(index, end) {
  const draw = random(index);
  while (performance.now() < end) {
    const kind = draw();
    if (kind < 0.55) await well(draw);
    else if (kind < 0.7) await well(draw, {leave_after: 400 * draw()});
    else if (kind < 0.8) await well(draw, {leave_ms: 100 * draw()});
    else if (kind < 0.85) await well(draw, {read_pause_ms: 5 + 30 * draw()});
    else await hostile(draw);
  }
}

async function metrics() {
  const response = await fetch(new URL('metrics', base), {headers: {Authorization: 'Bearer secret'}});
  const values = {};
  for (const line of (await response.text()).split('\n')) {
    const at = line.lastIndexOf(' ');
    if (line !== '' && line[0] !== '#') values[line.slice(0, at)] = Number(line.slice(at + 1));
  }
  return values;
}

const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const kResident = 'process_resident_memory_bytes';

const before = await metrics();
const start = performance.now();
const end = start + 1000 * kSeconds;
const resident = [];
const watch = setInterval(async () => resident.push((await metrics())[kResident]), 1000);
await Promise.all(Array.from({length: kClients}, (_, index) => client(index + 1, end)));
clearInterval(watch);

let after;
for (let i = 0; i < 400; ++i) {
  after = await metrics();
  if (after.ebt_requests_open === 0 && after.ebt_texts_running === 0) break;
  await pause(50);
}
const outcome = (name) => {
  const key = `ebt_requests_finished_total{outcome="${name}"}`;
  return after[key] - before[key];
};
const accepted = after.ebt_requests_accepted_total - before.ebt_requests_accepted_total;
const written = 'ebt_tokens_total{kind="written"}';
const seconds = (performance.now() - start) / 1000;
// The beginning is left out: memory that is used again and again is taken once.
const settled = resident.slice(Math.floor(resident.length / 4));
const half = Math.floor(settled.length / 2);
const most = (list) => Math.max(...list);
console.log(`clients: ${kClients} for ${seconds.toFixed(1)} s; they saw ${JSON.stringify(counts)}`);
console.log(`server: ${accepted} requests accepted; ${outcome('answered')} answered, ` +
    `${outcome('client_left')} cancelled because the client left; ` +
    `${after[written] - before[written]} tokens`);
console.log(`resident: ${mebibytes(before[kResident])} before, ${mebibytes(most(settled.slice(0, half)))} ` +
    `at most in the first half, ${mebibytes(most(settled.slice(half)))} in the second`);
assert.equal(after.ebt_requests_open, 0, 'requests are left over');
assert.equal(after.ebt_texts_running + after.ebt_texts_waiting, 0, 'texts are left over');
assert.equal(accepted, outcome('answered') + outcome('client_left'), 'not every request has ended');
assert.ok(outcome('answered') >= counts.answered, 'fewer answers were sent than arrived');
assert.ok(counts.answered > 0 && counts.left > 0 && counts.hostile > 0, 'too short to test anything');
// A leak of a kilobyte for each accepted request would be seen within a minute. Sanitizers keep what
// is freed, and find leaks themselves.
assert.ok(process.env.SANITIZED ||
    most(settled.slice(half)) < most(settled.slice(0, half)) + 8 * 2 ** 20, 'memory grows');
