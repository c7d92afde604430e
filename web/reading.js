// How much of a prompt a model reads: the end of it that fits its context.
import {ServerError, tokensOf, textOfTokens} from './api.js';

// Whether a text may be too long for a context: a token is a byte at least.
export const isLong = (text, context) => new TextEncoder().encode(text).length >= context;

// {total, read, unread}: tokens, and the part of `text` that is not read, or null where that is not
// known. Null where all of it is read. `asked` is the prompt or the messages of a request.
export async function readingOf(asked, text, context, token) {
  if (!isLong(text, context)) return null;
  try {
    const {tokens} = await tokensOf(asked, token);
    if (tokens.length <= context) return null;
    const read = (await textOfTokens(tokens.slice(-context), token)).replace(/^\ufffd+/, '');
    return {total: tokens.length, read: context,
            unread: text.endsWith(read) ? text.slice(0, text.length - read.length) : null};
  } catch (error) {
    if (error instanceof ServerError) return null;  // the request itself says what is wrong
    throw error;
  }
}
