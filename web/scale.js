// Where a token stands on the scale of colours, as a number from 0 to 1 and as one of eight levels.
import {percent, signed} from './format.js';

export const kLevels = 8;

// The value below which a fraction of the sorted values lies, interpolated.
export function quantile(sorted, fraction) {
  const at = fraction * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

// The scale that fits the tokens, {kind, place(token), before, low, high, after, caption}: the
// calibrated probability of being right where every token has one; else energy, over the middle nine
// tenths of these tokens, so that one outlier does not bleach the rest; else, for models without
// energies, the probability of the written token.
export function colourScale(tokens) {
  if (tokens.length === 0) return null;
  if (tokens.every((token) => token.certainty !== undefined)) {
    return {
      kind: 'certainty',
      place: (token) => 1 - token.certainty,
      before: 'sure', low: percent(1), high: percent(0), after: 'unsure',
      caption: 'Calibrated probability of being right: how often the likeliest token is right at such an energy.',
    };
  }
  if (tokens.every((token) => token.states?.length > 0)) {
    const energies = tokens.map((token) => token.energy).sort((a, b) => a - b);
    const low = quantile(energies, 0.05);
    const high = quantile(energies, 0.95);
    const range = high - low;
    return {
      kind: 'energy',
      place: (token) => range > 0 ? Math.min(1, Math.max(0, (token.energy - low) / range)) : 0.5,
      before: 'low energy', low: signed(low, 1), high: signed(high, 1), after: 'high energy',
      caption: 'Energy after the last step, over the range of this text. ' +
          'What it says of being right, “ebt calibrate” measures.',
    };
  }
  return {
    kind: 'probability',
    place: (token) => 1 - Math.exp(token.logprob),
    before: 'likely', low: percent(1), high: percent(0), after: 'unlikely',
    caption: 'Probability of the written token: this model has no energy.',
  };
}

export function levelOf(place) {
  return Math.min(kLevels - 1, Math.max(0, Math.floor(place * kLevels)));
}

// The numbers of a token in words, for tooltips and screen readers.
export function describe(token) {
  const parts = [`probability ${percent(Math.exp(token.logprob))}`];
  if (token.states?.length > 0) parts.unshift(`energy ${signed(token.energy)}`);
  if (token.certainty !== undefined) parts.push(`calibrated probability of being right ${percent(token.certainty)}`);
  if (token.thinking_steps > 0) {
    const candidates = token.candidate_energies?.length ?? 1;
    parts.push(`${token.thinking_steps} thinking step${token.thinking_steps === 1 ? '' : 's'}` +
        (candidates > 1 ? ` of ${candidates} candidates` : ''));
  }
  return parts.join(', ');
}
