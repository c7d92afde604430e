// How sure the model was of a token, as a number from 0 (sure) to 1 (unsure) and as one of eight
// colours.
import {percent, signed} from './format.js';

export const kLevels = 8;

// The value below which a fraction of the sorted values lies, interpolated.
export function quantile(sorted, fraction) {
  const at = fraction * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

// The scale that fits the tokens: calibrated certainty where every token has one; else energy, over
// the middle nine tenths of these tokens, so that one outlier does not bleach the rest; else, for
// models without energies, the probability of the written token.
export function uncertaintyScale(tokens) {
  if (tokens.length === 0) return null;
  if (tokens.every((token) => token.certainty !== undefined)) {
    return {
      kind: 'certainty',
      uncertainty: (token) => 1 - token.certainty,
      sure: percent(1), unsure: percent(0),
      caption: 'Certainty, calibrated: how often the likeliest token is right at such an energy.',
    };
  }
  if (tokens.every((token) => token.states?.length > 0)) {
    const energies = tokens.map((token) => token.energy).sort((a, b) => a - b);
    const low = quantile(energies, 0.05);
    const high = quantile(energies, 0.95);
    const range = high - low;
    return {
      kind: 'energy',
      uncertainty: (token) =>
          range > 0 ? Math.min(1, Math.max(0, (token.energy - low) / range)) : 0.5,
      sure: signed(low, 1), unsure: signed(high, 1),
      caption: 'Energy that is left, over the range of this text. ' +
          'Not calibrated: “ebt calibrate” turns it into a certainty.',
    };
  }
  return {
    kind: 'probability',
    uncertainty: (token) => 1 - Math.exp(token.logprob),
    sure: percent(1), unsure: percent(0),
    caption: 'Probability of the written token: this model has no energy.',
  };
}

export function levelOf(uncertainty) {
  return Math.min(kLevels - 1, Math.max(0, Math.floor(uncertainty * kLevels)));
}

// The numbers of a token in words, for tooltips and screen readers.
export function describe(token) {
  const parts = [`probability ${percent(Math.exp(token.logprob))}`];
  if (token.states?.length > 0) parts.unshift(`energy ${signed(token.energy)}`);
  if (token.certainty !== undefined) parts.push(`certainty ${percent(token.certainty)}`);
  if (token.thinking_steps > 0) {
    parts.push(`${token.thinking_steps} thinking step${token.thinking_steps === 1 ? '' : 's'}`);
  }
  return parts.join(', ');
}
