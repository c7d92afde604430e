// Numbers and tokens as people read them.

const kMinus = '−';
const kThin = '\u202f';

// Two decimals at most, with a real minus sign.
export function signed(value, digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2) {
  if (!Number.isFinite(value)) return '?';
  const size = Math.abs(value);
  const text = size.toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? kMinus : '') + text;
}

// So many digits that count, for numbers of any size.
export function significant(value, digits = 3) {
  if (!Number.isFinite(value)) return '?';
  const text = String(Number(Math.abs(value).toPrecision(digits)));
  return (value < 0 && Number(text) !== 0 ? kMinus : '') + text;
}

export function decibels(value) {
  // No number is as large as the likeness of an image to itself.
  return !Number.isFinite(value) ? `∞${kThin}dB` : `${value.toFixed(2)}${kThin}dB`;
}

export function percent(fraction) {
  const value = 100 * fraction;
  const text = value > 0 && value < 0.1 ? '<0.1' : value.toFixed(value > 0 && value < 10 ? 1 : 0);
  return `${text}${kThin}%`;
}

export function count(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, kThin);
}

export function seconds(value) {
  return value < 10 ? `${value.toFixed(2)}${kThin}s` : `${value.toFixed(1)}${kThin}s`;
}

export function rate(per_second) {
  return per_second >= 100 ? count(per_second) : per_second.toFixed(1);
}

const strict = new TextDecoder('utf-8', {fatal: true});

// The text of whole characters, or null where bytes are a part of one or none at all.
export function textOf(bytes) {
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return null;
  }
}

function hex(bytes) {
  return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
}

const kVisible = {' ': '␣', '\n': '↵', '\t': '⇥', '\x7f': '␡'};
// Characters that draw nothing but move a pen, or turn the direction of the text after them.
const kControl = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const kPictures = 0x2400;  // of the control characters, in Unicode

// A token's name where it stands alone: blanks and controls made visible, stray bytes in hexadecimal.
export function tokenName(token) {
  if (token.bytes?.length && textOf(token.bytes) === null) return `‹${hex(token.bytes)}›`;
  if (token.text === '') return `‹${token.token}›`;
  if (token.text.includes('\ufffd') && !token.bytes) return `‹${token.token}›`;
  return token.text.replace(/[ \x00-\x1f\x7f]/g, (character) =>
      kVisible[character] ?? String.fromCharCode(kPictures + character.charCodeAt(0)));
}

// How tokens stand in a running text: [{text, kind}], kind 'text', 'bytes' (of a character that a
// later token completes, of none, or of one that draws nothing), or 'mark' (something that has no text). The token that
// completes a character of several tokens shows it.
export function runningText(tokens) {
  const pieces = [];
  let open = [];  // bytes of the character being spelled
  for (const token of tokens) {
    const bytes = token.bytes ?? [...new TextEncoder().encode(token.text)];
    if (bytes.length === 0) {
      pieces.push({text: `‹${token.token}›`, kind: 'mark'});
      open = [];
      continue;
    }
    const alone = textOf(bytes);
    const joined = open.length > 0 ? textOf([...open, ...bytes]) : null;
    if (alone?.replace(/[\n\t]/g, '').match(kControl)) {
      pieces.push({text: hex(bytes), kind: 'bytes'});
      open = [];
    } else if (alone !== null || joined !== null) {
      pieces.push({text: alone ?? joined, kind: 'text'});
      open = [];
    } else {
      pieces.push({text: hex(bytes), kind: 'bytes'});
      open = startsCharacter(bytes[0]) ? [...bytes] : [...open, ...bytes];
      if (open.length > 8) open = [];  // no character is that long
    }
  }
  return pieces;
}

function startsCharacter(byte) {
  return byte >= 0xc0;
}
