// The leading candidates after a thinking step, as bars that change places.
import {percent, tokenName} from './format.js';

const kRowPitchRem = 1.95;

export function makeBars(list) {
  const rows = new Map();  // by token

  function row(candidate) {
    const item = document.createElement('li');
    for (const part of ['name', 'track', 'value']) {
      const span = document.createElement('span');
      span.className = part;
      item.append(span);
    }
    const fill = document.createElement('span');
    fill.className = 'fill';
    item.querySelector('.track').append(fill);
    item.querySelector('.name').textContent = tokenName(candidate);
    item.querySelector('.name').title = tokenName(candidate);
    list.append(item);
    return item;
  }

  return {
    // `top`: candidates, likeliest first; `written`: the token that was taken in the end.
    update(top, written) {
      const kept = new Set(top.map((candidate) => candidate.token));
      for (const [token, item] of rows) {
        if (!kept.has(token)) {
          item.remove();
          rows.delete(token);
        }
      }
      top.forEach((candidate, rank) => {
        if (!rows.has(candidate.token)) rows.set(candidate.token, row(candidate));
        const item = rows.get(candidate.token);
        const probability = Math.exp(candidate.logprob);
        item.style.transform = `translateY(${rank * kRowPitchRem}rem)`;
        item.querySelector('.fill').style.transform = `scaleX(${probability.toFixed(4)})`;
        item.querySelector('.value').textContent = percent(probability);
        item.classList.toggle('written', candidate.token === written);
        // The order that is read aloud follows the ranks without moving elements.
        item.setAttribute('aria-posinset', rank + 1);
        item.setAttribute('aria-setsize', top.length);
      });
    },
  };
}
