// The image that is to be cleaned: chosen, dropped or drawn, and what of it is sent.
import {count} from './format.js';
import {drawSample, kSampleName} from './sample.js';

// Whether the server reads a file as it is: a JPEG, or a PNG of 8 bits or more without a palette
// and without transparency. Others are sent as such a PNG.
export async function isReadAsItIs(file) {
  if (file.type !== 'image/png') return file.type === 'image/jpeg';
  const [bits, colours] = new Uint8Array(await file.slice(24, 26).arrayBuffer());
  return bits >= 8 && (colours === 0 || colours === 2);  // grey or RGB
}

// {name, width, height, picture, file}: a picture that can be drawn, and the file it came from if it
// can be sent, else null. Rejects with an Error whose message is for people.
export async function openImage(file) {
  try {
    const picture = await createImageBitmap(file);
    return {name: file.name, width: picture.width, height: picture.height, picture,
            file: await isReadAsItIs(file) ? file : null};
  } catch {
    throw new Error(`The browser cannot read “${file.name}” as an image.`);
  }
}

export function openSample() {
  const picture = drawSample();
  return {name: kSampleName, width: picture.width, height: picture.height, picture, file: null};
}

// How large an image becomes whose longer side may have `most` pixels: never enlarged.
export function scaledSize({width, height}, most) {
  const share = Math.min(1, most / Math.max(width, height));
  const scaled = (side) => Math.max(1, Math.round(side * share));
  return {width: scaled(width), height: scaled(height)};
}

// Why a server would refuse so many steps of an image of this size, whose limits these are; null where
// it would not.
export function refusal({width, height}, steps, {max_pixels, max_history}) {
  const size = `${count(width)} × ${count(height)} pixels`;
  if (width * height > max_pixels) {
    return `The image has ${size}, more than the ${count(max_pixels)} that this server takes: ` +
        'choose a smaller longest side.';
  }
  return width * height * steps > max_history
      ? `${count(steps)} steps of ${size} are more than this server keeps: choose fewer, or a smaller ` +
        'longest side.' : null;
}

// Every pixel becomes the luma of ITU-R BT.601.
export function makeGrey(pixels) {
  for (let i = 0; i < pixels.length; i += 4) {
    const luma = Math.round(0.299 * pixels[i] + 0.587 * pixels[i + 1] + 0.114 * pixels[i + 2]);
    pixels[i] = pixels[i + 1] = pixels[i + 2] = luma;
  }
}

// A file as people name it, without its ending.
export function cleanedName(name) {
  const stem = name.replace(/\.[^.]*$/, '').replace(/\s+/g, '-');
  return `${stem || 'image'}-cleaned.png`;
}

// A Blob of PNG or JPEG. What is transparent lies on white: models know no transparency.
export async function blobToSend(source, most, grey) {
  const {file} = source;
  if (most === Infinity && !grey && file) return file;
  const size = scaledSize(source, most);
  const canvas = Object.assign(document.createElement('canvas'), size);
  const context = canvas.getContext('2d', {alpha: false});
  context.fillStyle = '#fff';
  context.fillRect(0, 0, size.width, size.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(source.picture, 0, 0, size.width, size.height);
  if (grey) {
    const pixels = context.getImageData(0, 0, size.width, size.height);
    makeGrey(pixels.data);
    context.putImageData(pixels, 0, 0);
  }
  const blob = await new Promise((resolve) => {
    canvas.toBlob(resolve, 'image/png');
  });
  if (!blob) throw new Error(`The browser cannot make a PNG of ${size.width} × ${size.height} pixels.`);
  return blob;
}
