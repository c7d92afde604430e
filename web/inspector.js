// One token, step by step: its chart, its leading candidates, its numbers and the scrubber.
import {makeBars} from './bars.js';
import {chartContent, makeChart} from './chart.js';
import {count, signed, tokenName} from './format.js';
import {describe} from './scale.js';
import {cursorToken, lastStep, shownTokens} from './state.js';

const element = (id) => document.getElementById(id);

function showTitle(token, state) {
  if (!token) {
    element('inspected').textContent = 'One token, step by step';
    element('numbers').textContent = 'Press Think and watch, or pick any token of the text.';
    return;
  }
  const name = document.createElement('span');
  name.className = 'name';
  name.textContent = tokenName(token);
  const {run, index} = state.cursor;
  const which = !state.runs.off ? '' : run === 'off' ? ', thinking off' : ', thinking';
  element('inspected').replaceChildren(`Token ${index + 1}${which} `, name);
  element('numbers').textContent = `${describe(token)}, ${count(token.forward_passes)} forward passes`;
}

export function makeInspector(dispatch) {
  const chart = makeChart(element('chart'), {on_step: (step) => dispatch({type: 'step', step})});
  const bars = makeBars(element('bars'));
  const scrubber = element('scrubber');
  scrubber.addEventListener('input', () => dispatch({type: 'step', step: scrubber.valueAsNumber}));
  element('play').addEventListener('click', (event) =>
      dispatch({type: event.currentTarget.dataset.playing ? 'pause' : 'play'}));

  return {
    update(state) {
      const token = cursorToken(state);
      showTitle(token, state);
      element('inspector').classList.toggle('idle', !token);
      const thought = token?.states?.length > 0;  // not by a baseline
      const step = thought ? state.cursor.step : 0;
      const last = lastStep(token);
      chart.update(thought
          ? chartContent(shownTokens(state, state.cursor.run), state.cursor.index, step,
                         !state.following)
          : null);
      bars.update(thought ? token.states[step].top : [], token?.token);
      element('at-step').textContent = thought
          ? `after step ${step}, entropy ${signed(token.states[step].entropy)} nats` : '';
      scrubber.max = last;
      scrubber.value = step;
      scrubber.disabled = element('play').disabled = last === 0;
      scrubber.setAttribute('aria-valuetext', thought
          ? `step ${step} of ${last}, energy ${signed(token.states[step].energy)}` : '');
      element('scrub-value').textContent = thought ? `step ${step} of ${last}` : '';
      const playing = state.playing && last > 0;
      element('play').dataset.playing = playing ? 'yes' : '';
      element('play').textContent = playing ? '❚❚' : '▶';
      element('play').setAttribute('aria-label', playing ? 'Pause' : 'Play the steps of this token');
      element('candidate-key').hidden = !(token?.candidate_energies?.length > 1);
    },
    redraw: chart.redraw,
  };
}
