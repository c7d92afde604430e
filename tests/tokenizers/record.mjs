// Records the ids in tests/golden/tokenizers.json, which bpe_golden_test.cpp checks without npm.
import {writeFileSync} from 'node:fs';
import {idsOf} from './oracle.mjs';
import {bases, patched, texts, variants} from './variants.mjs';

const recorded = [];
for (const [name, base, patch] of variants) {
  recorded.push({name, base, patch, ids: await idsOf(patched(bases[base], patch), texts)});
}
const lines = recorded.map((entry) => JSON.stringify(entry)).join(',\n');
writeFileSync(new URL('../golden/tokenizers.json', import.meta.url),
  `{"bases": ${JSON.stringify(bases)},\n"texts": ${JSON.stringify(texts)},\n"variants": [\n${lines}]}\n`);
