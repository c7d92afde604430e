// Ties the parts together: events become actions, and every new state is shown once a frame.
import {servedModels} from './api.js';
import {kThinkingOff, makeControls} from './controls.js';
import {count} from './format.js';
import {makeImages} from './images.js';
import {makeInspector} from './inspector.js';
import {showLegend} from './legend.js';
import {makePlayer} from './player.js';
import {makeRuns} from './runs.js';
import {uncertaintyScale} from './scale.js';
import {isRunning, kRunNames, longest, makeStore, shownTokens, totals} from './state.js';
import {makeTextView} from './text.js';
import {makeTheme} from './theme.js';
import {makeTip} from './tip.js';
import {ending, showTotals} from './totals.js';
import {makeViews} from './views.js';

const element = (id) => document.getElementById(id);
const calm = matchMedia('(prefers-reduced-motion: reduce)');

let frame = 0;
const store = makeStore((state) => {
  player.update(state);
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    show(store.get());
  });
});
const {dispatch} = store;
const player = makePlayer(dispatch);
const controls = makeControls();
const inspector = makeInspector(dispatch);
const runs = makeRuns(dispatch);
const tip = makeTip(element('tip'));
const views = makeViews();
let images = null;  // where such a model is served
makeTheme(element('theme'), () => {
  inspector.redraw();
  images?.redraw();
});

const texts = Object.fromEntries(kRunNames.map((run) => [run, makeTextView(element(`text-${run}`), {
  tip,
  on_select(index, by_keyboard) {
    dispatch({type: 'select', run, index, play: !calm.matches});
    if (by_keyboard) tip.hide();
  },
})]));

function announce(sentence) {
  element('announcer').textContent = sentence;
}

function showModel({ebt}) {
  element('dials').hidden = element('compare-label').hidden = !ebt.thinks;
  element('inspector').hidden = element('explain').hidden = !ebt.thinks;
  element('about-thinking').hidden = !ebt.thinks;
  element('about-baseline').hidden = ebt.thinks;
  element('title').textContent = ebt.thinks ? 'Watch it think' : 'Watch it write';
  element('start').textContent = ebt.thinks ? 'Think' : 'Write';
  element('landscape-note').hidden = !(ebt.landscapes > 1);
  element('landscape-note').textContent = `This model goes through ${ebt.landscapes} landscapes, ` +
      'one after the other. Where one follows another, the energy may jump; the number of thinking ' +
      'steps is that on the last.';
}

function showPane(state, name, scale) {
  const run = state.runs[name];
  const pane = element(`pane-${name}`);
  if (name === 'off') pane.hidden = !run;
  if (!run) return;
  const current = state.cursor?.run === name ? state.cursor.index : null;
  texts[name].update(state.prompt, shownTokens(state, name), scale, current);
  showTotals(pane.querySelector('.totals'), run, state.model?.ebt.thinks);
  const error = pane.querySelector('.error');
  error.hidden = !run.error;
  error.textContent = run.error ?? '';
  pane.setAttribute('aria-busy', run.status === 'running');
}

function show(state) {
  const tokens = Object.values(state.runs).flatMap((run) => run.tokens);
  const scale = uncertaintyScale(tokens);
  showLegend(element('legend'), scale && {
    before: 'sure', low: scale.sure, high: scale.unsure, after: 'unsure', caption: scale.caption});
  for (const name of kRunNames) showPane(state, name, scale);
  inspector.update(state);
  const running = isRunning(state);
  const two = Boolean(state.runs.off);
  element('panes').classList.toggle('two', two);
  element('shared-time').hidden = !two;
  element('start').disabled = running || !state.model;
  element('stop-button').hidden = !running;
  element('follow').hidden = state.following || !(running || state.shown < longest(state));
  element('replay').disabled = running || longest(state) === 0;
  element('slow').checked = state.pace === 'slow';
}

async function connect() {
  try {
    const {text, image} = await servedModels(element('token').value);
    element('error').hidden = element('unlock').hidden = true;
    views.offer({text, image});
    if (text) {
      showModel(text);
      dispatch({type: 'model', model: text});
    }
    if (image && !images) {
      images = makeImages(image, {
        tip, say: announce, calm: () => calm.matches, token: () => element('token').value,
        on_locked: () => showError('This server asks for a bearer token.', 401)});
    }
  } catch (error) {
    element('model').textContent = 'No model';
    showError(error.message, error.status);
  }
}

function showError(message, status) {
  element('error').textContent = message;
  element('error').hidden = false;
  if (status === 401) {
    element('unlock').hidden = false;
    element('token').focus();
  }
}

async function start() {
  const {model} = store.get();
  if (!model || isRunning(store.get())) return;
  element('error').hidden = true;
  const common = controls.common(model);
  const requests = {thinking: model.ebt.thinks ? {...common, thinking: controls.thinking()} : common};
  if (model.ebt.thinks && controls.compare()) requests.off = {...common, thinking: kThinkingOff};
  announce(model.ebt.thinks ? 'Thinking.' : 'Writing.');
  for (const name of Object.keys(requests)) texts[name].restart(controls.prompt());
  element('written').scrollIntoView({block: 'start', behavior: calm.matches ? 'auto' : 'smooth'});
  const codes = await runs.start(controls.prompt(), requests, element('token').value);
  if (codes.includes(401)) showError('This server asks for a bearer token.', 401);
  const run = store.get().runs.thinking;
  announce(run.error ?? `${count(totals(run).tokens)} tokens, ended by ${ending(run)}.`);
}

element('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  start();
});
element('unlock').addEventListener('submit', (event) => {
  event.preventDefault();
  connect();
});
// A browser cannot point at a number that is folded away.
element('ask').addEventListener('invalid', () => {
  element('advanced').open = true;
}, {capture: true});
element('prompt').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  element('ask').requestSubmit();
});
element('stop-button').addEventListener('click', () => {
  runs.stop();
  element('written').focus();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  if (element('view-text').hidden) images?.stop();
  else runs.stop();
});
element('slow').addEventListener('change', (event) =>
    dispatch({type: 'pace', pace: event.target.checked ? 'slow' : 'live'}));
element('follow').addEventListener('click', () => dispatch({type: 'follow'}));
element('replay').addEventListener('click', () => dispatch({type: 'replay'}));

connect();
show(store.get());
