// An image, step by step: the two panes, the map of energies, the chart, the numbers and the
// scrubber.
import {imageChartContent, makeChart} from './chart.js';
import {mapScale} from './energy_map.js';
import {count, decibels, seconds, significant} from './format.js';
import {currentState, isWorking, lastState, stepsOf} from './image_state.js';
import {showLegend} from './legend.js';
import {makeOverlay, makePicture} from './picture.js';
import {showRows} from './totals.js';

const element = (id) => document.getElementById(id);

// "3.2 → 0.4", or one number where there is no other.
function fromTo(values, name) {
  const [first, last] = [values.at(0), values.at(-1)].map(name);
  return values.length > 1 ? `${first} → ${last}` : first;
}

export function imageTotals({states, summary, seconds: spent}) {
  const energies = states.map((state) => state.energy).filter((energy) => energy !== undefined);
  const psnrs = states.map((state) => state.psnr).filter((psnr) => psnr !== undefined);
  return [
    ...(energies.length > 0 ? [['energy', fromTo(energies, (value) => significant(value))]] : []),
    ...(psnrs.length > 0 ? [['PSNR', fromTo(psnrs, decibels)]] : []),
    ...(summary ? [['size', `${count(summary.width)} × ${count(summary.height)}`],
                   ['tiles', count(summary.tiles)],
                   ['steps per tile', significant(summary.steps_per_tile)]] : []),
    ['time', seconds(spent)],
  ];
}

// A state's numbers in words.
export function describeState(state, thinks) {
  const name = thinks ? 'step' : 'pass';
  return [
    state.step === 0 ? `before the first ${name}` : `after ${name} ${state.step}`,
    ...(state.energy !== undefined ? [`energy ${significant(state.energy)}`] : []),
    ...(state.psnr !== undefined ? [`PSNR ${decibels(state.psnr)}`] : []),
  ].join(', ');
}

export function givenName(asked) {
  return asked?.sigma > 0 ? `With noise of σ ${asked.sigma}` : 'As it was given';
}

export function makeImageInspector(dispatch, {thinks, tip, say}) {
  const chart = makeChart(element('image-chart'), {
    on_step: (step) => dispatch({type: 'go', to: step}), nothing: 'No image yet',
    ...(thinks ? {number: significant} :
        {x_label: 'forward passes', y_label: 'PSNR, dB', number: decibels})});
  const given = makePicture(element('given'));
  const cleaned = makePicture(element('after'));
  const overlay = makeOverlay(element('overlay'), {tip, say});
  const scrubber = element('image-scrubber');
  scrubber.addEventListener('input', () => dispatch({type: 'go', to: scrubber.valueAsNumber}));
  element('image-play').addEventListener('click', (event) =>
      dispatch({type: event.currentTarget.dataset.playing ? 'pause' : 'play'}));
  element('image-caption').textContent =
      thinks ? 'Energy after every step' : 'Likeness to the clean image after every pass';
  element('map-controls').hidden = !thinks;

  // A large map has as many energies as to be sorted once, and not for every frame.
  let scaled = {of: null, scale: null};
  function scaleOf(states, current) {
    const all = element('one-scale').checked;
    const of = all ? states : current.map;
    if (of !== scaled.of) scaled = {of, scale: mapScale(all ? states.map(({map}) => map) : [of])};
    return scaled.scale;
  }

  function showMap(state, current) {
    const scale = current?.map && element('show-map').checked ? scaleOf(state.states, current) : null;
    overlay.update(scale && current.map, scale, current?.picture,
                   element('opacity').valueAsNumber / 100);
    element('after').classList.toggle('mapped', Boolean(scale));
    showLegend(element('map-legend'), scale && {
      before: 'low energy', low: significant(scale.low), high: significant(scale.high), after: 'high energy',
      caption: 'Of each patch.'});
  }

  function showChart(state, current) {
    const values = state.states.map(({energy, psnr}) => thinks ? energy : psnr ?? NaN);
    const shows = current !== null && values.some(Number.isFinite);
    element('image-energy').hidden = state.states.length > 0 && !shows;
    chart.update(shows ? imageChartContent(values, state.cursor, stepsOf(state)) : null);
  }

  return {
    update(state) {
      const current = currentState(state);
      const last = lastState(state);
      element('image-inspector').classList.toggle('idle', !current);
      given.update(state.states[0]?.picture ?? null, givenName(state.asked));
      cleaned.update(current?.picture ?? null, current ? describeState(current, thinks) : '');
      element('given-name').textContent = givenName(state.asked);
      element('after-name').textContent = !current ? 'Cleaned' : current.step === 0
          ? `Before the first ${thinks ? 'step' : 'pass'}`
          : `After ${thinks ? 'step' : 'pass'} ${current.step} of ${stepsOf(state)}`;
      showMap(state, current);
      showChart(state, current);
      element('image-numbers').textContent =
          current ? describeState(current, thinks) : 'Press Clean and watch.';
      scrubber.max = Math.max(0, state.states.length - 1);
      scrubber.value = state.cursor ?? 0;
      scrubber.disabled = element('image-play').disabled = state.states.length < 2;
      scrubber.setAttribute('aria-valuetext', current ? describeState(current, thinks) : '');
      element('image-scrub-value').textContent =
          current ? `${thinks ? 'step' : 'pass'} ${current.step} of ${stepsOf(state)}` : '';
      const playing = state.playing && state.states.length > 1;
      element('image-play').dataset.playing = playing ? 'yes' : '';
      element('image-play').textContent = playing ? '❚❚' : '▶';
      element('image-play').setAttribute('aria-label', playing ? 'Pause' : 'Play the steps');
      const waits = isWorking(state) && last === null;
      element('image-waiting').hidden = !waits;
      element('image-progress').value = state.done;
      showRows(element('image-totals'), last ? imageTotals(state) : []);
      element('panes-images').setAttribute('aria-busy', isWorking(state));
    },
    redraw() {
      chart.redraw();
      overlay.redraw();
    },
  };
}
