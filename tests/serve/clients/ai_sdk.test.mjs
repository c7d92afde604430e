// Vercel's AI SDK, through its provider for servers that speak OpenAI's API.
import {createOpenAICompatible} from '@ai-sdk/openai-compatible';
import {generateText, streamText} from 'ai';
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {kBase, kKey, kModel, refusal} from './server.mjs';

const provider = createOpenAICompatible(
    {name: 'ebt', baseURL: `${kBase}v1`, apiKey: kKey, includeUsage: true});
const chat = {model: provider(kModel), maxOutputTokens: 12, temperature: 0, seed: 1, maxRetries: 0};

test('two turns of a conversation are answered', async () => {
  const messages = [{role: 'user', content: 'Hello'}];
  const first = await generateText({...chat, system: 'Be brief.', messages});
  assert.ok(first.text.length > 0);
  assert.equal(first.finishReason, 'length');
  assert.equal(first.usage.outputTokens, 12);
  messages.push(...first.response.messages);
  messages.push({role: 'user', content: [{type: 'text', text: 'Go '}, {type: 'text', text: 'on'}]});
  const second = await generateText({...chat, system: 'Be brief.', messages});
  assert.ok(second.usage.inputTokens > first.usage.inputTokens + 12);
});

test('a streamed text is the whole one in pieces', async () => {
  const request = {...chat, prompt: 'Hello'};
  const whole = await generateText(request);
  const stream = streamText(request);
  let text = '';
  for await (const piece of stream.textStream) text += piece;
  assert.equal(text, whole.text);
  assert.equal(await stream.finishReason, whole.finishReason);
  assert.deepEqual((await stream.usage).outputTokens, whole.usage.outputTokens);
});

test('a completion is written up to a stop string', async () => {
  const request = {...chat, model: provider.completionModel(kModel), prompt: 'The '};
  const {text} = await generateText(request);
  const stop = text.slice(3, 5);
  const stopped = await generateText({...request, stopSequences: [stop]});
  assert.equal(stopped.text, text.slice(0, text.indexOf(stop)));
  assert.equal(stopped.finishReason, 'stop');
});

test('an error says what is wrong', async () => {
  const error = await refusal(generateText({...chat, prompt: 'a'.repeat(300)}));
  assert.equal(error.statusCode, 400);
  assert.match(error.message, /maximum context length is 256 tokens/);
});
