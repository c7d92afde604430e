// OpenAI's Agents SDK, by chat completions.
import {Agent, OpenAIProvider, Runner} from '@openai/agents';
import assert from 'node:assert/strict';
import {test} from 'node:test';
import OpenAI from 'openai';
import {kBase, kKey, kModel, refusal} from './server.mjs';

const client = new OpenAI({baseURL: `${kBase}v1`, apiKey: kKey, maxRetries: 0});
const runner = new Runner({
  modelProvider: new OpenAIProvider({openAIClient: client, useResponses: false}),
  tracingDisabled: true,
});
const agent = new Agent({name: 'Writer', instructions: 'Be brief.', model: kModel,
                         modelSettings: {maxTokens: 12, temperature: 0}});
const next = (result) => [...result.history, {role: 'user', content: 'Go on'}];

test('an agent runs over two turns', async () => {
  const first = await runner.run(agent, 'Hello');
  assert.ok(first.finalOutput.length > 0);
  const second = await runner.run(agent, next(first));
  assert.ok(second.finalOutput.length > 0);
  const [before, after] = [first, second].map((result) => result.rawResponses[0].usage);
  assert.ok(after.inputTokens > before.inputTokens + 12, 'the first answer was read');
});

test('an agent streams over two turns', async () => {
  const run = async (input) => {
    const result = await runner.run(agent, input, {stream: true});
    let text = '';
    for await (const piece of result.toTextStream({compatibleWithNodeStreams: false})) text += piece;
    await result.completed;
    assert.equal(text, result.finalOutput);
    return result;
  };
  const first = await run('Hello');
  assert.equal(first.finalOutput, (await runner.run(agent, 'Hello')).finalOutput);
  await run(next(first));
});

test('a history of tools is refused by a sentence about tools', async () => {
  const history = [
    {role: 'user', content: 'Add 2 and 2'},
    {type: 'function_call', callId: 'c', name: 'add', arguments: '{}', status: 'completed'},
    {type: 'function_call_result', callId: 'c', name: 'add', status: 'completed',
     output: {type: 'text', text: '4'}},
  ];
  const error = await refusal(runner.run(agent, history));
  assert.match(error.message, /Tools are not supported by this server/);
});
