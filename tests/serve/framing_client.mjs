// Attackers send requests whose framing is odd or faulty, victims send well-formed ones between them,
// and no answer may reach the wrong one of them:
//   BASE_URL=http://127.0.0.1:8080/ SERVER_PID=1 node framing_client.mjs COUNT [PROXY_URL...]
// BASE_URL is the server, whose bearer token is "secret", PROXY_URL a proxy before it.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {Agent, request} from 'node:http';
import {connect} from 'node:net';

const base = new URL(process.env.BASE_URL);
const kCount = Number(process.argv[2] ?? 3000);
const proxies = process.argv.slice(3).map((url) => new URL(url));
const kAttackers = 16;
const kVictims = 8;

// A generator of numbers that is the same on every run.
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const below = (draw, count) => Math.floor(draw() * count);
const pick = (draw, list) => list[below(draw, list.length)];

// A whole request, or the beginning of one that would swallow what comes next.
function hiddenRequest(draw, index) {
  const body = `{"smuggled_${index}": 1}`;
  return pick(draw, [
    'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n' +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `GET /v1/models/smuggled_${index} HTTP/1.1\r\nHost: localhost\r\nX: `,
    'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ]);
}

const hex = (number) => number.toString(16);
const chunk = (text) => `${hex(text.length)}\r\n${text}\r\n`;

const kLengths = [(n) => `Content-Length: ${n}`, (n) => `content-length:${n}`, (n) => `Content-Length: 00${n}`,
  (n) => `Content-Length: +${n}`, (n) => `Content-Length: -${n}`, (n) => `Content-Length: ${n}, ${n}`,
  (n) => `Content-Length: 0x${hex(n)}`, (n) => `Content-Length: ${n} ${n}`, (n) => `Content-Length: ${n}\t`,
  (n) => `Content-Length : ${n}`, (n) => `Content-Length: ${n}\r\nContent-Length: ${n}`,
  (n) => `Content-Length: 0\r\nContent-Length: ${n}`, (n) => `Content-Length: ${n}\r\nContent-Length: 0`,
  (n) => `Content-Length:\r\n ${n}`, (n) => `Content-Length: ${n}\nX: y`, (n) => `X: y\rContent-Length: ${n}`,
  (n) => `Content-Length: ${n + 1}`, (n) => `Content-Length: ${n - 1}`, () => 'Content-Length: 0',
  () => 'Content-Length: 18446744073709551617', (n) => `Content_Length: ${n}`, () => 'X: y'];
const kCodings = ['Transfer-Encoding: chunked', 'transfer-encoding:CHUNKED', 'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, identity', 'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', 'Transfer-Encoding : chunked',
  'Transfer-Encoding: \x0bchunked', 'Transfer-Encoding:\r\n chunked', 'X: y\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 3', 'Content-Length: 3\r\nTransfer-Encoding: chunked',
  'Transfer_Encoding: chunked', 'Transfer-Encoding: "chunked"', 'Transfer-Encoding: chunked;a=b'];
const kChunks = [(t) => `${chunk(t)}0\r\n\r\n`, (t) => `0\r\n\r\n${t}`, (t) => `${hex(t.length)}\n${t}\n0\n\n`,
  (t) => `${hex(t.length)};a=b\r\n${t}\r\n0;c\r\n\r\n`, (t) => `${hex(t.length)};a\n${t}\r\n0\r\n\r\n`,
  (t) => `${chunk(t)}0\r\nX: y\r\nContent-Length: 5\r\n\r\n`, (t) => `${chunk(t)}0\r\nX: y\r\n\r\n`,
  (t) => `${hex(t.length)}\r\n${t}0\r\n\r\n`, (t) => `${hex(t.length + 2)}\r\n${t}\r\n0\r\n\r\n`,
  (t) => `-1\r\n${t}\r\n0\r\n\r\n`, (t) => `1000000000000000${hex(t.length)}\r\n${t}\r\n0\r\n\r\n`,
  (t) => `0x${hex(t.length)}\r\n${t}\r\n0\r\n\r\n`, (t) => `${hex(t.length)} \r\n${t}\r\n0\r\n\r\n`,
  (t) => `${chunk(t)}0\r\n${t}\r\n\r\n`, (t) => `${chunk(t)}00\r\n\r\n`, (t) => `${chunk(t)}0\r\n`];
const kOdd = ['X: a\r\n folded', ' X: y', 'X : y', ': y', 'X', 'X: \x00', 'X: a\nY: b', 'X: a\rY: b',
  'Connection: Content-Length', 'Connection: close', 'Connection: keep-alive', 'Upgrade: websocket\r\nConnection: upgrade',
  'Expect: 100-continue', 'Host: other.example', 'Trailer: X', 'TE: trailers', 'X-HTTP-Method-Override: PUT'];

// Bytes of a request, which may be none.
function attack(draw, index) {
  const method = pick(draw, ['GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'BREW']);
  const target = pick(draw, ['/healthz', '/v1/models', '/v1/completions', '/nothing', '/metrics', '/',
    'http://localhost/healthz', 'http://other.example/v1/models', '*', '/healthz#x', '/../healthz']);
  const version = pick(draw, ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2']);
  const fields = [pick(draw, ['Host: localhost', 'Host: localhost', 'Host: localhost', 'X: no host'])];
  if (draw() < 0.5) fields.push('Authorization: Bearer secret');
  if (draw() < 0.6) fields.push('Content-Type: application/json');
  if (draw() < 0.3) fields.push(pick(draw, kOdd));
  let body = hiddenRequest(draw, index);
  if (draw() < 0.5) {
    fields.push(pick(draw, kLengths)(body.length));
  } else {
    fields.push(pick(draw, kCodings));
    body = pick(draw, kChunks)(body);
  }
  let bytes = `${method} ${target} ${version}\r\n${fields.join('\r\n')}\r\n\r\n${body}`;
  if (draw() < 0.1) bytes = '\r\n'.repeat(1 + below(draw, 3)) + bytes;
  if (draw() < 0.1) bytes = bytes.replaceAll('\r\n', '\n');
  if (draw() < 0.1) {
    const at = below(draw, bytes.length);
    bytes = bytes.slice(0, at) + pick(draw, ['', '\r', '\n', ' ', '\0', ':', '\r\n', '0']) + bytes.slice(at + 1);
  }
  return bytes;
}

// Sends bytes, reads for a moment, and leaves.
function send(url, bytes, pieces) {
  return new Promise((resolve) => {
    const socket = connect({host: url.hostname, port: url.port, noDelay: true});
    let text = '';
    let timer = setTimeout(() => socket.destroy(), 100);
    socket.on('connect', () => {
      const middle = pieces > 1 ? bytes.length >> 1 : bytes.length;
      socket.write(bytes.slice(0, middle), 'latin1');
      if (pieces > 1) setImmediate(() => socket.write(bytes.slice(middle), 'latin1'));
    });
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), 3);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

// Asks through an agent; rejects when there is no answer.
function ask(agent, url, path, method, headers, body = '') {
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, url), {agent, method, headers}, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece) => { text += piece; });
      answer.on('error', reject);
      answer.on('end', () => resolve({status: answer.statusCode, text}));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const kJson = {'Authorization': 'Bearer secret', 'Content-Type': 'application/json'};

// What a victim is answered holds what it sent. Most are refused, so that they cost no model anything.
async function victim(agent, url, token, draw) {
  const writes = draw() < 0.05;
  const body = writes ? {prompt: token, echo: true, max_tokens: 1} : {[token]: 1};
  const {status, text} = await ask(agent, url, 'v1/completions', 'POST', kJson, JSON.stringify(body));
  if (writes && status === 429) return;
  assert.equal(status, writes ? 200 : 400, text);
  assert.ok(text.includes(token), `${token} was answered ${text}`);
  assert.ok(!text.includes('smuggled'), `${token} was answered ${text}`);
}

async function fuzz(url, name) {
  let attacks = 0;
  let answers = 0;
  let victims = 0;
  const attackers = Array.from({length: kAttackers}, async (_, index) => {
    const draw = random(index + 1);
    while (attacks < kCount) {
      const number = ++attacks;
      const text = await send(url, attack(draw, number), 1 + below(draw, 2));
      answers += text.split('HTTP/1.1 ').length - 1;
      assert.ok(!text.includes('victim'), `an attacker was answered ${text}`);
    }
  });
  const agent = new Agent({keepAlive: true, maxSockets: kVictims});
  const asking = Array.from({length: kVictims}, async (_, index) => {
    const draw = random(1000 + index);
    while (attacks < kCount) {
      await victim(agent, url, `victim_${index}_${victims++}_`, draw);
    }
  });
  await Promise.all([...attackers, ...asking]);
  agent.destroy();
  assert.ok(answers > kCount / 4 && victims > kCount / 100, `${answers} answers, ${victims} victims`);
  console.log(`${name}: ${attacks} attacks had ${answers} answers, ${victims} victims each their own`);
}

// Requests that are refused, one after the other on connections that are kept.
async function refuse(url, name) {
  const agent = new Agent({keepAlive: true, maxSockets: 1});
  const cases = [[401, 'POST', 'v1/completions', {...kJson, Authorization: 'x'}], [404, 'POST', 'nothing', kJson],
    [405, 'POST', 'healthz', kJson], [415, 'POST', 'v1/completions', {Authorization: 'Bearer secret'}],
    [413, 'POST', 'v1/completions', kJson, 60_000], [400, 'POST', 'v1/completions', kJson]];
  // nginx may drop a client whose body it is still reading.
  if (url === base) cases.push([413, 'POST', 'v1/completions', kJson, 2 << 20]);
  for (const [status, method, path, headers, size = 100] of cases) {
    for (let i = 0; i < 200; ++i) {
      const answer = await ask(agent, url, path, method, headers, 'x'.repeat(size)).catch((error) => {
        throw new Error(`${name}: request ${i} of those for ${status}: ${error.message}`);
      });
      assert.equal(answer.status, status, answer.text);
    }
  }
  agent.destroy();
  console.log(`${name}: 200 of 200 requests of each kind had their refusal`);
}

function resident_kB() {
  return Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${process.env.SERVER_PID}/status`, 'utf8'))[1]);
}

// Writes a piece again and again until the server has had enough.
function flood(start, piece, count) {
  return new Promise((resolve) => {
    const socket = connect({host: base.hostname, port: base.port});
    const many = piece.repeat(Math.min(count, 10_000));
    let text = '';
    let left = Math.ceil(count / 10_000);
    const more = () => {
      while (left-- > 0) if (!socket.write(many)) return;
      socket.end();
    };
    socket.on('connect', () => { socket.write(start); more(); });
    socket.on('drain', more);
    socket.on('data', (data) => { text += data; });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

async function remember(count) {
  const head = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n';
  const coded = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  const whole = `${head}${'a:b\r\n'.repeat(99)}\r\n`;
  const floods = {'fields': [head, 'a:b\r\n'], 'bytes of one line': [`${head}X: `, 'y'], 'bytes of a target': ['GET /', 'y'],
    'trailers': [`${coded}0\r\n`, 'a:b\r\n'], 'extensions': [`${coded}1`, ';a'], 'small chunks': [coded, '1;a\r\nx\r\n'],
    'empty lines': ['', '\r\n']};
  for (const [what, [start, piece]] of Object.entries(floods)) {
    await flood(start, piece, 1000);
    const before = resident_kB();
    const text = await flood(start, piece, count);
    const grown = resident_kB() - before;
    assert.match(text, /^(HTTP\/1.1 (400|414|431) |$)/, what);  // which the end of a busy connection may lose
    assert.ok(process.env.SANITIZED || grown < 1024, `${count} ${what} took ${grown} kB`);
    console.log(`${count} ${what}: ${grown} kB of memory more than before`);
  }
  const requests = Math.ceil(count / 10_000);
  await flood('', whole, 10);
  const before = resident_kB();
  await flood('', whole, requests);
  const grown = resident_kB() - before;
  assert.ok(process.env.SANITIZED || grown < 1024, `requests of 100 fields took ${grown} kB`);
  console.log(`${requests} requests of 100 fields each: ${grown} kB of memory more than before`);
}

await remember(10_000_000);
await refuse(base, 'server');
await fuzz(base, 'server');
for (const [index, proxy] of proxies.entries()) {
  await refuse(proxy, `proxy ${index + 1}`);
  await fuzz(proxy, `proxy ${index + 1}`);
}
