// Starts the runs of a request, feeds what arrives to the store, and stops them.
import {streamCompletion} from './api.js';

export function makeRuns(dispatch) {
  let abort = null;

  async function run(name, request, token, signal) {
    const start = performance.now();
    try {
      await streamCompletion(request, {token, signal, on_chunk(chunk) {
        dispatch({type: 'chunk', run: name, chunk, seconds: (performance.now() - start) / 1000});
      }});
      dispatch({type: 'end', run: name, status: 'done'});
    } catch (error) {
      const stopped = error.name === 'AbortError';
      dispatch({type: 'end', run: name, status: stopped ? 'stopped' : 'failed',
                error: stopped ? null : error.message});
      return error.status;
    }
  }

  return {
    // `requests` by name of the run. Resolves to the HTTP statuses of those that failed.
    async start(prompt, requests, token) {
      abort = new AbortController();
      const {signal} = abort;
      dispatch({type: 'start', prompt, names: Object.keys(requests)});
      const codes = await Promise.all(Object.entries(requests).map(
          ([name, request]) => run(name, request, token, signal)));
      return codes.filter(Boolean);
    },
    stop: () => abort?.abort(),
  };
}
