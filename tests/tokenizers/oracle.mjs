// What Hugging Face's own tokenizers make of texts.
import {createRequire} from 'node:module';

const {Tokenizer} = createRequire(import.meta.url)('tokenizers');

// The ids of each text, without those that a post-processor adds.
export async function idsOf(tokenizer, texts) {
  const made = Tokenizer.fromString(JSON.stringify(tokenizer));
  const all = [];
  for (const text of texts) {
    all.push((await made.encode(text, null, {addSpecialTokens: false})).getIds());
  }
  return all;
}
