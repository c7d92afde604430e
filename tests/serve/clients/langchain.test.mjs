// LangChain's integration of OpenAI.
import {AIMessage, HumanMessage, SystemMessage} from '@langchain/core/messages';
import {ChatOpenAI, OpenAI} from '@langchain/openai';
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {kBase, kKey, kModel, refusal} from './server.mjs';

const options = {model: kModel, apiKey: kKey, configuration: {baseURL: `${kBase}v1`}, maxTokens: 12,
                 temperature: 0, maxRetries: 0};

test('two turns of a conversation are answered', async () => {
  const chat = new ChatOpenAI(options);
  const messages = [new SystemMessage('Be brief.'), new HumanMessage('Hello')];
  const first = await chat.invoke(messages);
  assert.ok(first instanceof AIMessage);
  assert.ok(first.text.length > 0);
  assert.equal(first.usage_metadata.output_tokens, 12);
  assert.equal(first.response_metadata.finish_reason, 'length');
  const second = await chat.invoke([...messages, first, new HumanMessage('Go on')]);
  assert.ok(second.usage_metadata.input_tokens > first.usage_metadata.input_tokens + 12);
});

test('a streamed answer is the whole one in pieces', async () => {
  const chat = new ChatOpenAI(options);
  const whole = await chat.invoke('Hello');
  let sum;
  for await (const chunk of await chat.stream('Hello')) sum = sum ? sum.concat(chunk) : chunk;
  assert.equal(sum.text, whole.text);
  assert.equal(sum.usage_metadata.output_tokens, 12);
});

test('a completion is written', async () => {
  const text = await new OpenAI(options).invoke('The ');
  assert.ok(text.length > 0);
  let streamed = '';
  for await (const piece of await new OpenAI(options).stream('The ')) streamed += piece;
  assert.equal(streamed, text);
});

test('a prompt that is too long is known for what it is', async () => {
  const error = await refusal(new ChatOpenAI(options).invoke('a'.repeat(300)));
  assert.equal(error.name, 'ContextOverflowError');
});
