// Sends an image, feeds what comes back to the store, and stops it.
import {streamDenoising} from './api.js';

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// An event of the server as a state of the page, whose picture can be drawn.
async function readState({step, energy, psnr, patch_energy, b64_json}) {
  const file = new Blob([bytesOf(b64_json)], {type: 'image/png'});
  return {step, energy, psnr, map: patch_energy ?? null, file, picture: await createImageBitmap(file)};
}

export function makeImageRun(dispatch) {
  let abort = null;

  return {
    // `make_image()` resolves to the Blob that is sent. Resolves to the HTTP status of a failure, if it
    // was one. `play`: states are shown one after the other, however fast they come.
    async start(make_image, asked, {token, play}) {
      abort = new AbortController();
      const {signal} = abort;
      const start = performance.now();
      const seconds = () => (performance.now() - start) / 1000;
      dispatch({type: 'start', asked, play});
      try {
        await streamDenoising(await make_image(), asked, {token, signal, async on_event(event) {
          if (event.object === 'image.step') {
            dispatch({type: 'state', state: await readState(event), seconds: seconds()});
          } else if (event.object === 'image.progress') {
            dispatch({type: 'progress', done: event.done, seconds: seconds()});
          } else {
            dispatch({type: 'summary', summary: event, seconds: seconds()});
          }
        }});
        dispatch({type: 'end', status: 'done'});
      } catch (error) {
        const stopped = error.name === 'AbortError';
        dispatch({type: 'end', status: stopped ? 'stopped' : 'failed',
                  error: stopped ? null : error.message});
        return error.status;
      }
    },
    stop: () => abort?.abort(),
  };
}
