// A double of `ebt serve` for the tests of the page: serves web/ and answers in the wire format,
// with traces that are made up, the same for the same request. Run alone, it listens on a port:
//   node web/tests/mock_server.mjs [PORT]
import {createServer} from 'node:http';
import {readFile} from 'node:fs/promises';
import {extname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';
import {fakeDenoising, kFakeImageModel} from './mock_images.mjs';

const kWeb = fileURLToPath(new URL('..', import.meta.url));
const kTypes = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
                '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml'};
const kPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'";

// What the model of the double knows by heart: bytes, some of which belong to no character.
const kText = [...Buffer.from(
    'hill was steep, and the walkers went down it in the dark. Each step was a guess, and each ' +
    'guess was lower than the last.\nNaïve, said the first of them; but the valley was there.\n')];
kText.splice(20, 0, 0xff);

export const kDefaults = {
  arch: 'ebt', landscapes: 2, calibrated: false,
  bearer: null,     // token that requests must carry
  token_ms: 0,      // pause before every token
  fail_after: null,  // tokens after which a stream breaks with an error
  cut_after: null,   // tokens after which the connection is closed without a word
  refuse: null,      // {status, message} for every completion, and every image
  texts: true,       // whether a model of texts is served
  images: null,      // arch of the model of images that is served: 'ebt' or 'dit'
  step_ms: 0,        // pause before every step of an image
  hold: null,        // {after, until}: an image waits for a promise after so many states
  image_changes: {},  // of what /v1/models tells of it
};

// A number in [0, 1) that depends on all of its arguments.
function noise(...values) {
  let hash = 2166136261;
  for (const value of values) hash = Math.imul(hash ^ value, 16777619) ^ (hash >>> 13);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function textOf(byte) {
  return Buffer.from([byte]).toString('utf8');
}

// The distribution after a step: the known byte against some rivals, sharper with every step.
function stateAfter(step, at, options, seed, sharpness, trace) {
  const target = kText[at % kText.length];
  const rivals = [target];
  for (let i = 0; rivals.length < 20; ++i) {
    const rival = 97 + Math.floor(26 * noise(at, i, 3));
    if (!rivals.includes(rival)) rivals.push(rival);
  }
  const rise = 1 - Math.exp(-1.1 * step);
  const logits = rivals.map((byte, rank) =>
      (rank === 0 ? sharpness : 2.2 * noise(at, rank, 5)) * rise + 1.5 * noise(seed, at, rank, 7));
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 12));
  const top = rivals
      .map((byte, rank) => ({token: byte, text: textOf(byte), logprob: logits[rank] - total}))
      .sort((a, b) => b.logprob - a.logprob).slice(0, trace);
  const landscape = step < options.landscapes - 1 ? 3 : 0;
  const start = 2 + 6 * noise(at, 11);
  return {energy: start - (6 + 2 * sharpness) * rise + landscape, entropy: 5.5 - 4.5 * rise, top};
}

export function fakeToken(at, request, options) {
  const byte = kText[at % kText.length];
  const seed = request.seed ?? 0;
  const sharpness = 1 + 5.5 * noise(at, 17);
  const thinks = options.arch === 'ebt';
  const asked = request.thinking?.steps || 1;
  const settled = request.thinking?.stop_change ? Math.min(asked, 1 + Math.ceil(sharpness / 2)) : asked;
  const steps = thinks ? options.landscapes - 1 + settled : 0;
  const candidates = thinks ? request.thinking?.candidates ?? 1 : 1;
  const states = [];
  for (let step = 0; thinks && step <= steps; ++step) {
    states.push(stateAfter(step, at, options, seed, sharpness, request.trace));
  }
  const energy = states.at(-1)?.energy ?? 0;
  const last = stateAfter(Math.max(steps, 3), at, options, seed, sharpness, 20);
  return {
    token: byte, text: textOf(byte), bytes: [byte],
    logprob: last.top.find((candidate) => candidate.token === byte)?.logprob ?? -5,
    thinking_steps: steps * candidates,
    forward_passes: thinks ? options.landscapes + (steps + 1) * candidates : 1,
    ...(thinks ? {energy, states, candidate_energies:
        Array.from({length: candidates}, (_, i) => energy + 1.5 * i * noise(at, i))} : {}),
    ...(options.calibrated ? {certainty: 1 / (1 + Math.exp(0.5 * (energy + 5)))} : {}),
  };
}

function sendJson(response, status, body) {
  response.writeHead(status, {'Content-Type': 'application/json'});
  response.end(JSON.stringify(body));
}

function sendError(response, status, message) {
  sendJson(response, status, {error: {message, type: 'invalid_request_error', param: null, code: null}});
}

async function sendFile(response, path) {
  const name = normalize(path === '/' ? '/index.html' : path);
  const type = kTypes[extname(name)];
  const body = type && !name.startsWith('/tests') && await readFile(join(kWeb, name)).catch(() => null);
  if (!body) return sendError(response, 404, `There is no '${path}' here.`);
  response.writeHead(200, {'Content-Type': type, 'Content-Security-Policy': kPolicy});
  response.end(body);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const kContext = 256;

// What a request begins with, as the double reads it: its bytes are tokens.
function promptBytes({prompt, messages}) {
  return [...Buffer.from(prompt ?? messages.map(({role, content}) => `${role}: ${content}\n`).join(''))];
}

async function complete(request, response, options, log) {
  if (!(request.max_tokens >= 1)) {
    return sendError(response, 400, `max_tokens is ${request.max_tokens}, but must be at least 1.`);
  }
  if (options.refuse) return sendError(response, options.refuse.status, options.refuse.message);
  response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
  let left = false;
  response.on('close', () => { left = !response.writableFinished; });
  const send = (data) => response.write(`data: ${data}\n\n`);
  const read = Math.min(promptBytes(request).length, kContext);
  const usage = {prompt_tokens: read, completion_tokens: 0,
                 thinking_steps: 0, forward_passes: 0};
  for (let at = 0; at < request.max_tokens; ++at) {
    if (options.token_ms) await pause(options.token_ms);
    if (left) {
      log.cancelled += 1;
      return;
    }
    if (at === options.fail_after) {
      send(JSON.stringify({error: {message: 'The model folder was removed.'}}));
      return response.end();
    }
    if (at === options.cut_after) {
      await pause(100);  // a browser forgets what it has not handed on when a connection breaks
      return response.destroy();
    }
    const token = fakeToken(at, request, options);
    usage.completion_tokens += 1;
    usage.thinking_steps += token.thinking_steps;
    usage.forward_passes += token.forward_passes;
    const last = at + 1 === request.max_tokens;
    send(JSON.stringify({object: 'text_completion', choices: [{
      index: 0, ...(request.messages ? {delta: {content: token.text}} : {text: token.text}),
      finish_reason: last ? 'length' : null,
      ...(request.trace ? {thinking: [token]} : {})}]}));
  }
  if (request.stream_options?.include_usage) send(JSON.stringify({choices: [], usage}));
  send('[DONE]');
  response.end();
}

// The answer to an image, event by event; `fail_after` and `cut_after` count its states.
async function clean(request, response, options, log) {
  if (options.refuse) return sendError(response, options.refuse.status, options.refuse.message);
  const query = Object.fromEntries(new URL(request.url, 'http://localhost').searchParams);
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const file = Buffer.concat(pieces);
  log.images.push({type: request.headers['content-type'], query, file});
  let events;
  try {
    events = fakeDenoising(file, query, options.images);
  } catch (error) {
    return sendError(response, 400, error.message);
  }
  response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
  let left = false;
  const closed = new Promise((resolve) => {
    response.on('close', () => {
      left = !response.writableFinished;
      resolve();
    });
  });
  let states = 0;
  for (const event of events) {
    if (event.object === 'image.step') {
      if (options.step_ms) await pause(options.step_ms);
      if (states === options.hold?.after) await Promise.race([options.hold.until, closed]);
      if (states === options.fail_after) {
        response.write('data: {"error": {"message": "Cleaning the image failed: it diverged."}}\n\n');
        return response.end();
      }
      if (states === options.cut_after) {
        await pause(100);
        return response.destroy();
      }
      ++states;
    }
    if (left) {
      log.cancelled += 1;
      return;
    }
    response.write(`data: ${JSON.stringify(event)}\n\n`);
  }
  response.end('data: [DONE]\n\n');
}

function servedModels(options) {
  const entry = (id, ebt) => ({id, object: 'model', ebt});
  return [
    ...(options.texts ? [entry('valley', {
      kind: 'text', arch: options.arch, type: 'time_embed', context: kContext,
      landscapes: options.landscapes, thinks: options.arch === 'ebt',
      calibrated: options.calibrated, vocab_size: 257})] : []),
    ...(options.images ? [entry('mist', {
      ...kFakeImageModel, arch: options.images, thinks: options.images === 'ebt',
      ...options.image_changes})] : []),
  ];
}

// Listens on a free port of the loopback, or on `port`: {url, requests, log, close}.
export async function startMockServer(changes = {}, port = 0) {
  const options = {...kDefaults, ...changes};
  const requests = [];  // bodies of completion requests
  const log = {cancelled: 0, images: []};
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    const is_page = !path.startsWith('/v1/') && !path.endsWith('tokenize');
    if (is_page) return sendFile(response, path);
    if (options.bearer && request.headers.authorization !== `Bearer ${options.bearer}`) {
      return sendError(response, 401, 'This server asks for a bearer token.');
    }
    if (path === '/v1/models') {
      return sendJson(response, 200, {object: 'list', data: servedModels(options)});
    }
    if (path === '/v1/images/denoise') return clean(request, response, options, log);
    let body = '';
    for await (const piece of request) body += piece;
    const asked = JSON.parse(body);
    if (path === '/tokenize') return sendJson(response, 200, {tokens: promptBytes(asked)});
    if (path === '/detokenize') {
      return sendJson(response, 200, {prompt: Buffer.from(asked.tokens).toString('utf8')});
    }
    requests.push(asked);
    return complete(asked, response, options, log);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`, requests, log,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const {url} = await startMockServer({token_ms: 40, images: 'ebt', step_ms: 200}, Number(process.argv[2] ?? 8099));
  console.log(url);
}
