// What the page asks of the server.
import {eventReader} from './sse.js';

// An answer that is not the one hoped for; the message is the server's own sentence where it has
// one.
export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const kNoAnswer = 'The server does not answer. Is “ebt serve” still running?';
const kCutOff = 'The connection ended before the answer was finished.';

async function ask(path, token, init = {}) {
  const headers = {...init.headers};
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, {...init, headers});
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ServerError(kNoAnswer, 0);
  }
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    throw new ServerError(
        body?.error?.message ?? `The server answered ${response.status}.`, response.status);
  }
  return response;
}

// The models that are served: {text, image}, each {id, ebt: {kind, arch, thinks, ...}} or null.
export async function servedModels(token) {
  const {data} = await (await ask('v1/models', token)).json();
  if (!data?.length) throw new ServerError('The server has no model.', 200);
  const of = (kind) => data.find((model) => model.ebt.kind === kind) ?? null;
  return {text: of('text'), image: of('image')};
}

// Posts a request and calls on_event with every object of the stream that answers it, one after the
// other. Rejects with ServerError, or with an AbortError once the signal of `init` is aborted.
async function stream(path, token, init, on_event) {
  const response = await ask(path, token, {method: 'POST', ...init});
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const read_events = eventReader();
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) throw new ServerError(kCutOff, response.status);
      for (const data of read_events(decoder.decode(value, {stream: true}))) {
        if (data === '[DONE]') return;
        const event = JSON.parse(data);
        if (event.error) throw new ServerError(event.error.message, response.status);
        await on_event(event);
      }
    }
  } catch (error) {
    if (error instanceof ServerError || error.name === 'AbortError') throw error;
    throw new ServerError(kCutOff, response.status);
  } finally {
    reader.cancel().catch(() => {});
  }
}

const jsonBody = (object) =>
    ({headers: {'Content-Type': 'application/json'}, body: JSON.stringify(object)});

// Sends the request of a completion, or of a chat if it has messages, and calls on_chunk with every
// object of its stream, in order.
export function streamCompletion(request, {token, signal, on_chunk}) {
  const path = request.messages ? 'v1/chat/completions' : 'v1/completions';
  return stream(path, token, {
    ...jsonBody({...request, stream: true, stream_options: {include_usage: true}}), signal,
  }, on_chunk);
}

// The tokens, {tokens: [number]}, of {prompt} or of {messages}; and the text of tokens.
export async function tokensOf(asked, token) {
  return (await ask('tokenize', token, {method: 'POST', ...jsonBody(asked)})).json();
}
export async function textOfTokens(tokens, token) {
  const answer = await ask('detokenize', token, {method: 'POST', ...jsonBody({tokens})});
  return (await answer.json()).prompt;
}

// Sends an image, a Blob of PNG or JPEG, and calls on_event with every object of its stream, in
// order; while on_event works, the next one waits.
export function streamDenoising(image, options, {token, signal, on_event}) {
  const query = new URLSearchParams({...options, stream: true});
  return stream(`v1/images/denoise?${query}`, token,
                {headers: {'Content-Type': image.type}, body: image, signal}, on_event);
}
