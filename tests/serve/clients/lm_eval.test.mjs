// What EleutherAI's lm-evaluation-harness sends: its model "local-completions" with the tokenizer of
// the server. Its requests are made here as it makes them, and its answers read as it reads them.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ask, askJson, kModel} from './server.mjs';

const encode = async (text) =>
    (await askJson('tokenize', {prompt: text, add_special_tokens: false})).tokens;

// Pairs of a context and what continues it, of many lengths; the first are a document's beginning.
const kPairs = Array.from({length: 21}, (_, i) => {
  const text = 'The commands train, evaluate and serve models; each has a page of help.';
  return [i === 0 ? '' : text.slice(0, 3 * i), text.slice(3 * i, 3 * i + 1 + (i * 5) % 11)];
});

async function tokenPairs() {
  const {eos_token, bos_token = null} = await askJson('tokenizer_info');
  const prefix = await encode(bos_token ?? eos_token);
  assert.equal(prefix.length, 1);
  return Promise.all(kPairs.map(async ([context, continuation]) => {
    const whole = await encode(context + continuation);
    const begin = context === '' ? prefix : await encode(context);
    return [begin, context === '' ? whole : whole.slice(begin.length)];
  }));
}

// [sum of log-probabilities, whether each token is the likeliest] of every pair.
async function loglikelihoods(pairs, batch_size) {
  const results = [];
  for (let first = 0; first < pairs.length; first += batch_size) {
    const batch = pairs.slice(first, first + batch_size);
    const {choices} = await askJson('v1/completions', {
      model: kModel,
      prompt: batch.map(([context, continuation]) => [...context, ...continuation]),
      temperature: 0,
      max_tokens: 1,
      logprobs: 1,
      seed: 1234,
      echo: true,
    });
    choices.sort((a, b) => a.index - b.index);
    for (const [i, [context, continuation]] of batch.entries()) {
      const {tokens, token_logprobs, top_logprobs, text_offset} = choices[i].logprobs;
      for (const list of [tokens, token_logprobs, top_logprobs, text_offset]) {
        assert.equal(list.length, context.length + continuation.length + 1);
      }
      const values = token_logprobs.slice(context.length, -1);
      const likeliest = top_logprobs.slice(context.length, -1);
      results.push([values.reduce((sum, value) => sum + value, 0),
                    values.every((value, j) => value === Math.max(...Object.values(likeliest[j])))]);
    }
  }
  return results;
}

test('scores do not depend on the batch size', async () => {
  const pairs = await tokenPairs();
  const alone = await loglikelihoods(pairs, 1);
  assert.ok(alone.every(([sum]) => sum < 0));
  for (const batch_size of [4, 16]) assert.deepEqual(await loglikelihoods(pairs, batch_size), alone);
  const reversed = await loglikelihoods([...pairs].reverse(), 4);
  assert.deepEqual(reversed.reverse(), alone, 'nor on the order');
  const together = await Promise.all([loglikelihoods(pairs, 1), loglikelihoods(pairs, 4)]);
  assert.deepEqual(together, [alone, alone], 'nor on who else asks');
});

test('prompts are tokens or texts', async () => {
  const request = {model: kModel, temperature: 0, max_tokens: 1, logprobs: 1, seed: 1234, echo: true};
  const text = 'The commands';
  const [as_text, as_tokens] = await Promise.all([
    askJson('v1/completions', {...request, prompt: text}),
    askJson('v1/completions', {...request, prompt: [await encode(text)]}),
  ]);
  assert.deepEqual(as_text.choices, as_tokens.choices);
});

test('texts are generated up to a stop string, whatever the batch size', async () => {
  const contexts = await Promise.all(kPairs.slice(1).map(([context]) => encode(context)));
  const {eos_token} = await askJson('tokenizer_info');
  const generate = async (batch_size) => {
    const texts = [];
    for (let first = 0; first < contexts.length; first += batch_size) {
      const {choices} = await askJson('v1/completions', {
        prompt: contexts.slice(first, first + batch_size),
        model: kModel,
        max_tokens: 24,
        temperature: 0,
        stop: ['\n\n', 'e', eos_token],
        seed: 1234,
      });
      for (const {index, text} of choices) texts[first + index] = text;
    }
    return texts;
  };
  const alone = await generate(1);
  assert.ok(alone.every((text) => !text.includes('e')));
  for (const batch_size of [4, 16]) assert.deepEqual(await generate(batch_size), alone);
});

test('the tokenizer of the server is understood', async () => {
  const info = await askJson('tokenizer_info');
  assert.equal(info.model_max_length, 256);
  const text = 'né 😀';
  const tokens = await encode(text);
  assert.equal((await askJson('detokenize', {tokens})).prompt, text);
  assert.match(info.chat_template, /for message in messages/);
  assert.ok(JSON.parse(await ask('tokenize', {messages: [{role: 'user', content: 'a'}]})).count > 1);
});
