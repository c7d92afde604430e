// The running server that clients are tested on, at BASE_URL: a tiny model of bytes whose context is
// 256 tokens, behind a bearer token. Texts are whatever such a model writes; what is tested is that
// unmodified clients and the server understand each other.
import assert from 'node:assert/strict';

export const kBase = process.env.BASE_URL;
assert.ok(kBase, 'BASE_URL must name the server, with a slash at its end');
export const kKey = 'secret';

// Status and body of an answer, as a client without a library asks.
export async function ask(path, body) {
  const headers = {Authorization: `Bearer ${kKey}`, 'Content-Type': 'application/json'};
  const options = body === undefined ? {headers} : {method: 'POST', headers, body: JSON.stringify(body)};
  const response = await fetch(kBase + path, options);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}
export const askJson = async (path, body) => JSON.parse(await ask(path, body));

export const kModel = (await askJson('v1/models')).data[0].id;

export async function metric(name) {
  const line = (await ask('metrics')).split('\n').find((line) => line.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1));
}

export async function until(condition) {
  for (let i = 0; i < 200; ++i) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}

// The error of a promise that must fail.
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('expected an error');
}
