// Everything the page shows, and how it changes: reduce(state, action) gives the next state.
//
// A run is one text being written. Tokens are the server's "thinking" entries.
// `shown` counts tokens that are on screen: in slow motion fewer than have arrived. The cursor is
// the token that the chart and the candidates are about, after so many thinking steps.

export const kRunNames = ['thinking', 'off'];

export const kNothingYet = {
  model: null,    // {id, ebt}
  prompt: '',     // of the runs
  reading: null,  // how much of it the model reads, where that is not all: reading.js
  runs: {},       // by name
  pace: 'slow',   // or 'live'
  shown: 0,
  cursor: null,   // {run, index, step}
  following: true,  // the cursor goes with the newest token
  playing: false,   // the cursor's steps are being played
};

const kNewRun = {
  tokens: [],
  text: '',
  status: 'running',  // then 'done', 'stopped' or 'failed'
  error: null,
  finish: null,  // finish_reason
  usage: null,   // the server's own count
  seconds: 0,    // until the newest token or the end
};

export function lastStep(token) {
  return Math.max(0, (token?.states?.length ?? 0) - 1);
}

export function longest(state) {
  return Math.max(0, ...Object.values(state.runs).map((run) => run.tokens.length));
}

export function isRunning(state) {
  return Object.values(state.runs).some((run) => run.status === 'running');
}

// Whether tokens that are there are still to be shown.
export function isBehind(state) {
  return state.shown < longest(state);
}

export function shownTokens(state, name) {
  return state.runs[name]?.tokens.slice(0, state.shown) ?? [];
}

export function cursorToken(state) {
  const {cursor} = state;
  return cursor ? state.runs[cursor.run]?.tokens[cursor.index] ?? null : null;
}

// What has been spent on a text: the server's count where it gave one, else the sum so far.
export function totals(run) {
  const sum = (field) => run.tokens.reduce((total, token) => total + (token[field] ?? 0), 0);
  const tokens = run.usage?.completion_tokens ?? run.tokens.length;
  return {
    tokens,
    thinking_steps: run.usage?.thinking_steps ?? sum('thinking_steps'),
    forward_passes: run.usage?.forward_passes ?? sum('forward_passes'),
    seconds: run.seconds,
    tokens_per_second: run.seconds > 0 ? tokens / run.seconds : 0,
  };
}

function withRun(state, name, changes) {
  return {...state, runs: {...state.runs, [name]: {...state.runs[name], ...changes}}};
}

function cursorAt(state, run, index, step) {
  const count = Math.min(state.shown, state.runs[run]?.tokens.length ?? 0);
  if (count === 0) return null;
  const at = Math.min(Math.max(index, 0), count - 1);
  const most = lastStep(state.runs[run].tokens[at]);
  return {run, index: at, step: Math.min(Math.max(step, 0), most)};
}

// The cursor at the end of its text, or of the other one where its own has no token.
function newest(state, step) {
  const run = state.cursor?.run ?? 'thinking';
  return cursorAt(state, run, Infinity, step) ?? cursorAt(state, 'off', Infinity, step);
}

// Live: everything that has arrived is on screen, and a cursor that follows is at its end.
function caughtUp(state) {
  if (state.pace !== 'live') return state;
  const next = {...state, shown: longest(state)};
  if (!state.following || next.shown === 0) return next;
  return {...next, cursor: newest(next, Infinity)};
}

// One tick of the clock: the next thinking step, else the next token.
function advanced(state) {
  const token = cursorToken(state);
  const follows = state.following && state.pace === 'slow';
  if (token && state.cursor.step < lastStep(token)) {
    const step = state.cursor.step + 1;
    const playing = follows || step < lastStep(token);
    return {...state, cursor: {...state.cursor, step}, playing};
  }
  if (!follows) return {...state, playing: false};
  const run = state.cursor?.run ?? 'thinking';
  // A text that is still being thought about is waited for, even when the other is ahead.
  const waits = state.runs[run]?.status === 'running';
  const arrived = waits ? state.runs[run].tokens.length : longest(state);
  if (state.shown >= arrived) return {...state, playing: isRunning(state)};
  const next = {...state, shown: state.shown + 1, playing: true};
  return {...next, cursor: newest(next, 0)};
}

export function reduce(state, action) {
  switch (action.type) {
    case 'model':
      return {...state, model: action.model};
    case 'start': {
      const runs = Object.fromEntries(action.names.map((name) => [name, kNewRun]));
      return {...state, prompt: action.prompt, reading: null, runs, shown: 0, cursor: null, following: true,
              playing: state.pace === 'slow'};
    }
    case 'chunk': {
      const run = state.runs[action.run];
      const choice = action.chunk.choices?.[0];
      const added = choice?.thinking ?? [];
      return caughtUp(withRun(state, action.run, {
        tokens: added.length > 0 ? [...run.tokens, ...added] : run.tokens,
        text: run.text + (choice?.delta?.content ?? choice?.text ?? ''),
        finish: choice?.finish_reason ?? run.finish,
        usage: action.chunk.usage ?? run.usage,
        seconds: added.length > 0 ? action.seconds : run.seconds,
      }));
    }
    case 'reading':
      return {...state, reading: action.reading};
    case 'end':
      return withRun(state, action.run, {status: action.status, error: action.error ?? null});
    case 'pace': {
      const next = {...state, pace: action.pace};
      return action.pace === 'live' ? caughtUp({...next, playing: false})
                                    : {...next, playing: state.following && isRunning(state)};
    }
    case 'replay':
      return {...state, pace: 'slow', shown: 0, cursor: null, following: true, playing: true};
    case 'skip': {
      const next = {...state, shown: longest(state), following: true, playing: isRunning(state)};
      return {...next, cursor: newest(next, Infinity)};
    }
    case 'follow': {
      const next = {...state, following: true, playing: state.pace === 'slow'};
      return caughtUp({...next, cursor: newest(next, Infinity)});
    }
    case 'select': {
      const step = action.play ? 0 : Infinity;
      const cursor = cursorAt(state, action.run, action.index, step);
      return {...state, cursor, following: false, playing: Boolean(action.play)};
    }
    case 'step': {
      if (!state.cursor) return state;
      const cursor = cursorAt(state, state.cursor.run, state.cursor.index, action.step);
      return {...state, cursor, following: false, playing: false};
    }
    case 'play': {
      if (!state.cursor) return state;
      const at_end = state.cursor.step >= lastStep(cursorToken(state));
      return {...state, playing: true,
              cursor: at_end && !state.following ? {...state.cursor, step: 0} : state.cursor};
    }
    case 'pause':
      return {...state, playing: false};
    case 'tick':
      return advanced(state);
    default:
      throw new Error(`unknown action ${action.type}`);
  }
}

// Holds a state and tells a listener about every change.
export function makeStore(listener, reducer = reduce, start = kNothingYet) {
  let state = start;
  return {
    get: () => state,
    dispatch(action) {
      state = reducer(state, action);
      listener(state);
    },
  };
}
