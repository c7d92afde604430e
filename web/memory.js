// What a form says, kept for this tab: a reload loses nothing. Where the browser keeps nothing for
// pages, the form begins anew.

const kPassedOver = ['submit', 'button', 'file', 'password'];

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function write(key, values) {
  try {
    sessionStorage.setItem(key, JSON.stringify(values));
  } catch { /* it is forgotten with the page */ }
}

// Fills in the fields that were kept, as if someone did, and keeps what is changed from now on.
export function rememberFields(key, all) {
  const fields = [...all].filter(({id, type}) => id && !kPassedOver.includes(type));
  const property = (field) => field.type === 'checkbox' ? 'checked' : 'value';
  const kept = read(key);
  for (const field of fields) {
    if (!(field.id in kept)) continue;
    field[property(field)] = kept[field.id];
    field.dispatchEvent(new Event('input'));
  }
  const keep = () =>
      write(key, Object.fromEntries(fields.map((field) => [field.id, field[property(field)]])));
  for (const field of fields) field.addEventListener('input', keep);
}
