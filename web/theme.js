// Light, dark, or as the system wishes; remembered where the browser allows it.
const kThemes = ['auto', 'light', 'dark'];
const kNames = {auto: 'Auto', light: 'Light', dark: 'Dark'};
const kKey = 'ebt-theme';

function remembered() {
  try {
    return localStorage.getItem(kKey);
  } catch {
    return null;
  }
}

export function makeTheme(button, on_change) {
  let theme = kThemes.includes(remembered()) ? remembered() : 'auto';
  function apply() {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.querySelector('span').textContent = kNames[theme];
    button.setAttribute('aria-label', `Colours: ${kNames[theme]}`);
    on_change();
  }
  button.addEventListener('click', () => {
    theme = kThemes[(kThemes.indexOf(theme) + 1) % kThemes.length];
    try {
      localStorage.setItem(kKey, theme);
    } catch { /* it is forgotten with the page */ }
    apply();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', on_change);
  apply();
}
