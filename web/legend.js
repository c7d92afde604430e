// What the eight colours stand for.
import {kLevels} from './scale.js';

function part(tag, className, text) {
  return Object.assign(document.createElement(tag), {className, textContent: text});
}

// `scale`: {low, high, caption, before, after} in words, or null for no legend at all.
export function showLegend(legend, scale) {
  const key = scale ? JSON.stringify(scale) : '';
  if (legend.dataset.key === key) return;
  legend.dataset.key = key;
  legend.replaceChildren();
  if (!scale) return;
  const ramp = part('span', 'ramp', '');
  for (let level = 0; level < kLevels; ++level) {
    const box = document.createElement('span');
    box.dataset.level = level;
    ramp.append(box);
  }
  const range = part('span', 'scale', '');
  range.append(scale.before, part('b', '', scale.low), ramp, part('b', '', scale.high), scale.after);
  legend.append(range, part('span', '', scale.caption));
}
