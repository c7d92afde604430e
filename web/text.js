// A text on its pane: coloured tokens that can be pointed at and walked through.
import {runningText, tokenName} from './format.js';
import {describe, levelOf} from './scale.js';

// `on_select(index, by_keyboard)` hears of clicks and keys, `tip` of what is pointed at.
export function makeTextView(container, {on_select, tip}) {
  let prompt = null;
  let unread = '';  // of the prompt
  let spans = [];
  let tokens = [];
  let tabbable = null;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  }

  function restart(new_prompt, new_unread = '') {
    prompt = new_prompt;
    unread = new_unread;
    spans = [];
    tabbable = null;
    container.replaceChildren(element('span', 'given', prompt.slice(unread.length)));
    if (unread) container.prepend(element('span', 'given unread', unread));
  }

  // Marks are drawn beside the text, so that whoever copies it does not get them.
  function fill(span, piece) {
    span.className = `token ${piece.kind === 'text' ? '' : piece.kind}`;
    if (piece.kind !== 'text') {
      span.dataset.mark = piece.text;
      return;
    }
    const [line, ...more] = piece.text.split('\n');
    span.replaceChildren(line, ...more.flatMap((next) => [element('span', 'line-end', ''), `\n${next}`]));
  }

  function append(piece, token) {
    const span = document.createElement('span');
    span.setAttribute('role', 'button');
    span.tabIndex = -1;
    span.dataset.index = spans.length;
    fill(span, piece);
    span.setAttribute('aria-label', `${tokenName(token)}: ${describe(token)}`);
    spans.push(span);
    container.append(span);
  }

  function indexOf(event) {
    const span = event.target.closest?.('.token');
    return span ? Number(span.dataset.index) : null;
  }

  function keep_in_view(span) {
    const below = span.offsetTop + span.offsetHeight - container.clientHeight;
    if (container.scrollTop < below + 8) container.scrollTop = below + 8;
    if (container.scrollTop > span.offsetTop - 8) container.scrollTop = span.offsetTop - 8;
  }

  container.addEventListener('click', (event) => {
    const index = indexOf(event);
    if (index !== null) on_select(index, false);
  });
  container.addEventListener('keydown', (event) => {
    const index = indexOf(event);
    if (index === null) return;
    const last = spans.length - 1;
    const to = {ArrowRight: index + 1, ArrowDown: index + 10, ArrowLeft: index - 1,
                ArrowUp: index - 10, Home: 0, End: last, Enter: index, ' ': index}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const target = Math.min(last, Math.max(0, to));
    on_select(target, true);
    spans[target].focus();
  });
  const point = (event) => {
    const index = indexOf(event);
    if (index !== null) tip.show(spans[index], spans[index].getAttribute('aria-label'));
  };
  container.addEventListener('pointerover', point);
  container.addEventListener('focusin', point);
  container.addEventListener('pointerout', tip.hide);
  container.addEventListener('focusout', tip.hide);

  return {
    update(new_prompt, new_unread, new_tokens, scale, current) {
      if (prompt !== new_prompt || unread !== new_unread || new_tokens.length < spans.length) {
        restart(new_prompt, new_unread);
      }
      tokens = new_tokens;
      if (spans.length < tokens.length) {
        const pieces = runningText(tokens);
        while (spans.length < tokens.length) append(pieces[spans.length], tokens[spans.length]);
        if (current === null) keep_in_view(spans.at(-1));
      }
      spans.forEach((span, index) => {
        const level = String(scale ? levelOf(scale.place(tokens[index])) : 0);
        if (span.dataset.level !== level) span.dataset.level = level;
        const is_current = index === current;
        if (span.classList.contains('current') !== is_current) {
          span.classList.toggle('current', is_current);
          if (is_current) keep_in_view(span);
        }
      });
      const next = spans[current ?? spans.length - 1] ?? null;
      if (next !== tabbable) {
        if (tabbable) tabbable.tabIndex = -1;
        if (next) next.tabIndex = 0;
        tabbable = next;
      }
    },
    restart,
  };
}
