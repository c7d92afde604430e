// The view of images: what is chosen becomes a request, and what comes back is shown.
import {makeImageControls} from './controls.js';
import {count} from './format.js';
import {makeImageInspector} from './image_inspector.js';
import {makeImageRun} from './image_run.js';
import {isWorking, kNoImageYet, lastState, reduce, tickMs} from './image_state.js';
import {rememberFields} from './memory.js';
import {makePicture} from './picture.js';
import {makePlayer} from './player.js';
import {blobToSend, cleanedName, openImage, openSample, refusal, scaledSize} from './source.js';
import {makeStore} from './state.js';

const element = (id) => document.getElementById(id);
const kPreview = 512;  // pixels of the longer side

// `token()` is the bearer token, `say` is for screen readers, `on_locked` hears of a wrong token,
// `calm()` tells whether motion is unwelcome.
export function makeImages(model, {token, tip, say, on_locked, calm}) {
  let frame = 0;
  let download = null;
  const store = makeStore((state) => {
    player.update(state);
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      show(store.get());
    });
  }, reduce, kNoImageYet);
  const {dispatch} = store;
  const player = makePlayer(dispatch, tickMs);
  const controls = makeImageControls(model.ebt);
  const inspector = makeImageInspector(dispatch, {thinks: model.ebt.thinks, tip, say});
  const run = makeImageRun(dispatch);
  const preview = makePicture(element('source'), kPreview);

  function showModel() {
    const {thinks, width, height, trained_sigma} = model.ebt;
    element('about-cleaning').hidden = !thinks;
    element('about-diffusion').hidden = thinks;
    element('image-steps-label').textContent = thinks ? 'Thinking steps' : 'Forward passes';
    element('image-steps-hint').textContent =
        thinks ? 'steps downhill' : 'from the noise to the image';
    element('tolerance-label').hidden = !thinks;
    element('trained-hint').textContent = `The model works on tiles of ${width} × ${height} pixels, ` +
        `which overlap, and learned to take out noise of about σ ${Math.round(trained_sigma)}.`;
  }

  function showSource({source, status}) {
    preview.update(source?.picture ?? null, `The chosen image: ${source?.name}`);
    const size = source && scaledSize(source, controls.side());
    element('source-name').textContent = !source ? 'No image yet' :
        `${source.name}, ${count(source.width)} × ${count(source.height)} pixels` +
        (size.width < source.width ? `, sent as ${count(size.width)} × ${count(size.height)}` : '');
    element('clean').disabled = !source || status === 'running';
  }

  // The newest image as a file; of a run that was stopped, as far as it came.
  function showDownload(state) {
    const file = isWorking(state) ? null : lastState(state)?.file ?? null;
    if (file === download) return;
    const link = element('download');
    if (link.href) URL.revokeObjectURL(link.href);
    link.removeAttribute('href');
    download = file;
    link.hidden = !file;
    if (!file) return;
    link.href = URL.createObjectURL(file);
    link.download = cleanedName(state.name);
  }

  function show(state) {
    showSource(state);
    showDownload(state);
    inspector.update(state);
    element('image-error').hidden = !state.error;
    element('image-error').textContent = state.error ?? '';
    element('stop-image').hidden = !isWorking(state);
  }

  let choices = 0;

  function take(source) {
    const {source: old} = store.get();
    dispatch({type: 'source', source});
    say(`${source.name} is chosen.`);
    old?.picture.close?.();
  }

  async function choose(file) {
    if (!file) return;
    const choice = ++choices;
    try {
      const source = await openImage(file);
      if (choice === choices) take(source);  // nothing else was chosen while it was read
    } catch (error) {
      dispatch({type: 'complain', error: error.message});
    }
  }

  // Rejects where the server would refuse: a browser that is cut off in the middle of a body tells
  // nobody why.
  async function imageToSend(source, steps) {
    const side = controls.side();
    const {max_body, channels} = model.ebt;
    const why = refusal(scaledSize(source, side), steps, model.ebt);
    if (why) throw new Error(why);
    const image = await blobToSend(source, side, channels === 1);
    if (image.size > max_body) {
      throw new Error(`The image has ${count(image.size)} bytes, more than the ${count(max_body)} that ` +
                      'this server takes: choose a smaller longest side.');
    }
    return image;
  }

  async function clean() {
    const {source, states: old} = store.get();
    if (!source || isWorking(store.get())) return;
    say('Cleaning.');
    element('cleaned').scrollIntoView({block: 'start', behavior: calm() ? 'auto' : 'smooth'});
    const asked = controls.request(model);
    const running = run.start(() => imageToSend(source, asked.steps), asked,
                              {token: token(), play: !calm()});
    for (const state of old) state.picture.close();
    if (await running === 401) on_locked();
    const {error, status, states} = store.get();
    const steps = count(Math.max(0, states.length - 1));
    say(error ?? (status === 'stopped' ? `Stopped after ${steps} steps.` : `Cleaned in ${steps} steps.`));
  }

  element('clean-form').addEventListener('submit', (event) => {
    event.preventDefault();
    clean();
  });
  element('clean-form').addEventListener('invalid', () => {
    element('image-advanced').open = true;
  }, {capture: true});
  element('file').addEventListener('change', (event) => {
    choose(event.target.files[0]);
    event.target.value = '';  // the same file may be chosen again
  });
  element('sample').addEventListener('click', () => {
    ++choices;
    take(openSample());
  });
  // Anywhere: a browser leaves the page for a file that is dropped where nobody takes it.
  for (const type of ['dragover', 'dragleave', 'drop']) {
    document.addEventListener(type, (event) => {
      if (element('view-image').hidden || !event.dataTransfer.types.includes('Files')) return;
      event.preventDefault();
      element('drop').classList.toggle('over', type === 'dragover');
      if (type === 'drop') choose(event.dataTransfer.files[0]);
    });
  }
  for (const id of ['show-map', 'one-scale', 'opacity', 'side']) {
    element(id).addEventListener('input', () => show(store.get()));
  }
  element('stop-image').addEventListener('click', () => {
    run.stop();
    element('cleaned').focus();
  });
  element('download').addEventListener('click', () => say('Saved.'));

  rememberFields('ebt-image', element('clean-form').elements);
  showModel();
  dispatch({type: 'model', model});
  dispatch({type: 'source', source: openSample()});
  return {
    stop: () => run.stop(),
    redraw: inspector.redraw,
  };
}
