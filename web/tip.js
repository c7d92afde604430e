// A small box of numbers above what is pointed at. Its words are in the element's label too, so
// screen readers are not given them twice.
export function makeTip(box) {
  return {
    show(target, text) {
      box.textContent = text;
      box.hidden = false;
      const at = target.getClientRects()[0] ?? target.getBoundingClientRect();
      const left = Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8);
      const above = at.top - box.offsetHeight - 8;
      box.style.left = `${Math.max(8, left) + scrollX}px`;
      box.style.top = `${(above > 0 ? above : at.bottom + 8) + scrollY}px`;
    },
    hide() {
      box.hidden = true;
    },
  };
}
