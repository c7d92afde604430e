// OpenAI's own client.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import OpenAI from 'openai';
import {kBase, kKey, kModel as model, metric, refusal, until} from './server.mjs';

const client = new OpenAI({baseURL: `${kBase}v1`, apiKey: kKey, maxRetries: 0});

test('models are listed and retrieved', async () => {
  const found = await client.models.retrieve(model);
  assert.equal(found.id, model);
  assert.equal(found.object, 'model');
  assert.equal(found.ebt.vocab_size, 257);
  assert.equal(found.max_model_len, 256);
  assert.ok((await refusal(client.models.retrieve('none'))) instanceof OpenAI.NotFoundError);
});

test('a completion has text, a reason to end, and usage', async () => {
  const answer = await client.completions.create(
      {model, prompt: 'The ', max_tokens: 20, temperature: 0, seed: 1});
  assert.equal(answer.object, 'text_completion');
  assert.equal(answer.choices.length, 1);
  assert.ok(answer.choices[0].text.length > 0);
  assert.equal(answer.choices[0].finish_reason, 'length');
  assert.deepEqual([answer.usage.prompt_tokens, answer.usage.completion_tokens,
                    answer.usage.total_tokens], [4, 20, 24]);
  assert.ok(answer.usage.thinking_steps >= 20);
});

test('the same seed gives the same text', async () => {
  const request = {model, prompt: 'The ', max_tokens: 30, temperature: 0.5, seed: 7};
  const [one, two] = await Promise.all(
      [client.completions.create(request), client.completions.create(request)]);
  assert.equal(one.choices[0].text, two.choices[0].text);
  const other = await client.completions.create({...request, seed: 8});
  assert.notEqual(one.choices[0].text, other.choices[0].text);
});

test('several prompts, choices, and the best of more', async () => {
  const answer = await client.completions.create(
      {model, prompt: ['a', 'b'], n: 2, best_of: 3, max_tokens: 5});
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1, 2, 3]);
});

test('a completion echoes and scores its prompt', async () => {
  const {choices: [choice]} = await client.completions.create(
      {model, prompt: 'The', echo: true, logprobs: 3, max_tokens: 2, temperature: 0});
  assert.ok(choice.text.startsWith('The'));
  const {tokens, token_logprobs, top_logprobs, text_offset} = choice.logprobs;
  assert.deepEqual(tokens.slice(0, 3), ['T', 'h', 'e']);
  assert.equal(token_logprobs[0], null);
  assert.ok(token_logprobs.slice(1).every((value) => value <= 0));
  assert.equal(Object.keys(top_logprobs[1]).length, 3);
  assert.deepEqual(text_offset.slice(0, 4), [0, 1, 2, 3]);
});

test('a stop string is not a part of the text', async () => {
  const request = {model, prompt: 'The ', max_tokens: 30, temperature: 0};
  const {choices: [{text}]} = await client.completions.create(request);
  const stop = text.slice(3, 5);
  const {choices: [stopped]} = await client.completions.create({...request, stop});
  assert.equal(stopped.text, text.slice(0, text.indexOf(stop)));
  assert.equal(stopped.finish_reason, 'stop');
});

test('a streamed completion is the whole one in pieces', async () => {
  const request = {model, prompt: 'The ', max_tokens: 20, temperature: 0.5, seed: 3};
  const whole = await client.completions.create(request);
  const stream = await client.completions.create(
      {...request, stream: true, stream_options: {include_usage: true}});
  let text = '';
  let reason = null;
  let usage = null;
  let chunks = 0;
  for await (const chunk of stream) {
    ++chunks;
    text += chunk.choices[0]?.text ?? '';
    reason = chunk.choices[0]?.finish_reason ?? reason;
    assert.notEqual(chunk.usage, undefined, 'null until the last chunk');
    usage = chunk.usage ?? usage;
  }
  assert.ok(chunks > 2);
  assert.equal(text, whole.choices[0].text);
  assert.equal(reason, whole.choices[0].finish_reason);
  assert.deepEqual(usage, whole.usage);
});

const kMessages = [{role: 'system', content: 'Be brief.'},
                   {role: 'user', content: [{type: 'text', text: 'Hello'}]}];

test('a chat is answered', async () => {
  const answer = await client.chat.completions.create(
      {model, messages: kMessages, max_completion_tokens: 10, temperature: 0, n: 2});
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.choices.length, 2);
  assert.equal(answer.choices[0].message.role, 'assistant');
  assert.equal(typeof answer.choices[0].message.content, 'string');
});

test('a chat has log-probabilities', async () => {
  const {choices: [choice]} = await client.chat.completions.create(
      {model, messages: kMessages, max_tokens: 4, temperature: 0, logprobs: true, top_logprobs: 2});
  for (const token of choice.logprobs.content) {
    assert.ok(token.logprob <= 0);
    assert.equal(token.top_logprobs.length, 2);
    assert.equal(token.top_logprobs[0].logprob, token.logprob);
  }
  assert.equal(choice.logprobs.content.length, 4);
});

test('the stream helper puts a chat together', async () => {
  const request = {model, messages: kMessages, max_tokens: 12, temperature: 0};
  const whole = await client.chat.completions.create(request);
  const stream = client.chat.completions.stream(
      {...request, stream_options: {include_usage: true}});
  let pieces = '';
  stream.on('content', (piece) => { pieces += piece; });
  const answer = await stream.finalChatCompletion();
  assert.equal(answer.choices[0].message.content, whole.choices[0].message.content);
  assert.equal(pieces, whole.choices[0].message.content);
  assert.equal(answer.usage.completion_tokens, 12);
});

test('thinking is asked for and told by extra fields', async () => {
  const {choices: [choice], usage} = await client.completions.create(
      {model, prompt: 'The ', max_tokens: 3, trace: 4,
       thinking: {steps: 3, on: 'final', candidates: 2}});
  assert.equal(choice.thinking.length, 3);
  for (const token of choice.thinking) {
    assert.ok(token.states.length >= 4);
    assert.equal(token.states[0].top.length, 4);
    assert.equal(token.candidate_energies.length, 2);
    assert.equal(token.energy, token.states.at(-1).energy);
    assert.ok(token.candidate_energies.includes(token.energy));
  }
  assert.equal(usage.thinking_steps,
               choice.thinking.reduce((sum, token) => sum + token.thinking_steps, 0));
});

test('errors are those that the client knows', async () => {
  const complete = (fields) => client.completions.create({model, prompt: 'a', ...fields});
  const wrong = await refusal(complete({max_tokens: -1}));
  assert.ok(wrong instanceof OpenAI.BadRequestError);
  assert.equal(wrong.param, 'max_tokens');
  assert.equal(wrong.type, 'invalid_request_error');
  assert.match(wrong.message, /'max_tokens' must be a whole number/);
  const tools = await refusal(client.chat.completions.create(
      {model, messages: kMessages, tools: [{type: 'function', function: {name: 'f'}}]}));
  assert.equal(tools.code, 'unsupported_field');
  const missing = await refusal(complete({model: 'gpt-4o'}));
  assert.ok(missing instanceof OpenAI.NotFoundError);
  assert.equal(missing.code, 'model_not_found');
  const stranger = new OpenAI({baseURL: `${kBase}v1`, apiKey: 'wrong', maxRetries: 0});
  assert.ok((await refusal(stranger.models.list())) instanceof OpenAI.AuthenticationError);
  const long = await refusal(complete({prompt: 'a'.repeat(257)}));
  assert.equal(long.code, 'context_length_exceeded');
  const streamed = await refusal(complete({stream: true, temperature: 'hot'}));
  assert.ok(streamed instanceof OpenAI.BadRequestError, 'before the stream begins');
  assert.ok((await refusal(complete({prompt: 'a'.repeat(2_000_000)}))).status === 413);
});

const kPlaces = 16;  // texts that the server runs and lets wait
const kLong = {model, prompt: 'a', max_tokens: 4000, temperature: 0,
               thinking: {steps: 100}};

test('a full queue is a rate limit', async () => {
  const aborts = Array.from({length: kPlaces}, () => new AbortController());
  const running = aborts.map(({signal}) =>
      client.completions.create(kLong, {signal}).catch((error) => error));
  assert.ok(await until(async () => await metric('ebt_requests_open') === kPlaces));
  assert.ok((await refusal(client.completions.create(kLong))) instanceof OpenAI.RateLimitError);
  for (const abort of aborts) abort.abort();
  for (const error of await Promise.all(running)) {
    assert.ok(error instanceof OpenAI.APIUserAbortError);
  }
  assert.ok(await until(async () => await metric('ebt_texts_running') === 0));
});

test('leaving a stream cancels it', async () => {
  const stream = await client.completions.create({...kLong, stream: true});
  for await (const chunk of stream) {
    assert.equal(chunk.choices.length, 1);
    break;  // the client aborts the request
  }
  assert.ok(await until(async () => await metric('ebt_texts_running') === 0));
  const chat = client.chat.completions.stream(
      {model, messages: kMessages, max_tokens: 4000, temperature: 0, thinking: {steps: 100}});
  await chat[Symbol.asyncIterator]().next();
  chat.abort();
  assert.ok(await until(async () => await metric('ebt_texts_running') === 0));
});

after(async () => {
  assert.ok(await until(async () => await metric('ebt_requests_open') === 0));
});
