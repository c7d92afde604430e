// The energy of every patch of an image: {rows, columns, patch, values}, coloured by eight levels.
import {count, significant} from './format.js';
import {levelOf, quantile} from './scale.js';

// The range of one or several maps: its ends are the 2nd and 98th percentile, so that one outlier
// does not bleach the rest.
export function mapScale(maps) {
  const values = maps.flatMap((map) => map.values).filter(Number.isFinite).sort((a, b) => a - b);
  if (values.length === 0) return null;
  return {low: quantile(values, 0.02), high: quantile(values, 0.98)};
}

// From 0 (low) to 7; a value that is no number counts as the highest.
export function mapLevel(value, {low, high}) {
  if (!Number.isFinite(value)) return levelOf(1);
  return high > low ? levelOf((value - low) / (high - low)) : levelOf(0.5);
}

// The index of the patch at a pixel, or null outside of the map.
export function patchAt({rows, columns, patch}, x, y) {
  const row = Math.floor(y / patch);
  const column = Math.floor(x / patch);
  return row >= 0 && row < rows && column >= 0 && column < columns ? row * columns + column : null;
}

// Where an arrow key leads from a patch, or null for other keys.
export function patchAfter({rows, columns}, index, key) {
  const row = Math.floor(index / columns);
  const column = index % columns;
  const [down, right] = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
                         Home: [0, -columns], End: [0, columns]}[key] ?? [null];
  if (down === null) return null;
  const clamp = (value, count) => Math.min(Math.max(value, 0), count - 1);
  return clamp(row + down, rows) * columns + clamp(column + right, columns);
}

export function describePatch(map, index) {
  const row = Math.floor(index / map.columns) + 1;
  const column = index % map.columns + 1;
  return `energy ${significant(map.values[index])} in row ${row}, column ${column}`;
}

const kWhere = [['top left', 'top', 'top right'], ['left', 'middle', 'right'],
                ['bottom left', 'bottom', 'bottom right']];

// In words: how many patches, their range, and where the highest is.
export function describeMap(map) {
  let lowest = 0;
  let highest = 0;
  map.values.forEach((value, i) => {
    if (value < map.values[lowest]) lowest = i;
    if (value > map.values[highest]) highest = i;
  });
  const third = (at, count) => Math.min(2, Math.floor(3 * (at + 0.5) / count));
  const where = kWhere[third(Math.floor(highest / map.columns), map.rows)][
      third(highest % map.columns, map.columns)];
  return `Energy of ${count(map.rows)} × ${count(map.columns)} patches, from ` +
      `${significant(map.values[lowest])} to ${significant(map.values[highest])}, ` +
      `highest at the ${where}`;
}
