// Tokenizers in the manner of published ones, on small vocabularies, and texts that are hard for
// them. In these vocabularies every pair of the characters below is a token, so that ids show where
// words begin and end.

const bytes = [];
for (let byte = 0, next = 256; byte < 256; ++byte) {
  const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  bytes.push(String.fromCodePoint(printable ? byte : next++));
}
const asBytes = (text) => [...Buffer.from(text)].map((byte) => bytes[byte]);

// All pairs of the characters, in an order that is mixed but always the same.
function pairsOf(characters) {
  const pairs = characters.flatMap((left) => characters.map((right) => [left, right]));
  let state = 7;
  for (let i = pairs.length - 1; i > 0; --i) {
    state = (state * 48271) % 2147483647;
    const other = state % (i + 1);
    [pairs[i], pairs[other]] = [pairs[other], pairs[i]];
  }
  return pairs;
}

function model(first, characters, more) {
  const vocab = Object.fromEntries(first.map((token, id) => [token, id]));
  const merges = pairsOf(characters);
  for (const [left, right] of merges) vocab[left + right] ??= Object.keys(vocab).length;
  return {type: 'BPE', dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, vocab,
    merges, ...more};
}

const added = (id, content, flags) => ({id, content, special: false, normalized: true,
  single_word: false, lstrip: false, rstrip: false, ...flags});
const special = (id, content, flags) => added(id, content,
  {special: true, normalized: false, ...flags});

const byteModel = model(bytes, [...new Set([...' \n\tabstl12.!\'(-',
  ...'éनम漢'].flatMap(asBytes))], {});
const kByteTokens = Object.keys(byteModel.vocab).length;
const kSpace = '\u2581';
const plain = [kSpace, ...'\nabstl12.!\'(-', 'é', 'न', '漢'];
const characterModel = model(
  ['<unk>', '<s>', '</s>', ...bytes.map((_, byte) =>
    `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`), ...plain], plain,
  {unk_token: '<unk>', byte_fallback: true, fuse_unk: true});

export const bases = {
  bytes: {
    version: '1.0', truncation: null, padding: null, post_processor: null, normalizer: null,
    added_tokens: [special(kByteTokens, '<|endoftext|>')],
    pre_tokenizer: {type: 'ByteLevel', add_prefix_space: false, trim_offsets: true,
    use_regex: true},
    decoder: {type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true},
    model: byteModel,
  },
  characters: {
    version: '1.0', truncation: null, padding: null, post_processor: null, pre_tokenizer: null,
    added_tokens: [special(0, '<unk>'), special(1, '<s>'), special(2, '</s>')],
    normalizer: {type: 'Sequence', normalizers: [{type: 'Prepend', prepend: kSpace},
      {type: 'Replace', pattern: {String: ' '}, content: kSpace}]},
    decoder: {type: 'Sequence', decoders: [
      {type: 'Replace', pattern: {String: kSpace}, content: ' '}, {type: 'ByteFallback'},
      {type: 'Fuse'}, {type: 'Strip', content: ' ', start: 1, stop: 0}]},
    model: characterModel,
  },
};

const regex = (pattern, behavior = 'Isolated', invert = false) =>
  ({type: 'Split', pattern: {Regex: pattern}, behavior, invert});
const string = (pattern, behavior, invert) =>
  ({type: 'Split', pattern: {String: pattern}, behavior, invert});
const byteLevel = (use_regex, add_prefix_space = false) =>
  ({type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex});
const cut = (...steps) => ({pre_tokenizer: {type: 'Sequence', pretokenizers: steps}});
const digits = (individual_digits) => ({type: 'Digits', individual_digits});
const punctuation = (behavior) => ({type: 'Punctuation', behavior});
const metaspace = (prepend_scheme, split) =>
  ({type: 'Metaspace', replacement: kSpace, prepend_scheme, split});
const normal = (...normalizers) => ({normalizer: {type: 'Sequence', normalizers}});
const replace = (pattern, content) => ({type: 'Replace', pattern, content});

const kLlama3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|" +
  " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const kQwen2 = kLlama3.replace('{1,3}', '');
const kO200k = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+' +
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+" +
  "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|" +
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const kBehaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

// Each is a base, and a merge patch (RFC 7386) to it.
export const variants = [
  ['gpt2', 'bytes', {}],
  ['gpt2, space before the text', 'bytes', {pre_tokenizer: byteLevel(true, true)}],
  ['gpt-neox', 'bytes', {...normal({type: 'NFC'}), added_tokens: [
    special(kByteTokens, '<|endoftext|>'), added(kByteTokens + 1, '   '),
    added(kByteTokens + 2, '  ')]}],
  ['llama 3', 'bytes', {...cut(regex(kLlama3), byteLevel(false)), model: {ignore_merges: true,
    vocab: {'\u0120ab12': kByteTokens, 'ab\u0120': kByteTokens + 1, '123': kByteTokens + 2}},
  added_tokens: [special(kByteTokens + 3, '<|endoftext|>')]}],
  ['qwen 2', 'bytes', {...normal({type: 'NFC'}), ...cut(regex(kQwen2), byteLevel(false))}],
  ['gpt-4o', 'bytes', cut(regex(kO200k, 'Removed', true), byteLevel(false))],
  ['deepseek v3', 'bytes', {...cut(regex('\\p{N}{1,3}'), regex('[一-龥\u3040-ゟ゠-ヿ]+'),
    regex('[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}' +
      '\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'), byteLevel(false)),
  added_tokens: [special(kByteTokens, '<｜end▁of▁sentence｜>'),
    special(kByteTokens + 1, '<|endoftext|>')]}],
  ['deepseek coder', 'bytes', cut(regex('[\r\n]'), regex('\\s?\\p{L}+'), regex('\\s?\\p{P}+'),
    regex('[一-龥ࠀ-一가-퟿]+'), digits(true), regex('\\s+$'), byteLevel(false))],
  ['bloom', 'bytes', cut(regex(' ?[^(\\s|[.,!?…。，、।۔،])]+'), byteLevel(false))],
  ['starcoder', 'bytes', cut(digits(true), byteLevel(true))],
  ['digits together', 'bytes', cut(digits(false), byteLevel(true))],
  ['falcon', 'bytes', cut(punctuation('Contiguous'), byteLevel(true), digits(false),
    regex('[0-9][0-9][0-9]'))],
  ...kBehaviors.map((behavior) => [`punctuation ${behavior}`, 'bytes',
    cut(punctuation(behavior), byteLevel(false))]),
  ...kBehaviors.flatMap((behavior) => [false, true].flatMap((invert) => [
    [`split ${behavior} ${invert}`, 'bytes', cut(regex('[a1]| +', behavior, invert),
    byteLevel(false))],
    [`split at a string ${behavior} ${invert}`, 'bytes',
      cut(string('. ', behavior, invert), byteLevel(false))]])),
  ['white space', 'bytes', cut({type: 'WhitespaceSplit'}, byteLevel(false))],
  ['words', 'bytes', cut({type: 'Whitespace'}, byteLevel(false))],
  ['sets of characters', 'bytes', cut(regex('[\\p{L}&&[^\\p{Han}s]]+|[a-z&&[^t]\\d]'),
    byteLevel(false))],
  ['words of letters and marks', 'bytes', cut(regex('\\w+'), byteLevel(false))],
  ['hexadecimal digits', 'bytes', cut(regex('\\h+'), byteLevel(false))],
  ['matches of nothing', 'bytes', cut(regex('(?=l)|(?<=a)|1*'), byteLevel(false))],
  ['an empty pattern', 'bytes', cut(string('', 'Isolated', false), byteLevel(false))],
  ['possessive', 'bytes', cut(regex("[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|(?>a|ab)b|\\s++$|(?<!a)b"),
    byteLevel(false))],
  ['brackets', 'bytes', cut(regex('[[:alpha:]]+|[^[:^space:]]+|[[:word:]&&[^_]]'),
    byteLevel(false))],
  ['lines', 'bytes', cut(regex('^.|.$|(?m:\\..)|\\X'), byteLevel(false))],
  ['groups', 'bytes', cut(regex('(?<x>a|b)\\k<x>|(?i:SS)|(?~12)|\\G1'), byteLevel(false))],
  ...['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents'].map((type) =>
    [type, 'bytes', {normalizer: {type}}]),
  ['strip', 'bytes', {normalizer: {type: 'Strip', strip_left: true, strip_right: true}}],
  ['replaced', 'bytes', normal(replace({Regex: '\\s{2,}'}, ' '), replace({String: '.'}, '$1!'),
    replace({Regex: '(?<=a)b'}, "'"), {type: 'NFD'}, {type: 'StripAccents'})],
  ['added tokens', 'bytes', {...normal({type: 'NFC'}), added_tokens: [
    special(kByteTokens, '<|endoftext|>', {lstrip: true, rstrip: true}),
    special(kByteTokens + 1, '<|end', {}), added(byteModel.vocab.ab, 'ab', {single_word: true}),
    added(kByteTokens + 2, 'e\u0301', {}), added(kByteTokens + 3, 'é!', {normalized: false}),
    added(byteModel.vocab['12'], '12', {lstrip: true}),
    added(byteModel.vocab['.'], '.', {rstrip: true})]}],
  ['added tokens in lower case', 'bytes', {normalizer: {type: 'Lowercase'}, added_tokens: [
    special(kByteTokens, '<|endoftext|>'), added(kByteTokens + 1, 'AB'),
    added(kByteTokens + 2, 'SS', {normalized: false})]}],
  ['gaps between the ids', 'bytes', {model: {vocab: {'aba': kByteTokens + 40,
    '<|endoftext|>': kByteTokens + 20}, merges: [...byteModel.merges, ['ab', 'a']]},
  added_tokens: [special(kByteTokens + 20, '<|endoftext|>')]}],
  ['llama 2', 'characters', {}],
  ['llama 2, no normalizer', 'characters', {normalizer: null, pre_tokenizer: metaspace('first',
    false)}],
  ['metaspace', 'characters', {normalizer: null, pre_tokenizer: metaspace('always', true)}],
  ['metaspace, nothing before', 'characters', {normalizer: null, pre_tokenizer: metaspace('never',
    true)}],
  ['gemma', 'characters', {normalizer: replace({String: ' '}, kSpace),
    pre_tokenizer: string(kSpace, 'MergedWithPrevious', false)}],
  ['unknown characters', 'characters', {model: {byte_fallback: false, fuse_unk: false}}],
  ['unknown characters, fused', 'characters', {model: {byte_fallback: false}}],
];

export function patched(target, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result = {...(target ?? {})};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = patched(result[key], value);
  }
  return result;
}

export const texts = [
  '', ' ', '   ', 'ab', ' ab', '  ab  ', 'ab  ab\n\n  ab\r\n\tab ', "ab's AB'S bat'll it'd 'tis",
  '12 123 1234 ab12 1.2 (1-2) -12', 'a.b. !! (a) a-b ab...!?\nab .', '. . a. b', '\n\n\n a \n \n',
  'éa e\u0301a नमस्ते नम न', '漢字 ab漢字12 かな カナ ハンガル 한국어', '١٢٣ ½Ⅳ²³ ①a',
  '\u3000a\u00a0b\u2003 \u200b\u180e\u0085c', 'a\u200db\u200cab', '😀a👩‍👧b🇩🇪',
    '\u0000a\u0001\u001b\u007f',
  'a<|endoftext|>b', 'a  <|endoftext|>  b\n<|end<|endoftext|>', '<｜end▁of▁sentence｜>a',
  'ab,ab abab éab abé ab\u200d ab!', 'é! e\u0301! é!é',
    'ﬁ ﬀ Å \u212b ẛ\u0323 \u1e9b\u0323 İstanbul ΣΑΣ ẞ',
  'a\u0323\u0301\u0301\u0323b a\u0301\u0323', '▁a ▁ a▁▁b', '<s>ab</s> ab<unk><0x41>',
    'a.  \n\n . b', 'dead beef fa9',
  'HTTPServer camelCase ABab aB', '«ab» “a” …ab、ab。', 'abacab\taab  12\n',
    'x'.repeat(70) + '  ' + 'ab'.repeat(40),
];

// Texts of characters that tokenizers treat specially, always the same for one seed.
export function randomTexts(count, seed) {
  const favourites = [...' \n\r\tabstl12.!\'(-,_éनम漢字かカSTßΣ½Ⅳ²٣①ﬁ😀', '  ', '\n\n', '\u0301',
    '\u0323', '\u200d',
    '\u00a0', '\u3000', '\u0085', '\u2581', "'s", "'LL", 'ab', ' ab', '123', '<|endoftext|>',
    '</s>'];
  let state = seed + 1;
  const random = (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  return Array.from({length: count}, () => Array.from({length: random(40)},
    () => favourites[random(favourites.length)]).join(''));
}

// Constructs of regular expressions, valid ones and others.
export const constructs = [
  '[\\p{L}&&[^\\p{Han}]]+', '\\w+', '\\h+', '(?=l)|e', '', '(?i:ß)', 'x*',
    '[[:alpha:]]+|[[:punct:]]+',
  '[[:foo:]]', '(', '[a', '\\p{Foo}', '\\X', '\\s+$', '(?~ab)', '\\R', '\\R+', '\\O+', 'a{,2}',
    '(?i)k',
  '(?i:[k-s])', '[^\\W\\d]', '\\p{^L}', '\\P{L}', '\\p{Script=Han}', '\\p{Hiragana}',
    '\\p{InGreek}',
  '\\p{Emoji}', '[[:^space:]]', '\\b', '\\B', '\\y', '(?<!a)b', '(?<=a|bc)d', '(?<=a+)b',
    '(?>a|ab)c', '\\Aa',
  'a\\z', 'a\\Z', '\\Ga', '(a)\\1', '(?<x>a)\\k<x>', '((a)|b)(?(1)c|d)', '(*FAIL)|a', '\\x{41}',
    '\\u0041',
  '\\u{41}', '\\x41', '\\101', '\\cA', '\\e', '\\v', '[\\h]', '[a-\\d]', '[]a]', '[^]a]',
    '[a&&b]', 'a{2,1}',
  'a**', 'a?+', '*a', '+', '{', 'a{', 'a)', '\\', '(?#c)a', '(?x) a b', '(?W)\\w', '(?u)\\w',
    '(?s).', '(?m).+',
  '(?y{g})\\X', '(?I)a', '(?P<n>a)', '(?|a|b)', '\\Q.\\E', '(?-i:a)', '[[:word:]]+', '[[.a.]]',
    '[a[^b]c]',
  '\\N', '\\K', 'a\\Kb', '(?=(a))\\1', '(?!)|b', '^$', '$', '^', '\\p{Nd}+', '\\p{Zs}', '\\p{Any}',
  '\\p{Punct}+', '[[:print:]]+', '[[:graph:]]+', '[[:cntrl:]]', '[[:xdigit:]]+', '[[:blank:]]',
    '\\S++',
];
