// Everything the page shows of an image, and how it changes: reduce(state, action) gives the next
// state.
//
// A state of the image is what the server sends after a step: {step, energy, psnr, map, picture,
// file}; the first is what the model was given. The cursor is the one that is looked at. States may
// come faster than anyone can see: they are played, one after the other.

export const kNoImageYet = {
  model: null,      // {id, ebt}
  source: null,     // {name, width, height, ...}: what would be cleaned
  status: 'idle',   // then 'running', and 'done', 'stopped' or 'failed'
  error: null,
  asked: null,      // what the server was asked for, and the name of the image
  name: null,
  states: [],
  done: 0,          // share of the work
  summary: null,    // what the server says in the end
  seconds: 0,       // until the newest news
  cursor: null,     // index of a state
  following: true,  // the cursor goes with the newest state
  playing: false,
};

export const isWorking = (state) => state.status === 'running';
export const currentState = (state) => state.cursor === null ? null : state.states[state.cursor];
export const lastState = (state) => state.states.at(-1) ?? null;

// How many steps there are, or will be.
export function stepsOf(state) {
  return state.summary?.steps ?? Math.max(state.asked?.steps ?? 0, lastState(state)?.step ?? 0);
}

function withState(state, added, seconds) {
  const states = [...state.states, added];
  const first = state.cursor === null;
  const newest = state.following && !state.playing;
  return {...state, states, seconds,
          cursor: first ? 0 : newest ? states.length - 1 : state.cursor};
}

// One tick of the clock: the next state, if it is there.
function advanced(state) {
  if (!state.playing) return state;
  if (state.cursor !== null && state.cursor + 1 < state.states.length) {
    const cursor = state.cursor + 1;
    return {...state, cursor, playing: isWorking(state) || cursor + 1 < state.states.length};
  }
  return {...state, playing: isWorking(state)};
}

export function reduce(state, action) {
  const last = state.states.length - 1;
  switch (action.type) {
    case 'model':
      return {...state, model: action.model};
    case 'source':
      return {...state, source: action.source, error: null};
    case 'start':
      return {...kNoImageYet, model: state.model, source: state.source, status: 'running',
              asked: action.asked, name: state.source.name, playing: action.play};
    case 'state':
      return withState(state, action.state, action.seconds);
    case 'progress':
      return {...state, done: action.done, seconds: action.seconds};
    case 'summary':
      return {...state, summary: action.summary, done: 1, seconds: action.seconds};
    case 'complain':
      return {...state, error: action.error};
    case 'end':
      return {...state, status: action.status, error: action.error ?? null,
              playing: state.playing && state.cursor !== null && state.cursor < last};
    case 'go':
      if (last < 0) return state;
      return {...state, cursor: Math.min(Math.max(action.to, 0), last), following: false,
              playing: false};
    case 'play': {
      if (last < 0) return state;
      const again = state.cursor === last && !isWorking(state);
      return {...state, cursor: again ? 0 : state.cursor, following: true, playing: true};
    }
    case 'pause':
      return {...state, following: false, playing: false};
    case 'tick':
      return advanced(state);
    default:
      throw new Error(`unknown action ${action.type}`);
  }
}

const kAllMs = 3000;
const kShortestMs = 40;
const kLongestMs = 600;

// How long a state is looked at while they are played: longer where there are few.
export function tickMs(state) {
  return Math.min(kLongestMs, Math.max(kShortestMs, kAllMs / (stepsOf(state) + 1)));
}
