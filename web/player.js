// The clock of slow motion: while a state is playing it ticks, so that a token takes about the same
// time however many steps it thought.
import {cursorToken, lastStep} from './state.js';

const kTokenMs = 400;
const kShortestTickMs = 30;
const kLongestTickMs = 140;
const kWaitMs = 60;  // between looks for a token that has not arrived

export function tickMs(state) {
  const token = cursorToken(state);
  if (!token) return kWaitMs;
  const even = kTokenMs / (lastStep(token) + 1);
  // Someone who looks at one token has more time.
  const patience = state.following ? 1 : 2;
  return patience * Math.min(kLongestTickMs, Math.max(kShortestTickMs, even));
}

// Call `update` with every new state; `tick_ms(state)` tells how long it is to be looked at.
export function makePlayer(dispatch, tick_ms = tickMs) {
  let timer = null;
  let current = null;
  function tick() {
    timer = null;
    if (current.playing) dispatch({type: 'tick'});
  }
  return {
    update(state) {
      current = state;
      if (state.playing && timer === null) timer = setTimeout(tick, tick_ms(state));
      if (!state.playing && timer !== null) {
        clearTimeout(timer);
        timer = null;
      }
    },
  };
}
