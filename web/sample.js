// An image to begin with, drawn here: smooth ground, sharp edges, thin lines and small dots, which
// noise hides in different ways.

export const kSampleName = 'the drawing';
const kWidth = 128;
const kHeight = 96;

function hill(context, colour, height, wave, phase) {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, kHeight);
  for (let x = 0; x <= kWidth; ++x) {
    context.lineTo(x, height + 7 * Math.sin(x / wave + phase) + 3 * Math.sin(2.3 * x / wave));
  }
  context.lineTo(kWidth, kHeight);
  context.fill();
}

function tree(context, x, y, size) {
  context.fillStyle = '#4a3526';
  context.fillRect(x - size / 12, y, size / 6, size / 2);
  context.fillStyle = '#1f4d3a';
  for (const [drop, half] of [[0, 0.28], [0.22, 0.36], [0.46, 0.44]]) {
    context.beginPath();
    context.moveTo(x, y - size * (1 - drop));
    context.lineTo(x - half * size, y - size * (0.52 - drop));
    context.lineTo(x + half * size, y - size * (0.52 - drop));
    context.fill();
  }
}

function house(context, x, y) {
  context.fillStyle = '#e9dcc3';
  context.fillRect(x, y, 26, 18);
  context.fillStyle = '#9c3b2e';
  context.beginPath();
  context.moveTo(x - 4, y);
  context.lineTo(x + 13, y - 13);
  context.lineTo(x + 30, y);
  context.fill();
  context.fillStyle = '#33414f';
  for (const left of [4, 16]) context.fillRect(x + left, y + 4, 6, 6);
  context.fillStyle = '#5d3f2b';
  context.fillRect(x + 11, y + 9, 4, 9);
}

// A canvas with the drawing.
export function drawSample() {
  const canvas = document.createElement('canvas');
  canvas.width = kWidth;
  canvas.height = kHeight;
  const context = canvas.getContext('2d', {alpha: false});
  const sky = context.createLinearGradient(0, 0, 0, 70);
  sky.addColorStop(0, '#5f93c9');
  sky.addColorStop(1, '#f4dcb8');
  context.fillStyle = sky;
  context.fillRect(0, 0, kWidth, kHeight);
  context.fillStyle = '#fff3c4';
  context.beginPath();
  context.arc(97, 22, 10, 0, 2 * Math.PI);
  context.fill();
  hill(context, '#7e90a8', 50, 17, 0.5);
  hill(context, '#67895f', 63, 24, 2.1);
  hill(context, '#8fb062', 76, 31, 4);
  house(context, 58, 62);
  tree(context, 22, 70, 34);
  tree(context, 40, 76, 22);
  tree(context, 110, 74, 30);
  context.strokeStyle = '#f3ead8';
  context.lineWidth = 1;
  for (let x = 86; x < 106; x += 4) context.strokeRect(x + 0.5, 80.5, 2, 10);
  context.fillStyle = '#d9483b';
  for (const [x, y] of [[12, 88], [19, 84], [27, 90], [35, 86], [46, 91], [54, 87]]) {
    context.fillRect(x, y, 2, 2);
  }
  return canvas;
}
