// Ties the parts together: events become actions, and every new state is shown once a frame.
import {servedModels} from './api.js';
import {makeChat, transcript} from './chat.js';
import {kThinkingOff, makeControls} from './controls.js';
import {count, seconds} from './format.js';
import {makeImages} from './images.js';
import {makeInspector} from './inspector.js';
import {showLegend} from './legend.js';
import {rememberFields} from './memory.js';
import {makePlayer} from './player.js';
import {isLong, readingOf} from './reading.js';
import {makeRuns} from './runs.js';
import {colourScale} from './scale.js';
import {isBehind, isRunning, kRunNames, longest, makeStore, shownTokens, totals} from './state.js';
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
const chat = makeChat();
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
  controls.showLandscapes(ebt.landscapes ?? 1);
  element('landscape-note').hidden = !(ebt.landscapes > 1);
  element('landscape-note').textContent = `This model goes through ${ebt.landscapes} landscapes, ` +
      'one after the other. Where one follows another, the energy may jump.';
}

function showPane(state, name, scale) {
  const run = state.runs[name];
  const pane = element(`pane-${name}`);
  if (name === 'off') pane.hidden = !run;
  if (!run) return;
  const current = state.cursor?.run === name ? state.cursor.index : null;
  texts[name].update(state.prompt, state.reading?.unread ?? '', shownTokens(state, name), scale, current);
  showTotals(pane.querySelector('.totals'), run, state.model?.ebt.thinks);
  const error = pane.querySelector('.error');
  error.hidden = !run.error;
  error.textContent = run.error ?? '';
  pane.setAttribute('aria-busy', run.status === 'running');
}

// What slow motion hides: how much there is, and how long it took to write.
function showSlowness(state) {
  const slowed = state.pace === 'slow' && isBehind(state);
  element('slowed').hidden = element('show-all').hidden = !slowed;
  if (!slowed) return;
  const took = Math.max(...Object.values(state.runs).map((run) => run.seconds));
  element('slowed').textContent = 'Slowed down to be watched: ' +
      `${count(state.shown)} of ${count(longest(state))} tokens shown. The model took ${seconds(took)} for them all.`;
}

function showReading({reading}) {
  element('reading').hidden = !reading;
  if (!reading) return;
  element('reading').textContent = `The model reads the last ${count(reading.read)} of the prompt’s ` +
      `${count(reading.total)} tokens: its context.` + (reading.unread ? ' What is struck out it does not see.' : '');
}

function show(state) {
  const tokens = Object.values(state.runs).flatMap((run) => run.tokens);
  const scale = colourScale(tokens);
  showLegend(element('legend'), scale);
  showSlowness(state);
  showReading(state);
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
        on_locked: askForKey});
    }
  } catch (error) {
    element('model').textContent = error.status === 401 ? 'Locked' : 'No model';
    if (error.status === 401) askForKey();
    else showError(error.message);
  }
}

function showError(message) {
  element('error').textContent = message;
  element('error').hidden = false;
}

// Whoever has not given a key yet has done nothing wrong.
function askForKey() {
  element('error').hidden = true;
  if (element('token').value) showError('This key does not open the server.');
  element('unlock').hidden = false;
  element('token').focus();
}

// What is asked of the model, {prompt} or {messages}, and the text that the page shows for it.
function asked() {
  const prompt = controls.prompt();
  if (!controls.is_chat()) return {asked: {prompt}, text: prompt};
  const messages = chat.ask(controls.system(), prompt);
  return {asked: {messages}, text: transcript(messages)};
}

function showChat() {
  const is_chat = controls.is_chat();
  element('system').disabled = !is_chat;
  element('prompt').required = is_chat;
  element('prompt-label').textContent = is_chat ? 'Your message' : 'Begin a text';
  element('new-chat').hidden = !(is_chat && chat.said());
}

function setPrompt(text) {
  element('prompt').value = text;
  element('prompt').dispatchEvent(new Event('input'));
}

async function start() {
  const {model} = store.get();
  if (!model || isRunning(store.get())) return;
  element('error').hidden = true;
  const question = controls.is_chat() ? controls.prompt() : null;
  const {asked: to_ask, text} = asked();
  const common = controls.common(
      model, isLong(text, model.ebt.context) ? {...to_ask, truncate_prompt_tokens: -1} : to_ask);
  const requests = {thinking: model.ebt.thinks ? {...common, thinking: controls.thinking()} : common};
  if (model.ebt.thinks && controls.compare()) requests.off = {...common, thinking: kThinkingOff};
  announce(model.ebt.thinks ? 'Thinking.' : 'Writing.');
  for (const name of Object.keys(requests)) texts[name].restart(text);
  element('written').scrollIntoView({block: 'start', behavior: calm.matches ? 'auto' : 'smooth'});
  const key = element('token').value;
  const done = runs.start(text, requests, key);
  readingOf(to_ask, text, model.ebt.context, key).then((reading) => {
    if (store.get().prompt === text) dispatch({type: 'reading', reading});
  });
  const codes = await done;
  if (codes.includes(401)) askForKey();
  const state = store.get();
  const run = state.runs.thinking;
  if (question && run.status === 'done') {
    chat.answered(question, run.text);
    setPrompt('');
  }
  showChat();
  announce(run.error ?? `${count(totals(run).tokens)} tokens in ${seconds(run.seconds)}, ended by ${ending(run)}.` +
      (state.playing && isBehind(state) ? ' They are shown in slow motion.' : ''));
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
element('slow').addEventListener('input', (event) =>
    dispatch({type: 'pace', pace: event.target.checked ? 'slow' : 'live'}));
element('show-all').addEventListener('click', () => dispatch({type: 'skip'}));
element('follow').addEventListener('click', () => dispatch({type: 'follow'}));
element('replay').addEventListener('click', () => dispatch({type: 'replay'}));

element('chat').addEventListener('input', showChat);
element('new-chat').addEventListener('click', () => {
  chat.forget();
  showChat();
  element('prompt').focus();
});

if (calm.matches) dispatch({type: 'pace', pace: 'live'});
show(store.get());  // the boxes stand as the state does before they are filled in
element('slow').checked = store.get().pace === 'slow';
rememberFields('ebt-text', [...element('ask').elements, element('slow')]);
showChat();
element('model').textContent = 'Asking the server for its model…';
connect();
