// What a text has cost, below it.
import {count, rate, seconds} from './format.js';
import {totals} from './state.js';

const kEnds = {length: 'its length', stop: 'end of text', budget: 'budget'};

export function totalsRows(run, thinks) {
  const spent = totals(run);
  return [
    ['tokens', count(spent.tokens)],
    ...(thinks ? [['thinking steps', count(spent.thinking_steps)]] : []),
    ['forward passes', count(spent.forward_passes)],
    ['time', seconds(spent.seconds)],
    ['tokens/s', rate(spent.tokens_per_second)],
  ];
}

// What ended a text; empty while it is being written.
export function ending(run) {
  if (run.status === 'running') return '';
  if (run.status !== 'done') return run.status === 'stopped' ? 'you' : 'an error';
  return kEnds[run.finish] ?? 'the model';
}

// The length that was asked for needs no mention.
function isSurprising(run) {
  return run.status !== 'running' && ending(run) !== kEnds.length;
}

export function showTotals(list, run, thinks) {
  // A text that never began has an error to show and nothing to count.
  const nothing = run.status === 'failed' && run.tokens.length === 0;
  const rows = nothing ? [] : totalsRows(run, thinks);
  if (!nothing && isSurprising(run)) rows.push(['ended by', ending(run)]);
  showRows(list, rows);
}

// Rows of [name, value] in a <dl>, which is touched only where they change.
export function showRows(list, rows) {
  const key = JSON.stringify(rows);
  if (list.dataset.rows === key) return;
  list.dataset.rows = key;
  list.replaceChildren(...rows.map(([name, value]) => {
    const row = document.createElement('div');
    const term = document.createElement('dt');
    const number = document.createElement('dd');
    term.textContent = name;
    number.textContent = value;
    row.append(term, number);
    return row;
  }));
}
