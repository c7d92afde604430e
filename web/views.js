// What can be watched: texts, images, or one of them, by the models that are served.
import {count} from './format.js';

const element = (id) => document.getElementById(id);
const kNames = ['text', 'image'];

// A model in one line, after its name.
export function describeModel({ebt}) {
  if (ebt.kind === 'image') {
    return `${ebt.thinks ? 'Energy-Based Transformer of images' : 'DiT'} · ` +
        `tiles of ${ebt.width} × ${ebt.height} pixels, ${ebt.channels === 1 ? 'grey' : 'colour'} · ` +
        `patches of ${ebt.patch} × ${ebt.patch}`;
  }
  return `${ebt.thinks ? `Energy-Based Transformer, ${ebt.type}` : 'Transformer++'} · ` +
      `vocabulary ${count(ebt.vocab_size)} · context ${count(ebt.context)}`;
}

export function makeViews() {
  let models = {};

  function show(name) {
    for (const other of kNames) {
      const shown = other === name;
      element(`view-${other}`).hidden = !shown;
      element(`tab-${other}`).setAttribute('aria-selected', shown);
      element(`tab-${other}`).tabIndex = shown ? 0 : -1;
    }
    const bold = Object.assign(document.createElement('b'), {textContent: models[name].id});
    element('model').replaceChildren(bold, ` · ${describeModel(models[name])}`);
    element('skip').href = name === 'text' ? '#written' : '#cleaned';
    element('skip').textContent = name === 'text' ? 'Skip to the text' : 'Skip to the image';
  }

  for (const [i, name] of kNames.entries()) {
    element(`tab-${name}`).addEventListener('click', () => show(name));
    element(`tab-${name}`).addEventListener('keydown', (event) => {
      if (!['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
      event.preventDefault();
      const other = kNames[1 - i];
      show(other);
      element(`tab-${other}`).focus();
    });
  }

  return {
    // `models`: {text, image}, either of which may be null.
    offer(new_models) {
      models = new_models;
      const both = Boolean(models.text && models.image);
      element('views').hidden = !both;
      for (const name of kNames) {
        const view = element(`view-${name}`);
        if (both) {
          view.setAttribute('role', 'tabpanel');
          view.setAttribute('aria-labelledby', `tab-${name}`);
        }
      }
      show(models.text ? 'text' : 'image');
    },
  };
}
