// Images on their panes: pixels on a canvas, and the map of energies on a second one above it.
import {describeMap, describePatch, mapLevel, patchAfter, patchAt} from './energy_map.js';
import {kLevels} from './scale.js';
import {scaledSize} from './source.js';

const kSmall = 400;  // pixels; below them single ones are to be seen

// Shows `picture`, something that can be drawn, in its own proportions.
function draw(canvas, picture, {width, height}) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.getContext('2d').drawImage(picture, 0, 0, width, height);
}

function fit(frame, {width, height}) {
  frame.style.maxWidth = `calc(var(--tall) * ${(width / height).toFixed(4)})`;
  frame.classList.toggle('small', Math.max(width, height) < kSmall);
}

// A frame that holds a canvas; `update(picture, label)` shows one, with `most` pixels on its longer
// side: a photo has more than some browsers have canvas for.
export function makePicture(frame, most = Infinity) {
  const canvas = frame.querySelector('canvas');
  let shown = null;
  return {
    update(picture, label) {
      canvas.hidden = !picture;
      if (!picture) {
        shown = null;
        return;
      }
      canvas.setAttribute('aria-label', label);
      if (picture === shown) return;
      shown = picture;
      draw(canvas, picture, scaledSize(picture, most));
      fit(frame, picture);
    },
  };
}

// The map above a picture. A patch that is pointed at, or reached by the arrow keys, tells its
// energy: to `tip`, and in words to `say`.
export function makeOverlay(canvas, {tip, say}) {
  let map = null;
  let scale = null;
  let at = null;  // index of a patch
  let drawn = null;

  const colour = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();

  function place(index) {
    const {patch, columns} = map;
    return [index % columns * patch, Math.floor(index / columns) * patch, patch, patch];
  }

  function paint() {
    const context = canvas.getContext('2d');
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!map) return;
    // The lowest level has no colour of its own; on a bright image that would look like the most.
    const colours = Array.from({length: kLevels}, (_, level) => colour(level === 0 ? '--ground' : `--u${level}`));
    map.values.forEach((value, index) => {
      context.fillStyle = colours[mapLevel(value, scale)];
      context.fillRect(...place(index));
    });
    if (at !== null) {
      const [left, top, width, height] = place(at);
      context.strokeStyle = colour('--accent');
      context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
    }
  }

  function tell() {
    const box = canvas.getBoundingClientRect();
    const zoom = box.width / canvas.width;
    const [left, top, width, height] = place(at);
    const rect = new DOMRect(box.left + zoom * left, box.top + zoom * top, zoom * width, zoom * height);
    tip.show({getClientRects: () => [rect]}, describePatch(map, at));
  }

  function look(index) {
    if (index === at) return;
    at = index;
    paint();
    if (at === null) tip.hide();
    else tell();
  }

  for (const type of ['pointerdown', 'pointermove']) {
    canvas.addEventListener(type, (event) => {
      if (!map) return;
      const zoom = canvas.width / canvas.clientWidth;
      look(patchAt(map, event.offsetX * zoom, event.offsetY * zoom));
    });
  }
  // A finger that is lifted has left, but what it touched is to be read.
  canvas.addEventListener('pointerleave', (event) => {
    if (event.pointerType !== 'touch') look(null);
  });
  canvas.addEventListener('pointercancel', () => look(null));
  canvas.addEventListener('blur', () => look(null));
  canvas.addEventListener('keydown', (event) => {
    const next = map ? patchAfter(map, at ?? 0, event.key) : null;
    if (next === null) return;
    event.preventDefault();
    look(at === null ? 0 : next);
    say(describePatch(map, at));
  });

  return {
    // `new_map` null hides it; `picture` is what lies below.
    update(new_map, new_scale, picture, opacity) {
      canvas.hidden = !new_map;
      canvas.style.opacity = opacity;
      const key = new_map ? `${new_scale.low} ${new_scale.high}` : '';
      if (new_map === map && key === drawn) return;
      [map, scale, drawn] = [new_map, new_scale, key];
      if (at !== null && at >= (map?.values.length ?? 0)) look(null);
      if (!map) return;
      canvas.width = picture.width;
      canvas.height = picture.height;
      canvas.setAttribute('aria-label', `${describeMap(map)}; arrow keys walk through them`);
      paint();
      if (at !== null) tell();
    },
    redraw: paint,
  };
}
