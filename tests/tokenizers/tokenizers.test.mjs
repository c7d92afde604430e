// The program's tokens beside those of Hugging Face's own tokenizers, for every variant: of texts
// whose ids are recorded, and of random ones.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {promisify} from 'node:util';
import {idsOf} from './oracle.mjs';
import {bases, constructs, patched, randomTexts, texts, variants} from './variants.mjs';

const kEbt = process.env.EBT;
assert.ok(kEbt, 'EBT must name the program');
const kRandomTexts = Number(process.env.RANDOM_TEXTS ?? 10);
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'tokenizers-'));
after(() => rmSync(folder, {recursive: true}));
const recorded = JSON.parse(readFileSync(new URL('../golden/tokenizers.json', import.meta.url)));

// The ids of each text by the program.
async function idsOfProgram(tokenizer, all) {
  const file = join(folder, 'tokenizer.json');
  writeFileSync(file, JSON.stringify(tokenizer));
  const ids = [];
  for (const text of all) {
    writeFileSync(join(folder, 'text'), text);
    const {stdout} = await run(kEbt, ['tokenizer', 'encode', '--tokenizer', file, '--file',
      join(folder, 'text'), '--json'], {maxBuffer: 1 << 26});
    ids.push(JSON.parse(stdout).tokens);
  }
  return ids;
}

for (const [index, [name, base, patch]] of variants.entries()) {
  test(name, async () => {
    const tokenizer = patched(bases[base], patch);
    const all = [...texts, ...randomTexts(kRandomTexts, index)];
    const expected = await idsOf(tokenizer, all);
    assert.deepEqual(recorded.variants[index].ids, expected.slice(0, texts.length),
      'the recorded ids are old: npm run record');
    const ids = await idsOfProgram(tokenizer, all);
    for (const [i, text] of all.entries()) {
      assert.deepEqual(ids[i], expected[i], `${JSON.stringify(text)}`);
    }
  });
}

// Whatever a pattern means: it means the same, or it is refused by a sentence that names it.
test('patterns are read as Oniguruma does, or refused', async () => {
  for (const pattern of constructs) {
    const split = {type: 'Split', pattern: {Regex: pattern}, behavior: 'Isolated', invert: false};
    const tokenizer = patched(bases.bytes, {pre_tokenizer: {type: 'Sequence',
      pretokenizers: [split, {type: 'ByteLevel', add_prefix_space: false,
        trim_offsets: true, use_regex: false}]}});
    const text = texts.join('\n');
    const ids = await idsOfProgram(tokenizer, [text]).catch((error) => {
      assert.match(error.stderr, /has a regular expression (that is none|with .* not supported)/,
        pattern);
      return null;
    });
    const expected = await idsOf(tokenizer, [text]).catch(() => null);
    if (ids !== null) assert.deepEqual(ids, expected, pattern);
  }
});
