// Sliders and numbers of the form: how to think and what to write.

const kSteps = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const kCandidates = [1, 2, 3, 4, 6, 8, 12, 16];
const kStops = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const kLeading = 8;  // candidates shown after every step

// A slider over a list of values.
function slider(id, values, start, name = String) {
  const input = document.getElementById(id);
  const output = document.getElementById(`${id}-value`);
  input.min = 0;
  input.max = values.length - 1;
  input.step = 1;
  input.value = values.indexOf(start);
  function show() {
    output.textContent = name(values[input.value]);
    input.setAttribute('aria-valuetext', output.textContent);
  }
  input.addEventListener('input', show);
  show();
  return () => values[input.value];
}

export function makeControls() {
  const steps = slider('steps', kSteps, 4);
  const candidates = slider('candidates', kCandidates, 1);
  const stop = slider('stop', kStops, 0, (value) => value === 0 ? 'never' : `< ${value}`);
  const number = (id) => document.getElementById(id).valueAsNumber;
  return {
    prompt: () => document.getElementById('prompt').value,
    compare: () => document.getElementById('compare').checked,
    thinking: () => thinkingRequest(steps(), candidates(), stop()),
    // What both texts of a comparison have in common.
    common: (model) => ({model: model.id, prompt: document.getElementById('prompt').value,
                         max_tokens: number('length'), temperature: number('temperature'),
                         seed: number('seed'), trace: kLeading}),
  };
}

export function thinkingRequest(steps, candidates, stop_change) {
  return {steps, on: 'final', candidates, stop_change};
}

export const kThinkingOff = thinkingRequest(1, 1, 0);
