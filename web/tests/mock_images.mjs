// The part of the double that cleans images: PNGs that are made up, of the size of what was sent,
// and less noisy with every step.
import {deflateSync} from 'node:zlib';

export const kFakeImageModel = {
  kind: 'image', width: 32, height: 32, channels: 3, patch: 4, trained_sigma: 43, max_steps: 256,
  max_body: 16777216, max_pixels: 4194304, max_history: 33554432};

function checksum(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; ++bit) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(checksum(body), body.length + 4);
  return whole;
}

// `pixel(x, y)` gives [red, green, blue].
export function makePng(width, height, pixel) {
  const rows = Buffer.alloc(height * (3 * width + 1));
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) rows.set(pixel(x, y), y * (3 * width + 1) + 1 + 3 * x);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header),
                        chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

// {width, height} of a PNG. Throws for other files.
export function pngSize(file) {
  if (file.toString('latin1', 12, 16) !== 'IHDR') throw new Error('The image is neither a PNG nor a JPEG image.');
  return {width: file.readUInt32BE(16), height: file.readUInt32BE(20)};
}

function shade(x, y, seed) {
  const sum = Math.imul(x * 7919 + y * 104729 + seed * 31, 2654435761) >>> 0;
  return sum / 2 ** 32 - 0.5;
}

function picture({width, height}, noise, seed) {
  return makePng(width, height, (x, y) => [0, 1, 2].map((channel) => {
    const clean = 128 + 90 * Math.sin(x / 9 + channel) * Math.cos(y / 11);
    return Math.min(255, Math.max(0, Math.round(clean + noise * shade(x, y, seed + channel))));
  }));
}

function fakeMap({width, height}, step) {
  const {patch} = kFakeImageModel;
  const map = {rows: Math.ceil(height / patch), columns: Math.ceil(width / patch), patch, values: []};
  for (let i = 0; i < map.rows * map.columns; ++i) {
    map.values.push(Number(((0.2 + 0.5 * (shade(i, 1, 5) + 0.5)) * 0.5 ** step).toPrecision(6)));
  }
  return map;
}

// All events of the answer to a file, with the parameters of its query.
export function fakeDenoising(file, query, arch) {
  const size = pngSize(file);
  const steps = Number(query.steps ?? 3);
  const sigma = Number(query.sigma ?? 0);
  const events = [];
  const summary = {object: 'image.denoised', created: 0, model: 'mist', ...size, tiles: 6, steps,
                   steps_per_tile: steps, timestep: 99, sigma: sigma || 43, seconds: 0.5};
  for (let step = 0; step <= steps; ++step) {
    const state = {object: 'image.step', step};
    if (arch === 'ebt') {
      state.patch_energy = fakeMap(size, step);
      state.energy = state.patch_energy.values.reduce((sum, value) => sum + value, 0) /
          state.patch_energy.values.length;
    }
    if (sigma > 0) state.psnr = 20 + 3 * step;
    state.b64_json = picture(size, 200 * 0.5 ** step, Number(query.seed ?? 0)).toString('base64');
    events.push({object: 'image.progress', done: (step + 0.5) / (steps + 1)}, state);
  }
  return [...events, summary];
}
