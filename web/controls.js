// Sliders and numbers of the forms: how to think, what to write, and how to clean an image.

const kSteps = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const kCandidates = [1, 2, 3, 4, 6, 8, 12, 16];
const kStops = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const kLeading = 8;  // candidates shown after every step

// A slider over a list of values: {value(), rename(name)}, where name(value) is what stands beside it.
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
  return {
    value: () => values[input.value],
    rename(new_name) {
      name = new_name;
      show();
    },
  };
}

const kEscapes = {n: '\n', t: '\t', '\\': '\\'};

// Stop strings of a field: one a line, in which backslashes stand for what cannot be typed.
export function stopStrings(text) {
  return text.split('\n').filter(Boolean).map((line) =>
      line.replace(/\\([nt\\])/g, (_, character) => kEscapes[character]));
}

export function makeControls() {
  const steps = slider('steps', kSteps, 4);
  const candidates = slider('candidates', kCandidates, 1);
  const stop = slider('stop', kStops, 0, (value) => value === 0 ? 'never' : `< ${value}`);
  const element = (id) => document.getElementById(id);
  const number = (id) => element(id).valueAsNumber;
  return {
    prompt: () => element('prompt').value,
    system: () => element('system').value,
    is_chat: () => element('chat').checked,
    compare: () => element('compare').checked,
    thinking: () => thinkingRequest(steps.value(), candidates.value(), stop.value()),
    // Steps are counted on all landscapes, here as in the text and the chart.
    showLandscapes(landscapes) {
      const before = landscapes - 1;
      steps.rename((value) => String(before + value));
      element('steps-hint').textContent = 'steps downhill per token, at most' +
          (before > 0 ? `: ${before} before the last landscape, the others on it` : '');
    },
    // What both texts of a comparison have in common; `asked` is {prompt} or {messages}, and may say
    // more.
    common(model, asked) {
      const stops = stopStrings(element('stop-strings').value);
      return {
        model: model.id, ...asked, max_tokens: number('length'),
        temperature: number('temperature'), seed: number('seed'), trace: kLeading,
        ...(number('top-p') < 1 ? {top_p: number('top-p')} : {}),
        ...(number('top-k') > 0 ? {top_k: number('top-k')} : {}),
        ...(stops.length > 0 ? {stop: stops} : {}),
      };
    },
  };
}

export function thinkingRequest(steps, candidates, stop_change) {
  return {steps, on: 'final', candidates, stop_change};
}

export const kThinkingOff = thinkingRequest(1, 1, 0);

const kSigmas = [0, 5, 10, 15, 20, 25, 35, 50, 75, 100];
const kImageSteps = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100, 200];
const kSides = [64, 96, 128, 192, 256, 384, 512, 768, 1024, Infinity];

// Of an image; `ebt` tells what the model can do.
export function makeImageControls(ebt) {
  const steps_to_choose = kImageSteps.filter((count) => count <= ebt.max_steps);
  const usual = steps_to_choose.findLast((count) => count <= (ebt.thinks ? 3 : 48));
  const sigma = slider('sigma', kSigmas, 25, (value) => value === 0 ? 'none' : `σ ${value}`);
  const steps = slider('image-steps', steps_to_choose, usual);
  const side = slider('side', kSides, 256, (value) => value === Infinity ? 'as it is' : `${value} px`);
  const number = (id) => document.getElementById(id).valueAsNumber;
  return {
    side: side.value,
    request: (model) => denoiseRequest(model, {
      sigma: sigma.value(), steps: steps.value(), seed: number('image-seed'), input_sigma: number('input-sigma'),
      energy_tolerance: number('energy-tolerance')}),
  };
}

// The parameters of a request. How noisy an image is already only counts where no noise is added.
export function denoiseRequest(model, {sigma, steps, seed, input_sigma, energy_tolerance}) {
  return {
    model: model.id, steps,
    ...(sigma > 0 ? {sigma, seed} : input_sigma > 0 ? {input_sigma} : {}),
    ...(model.ebt.thinks && energy_tolerance > 0 ? {energy_tolerance} : {}),
  };
}
