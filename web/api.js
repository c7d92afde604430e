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
const kCutOff = 'The connection ended before the text was finished.';

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

// The model that is served: {id, ebt: {arch, type, context, landscapes, thinks, calibrated, ...}}.
export async function servedModel(token) {
  const {data} = await (await ask('v1/models', token)).json();
  if (!data?.length) throw new ServerError('The server has no model.', 200);
  return data[0];
}

// Sends a completion request and calls on_chunk with every object of its stream, in order.
// Rejects with ServerError, or with an AbortError once `signal` is aborted.
export async function streamCompletion(request, {token, signal, on_chunk}) {
  const response = await ask('v1/completions', token, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({...request, stream: true, stream_options: {include_usage: true}}),
    signal,
  });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const read_events = eventReader();
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) throw new ServerError(kCutOff, response.status);
      for (const data of read_events(decoder.decode(value, {stream: true}))) {
        if (data === '[DONE]') return;
        const chunk = JSON.parse(data);
        if (chunk.error) throw new ServerError(chunk.error.message, response.status);
        on_chunk(chunk);
      }
    }
  } catch (error) {
    if (error instanceof ServerError || error.name === 'AbortError') throw error;
    throw new ServerError(kCutOff, response.status);
  } finally {
    reader.cancel().catch(() => {});
  }
}
