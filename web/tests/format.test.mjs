import assert from 'node:assert/strict';
import test from 'node:test';
import {count, decibels, percent, runningText, signed, significant, tokenName} from '../format.js';

const byte = (value) => ({token: value, text: Buffer.from([value]).toString('utf8'), bytes: [value]});

test('numbers have real minus signs and few digits', () => {
  assert.equal(signed(-3.14159), '−3.14');
  assert.equal(signed(-13.16), '−13.2');
  assert.equal(signed(-0.001), '0.00');
  assert.equal(signed(1234.5), '1235');
  assert.equal(signed(NaN), '?');
  assert.equal(percent(0.8312), '83\u202f%');
  assert.equal(percent(0.0001), '<0.1\u202f%');
  assert.equal(percent(0), '0\u202f%');
  assert.equal(count(1234567), '1\u202f234\u202f567');
});

test('numbers of any size keep the digits that count', () => {
  assert.equal(significant(0.00123456), '0.00123');
  assert.equal(significant(-12345.6), '−12300');
  assert.equal(significant(2.5), '2.5');
  assert.equal(significant(-0), '0');
  assert.equal(significant(NaN), '?');
  assert.equal(decibels(31.256), '31.26\u202fdB');
  assert.equal(decibels(null), '∞\u202fdB');
});

test('a token that stands alone shows its blanks and stray bytes', () => {
  assert.equal(tokenName({token: 5, text: ' the', bytes: [32, 116, 104, 101]}), '␣the');
  assert.equal(tokenName(byte(10)), '↵');
  assert.equal(tokenName(byte(0xe2)), '‹E2›');
  assert.equal(tokenName(byte(26)), '␚');
  assert.equal(tokenName(byte(127)), '␡');
  assert.equal(tokenName({token: 256, text: '', bytes: []}), '‹256›');
  assert.equal(tokenName({token: 7, text: '\ufffd'}), '‹7›');
});

test('the token that completes a character shows it', () => {
  const pieces = runningText([...Buffer.from('aï€!')].map(byte));
  assert.deepEqual(pieces.map(({text}) => text), ['a', 'C3', 'ï', 'E2', '82', '€', '!']);
  assert.deepEqual(pieces.map(({kind}) => kind),
                   ['text', 'bytes', 'text', 'bytes', 'bytes', 'text', 'text']);
});

test('stray bytes do not hide the characters around them', () => {
  const pieces = runningText([0xff, 0xc3, 0x41, 0xc3, 0xaf, 0x82, 0x42].map(byte));
  assert.deepEqual(pieces.map(({text}) => text), ['FF', 'C3', 'A', 'C3', 'ï', '82', 'B']);
});

test('characters that draw nothing stand as bytes, but lines and columns remain', () => {
  const pieces = runningText([0x1a, 0x0a, 0x09, 0x00].map(byte));
  assert.deepEqual(pieces.map(({text}) => text), ['1A', '\n', '\t', '00']);
  assert.deepEqual(pieces.map(({kind}) => kind), ['bytes', 'text', 'text', 'bytes']);
});

test('a token without text is marked', () => {
  assert.deepEqual(runningText([{token: 256, text: '', bytes: []}]), [{text: '‹256›', kind: 'mark'}]);
});
