// The energy of one token after every thinking step, recent tokens faint behind it. While tokens
// follow each other one axis holds them all; a token that was picked has the axis to itself, since
// its own fall may be small beside the heights of others. An image has a line alone.
import {signed} from './format.js';
import {lastStep} from './state.js';

const kRecent = 40;

// What is drawn: the token at the cursor, the steps that the chart spans, recent tokens.
export function chartContent(tokens, index, step, picked) {
  const token = tokens[index];
  const recent = tokens.slice(Math.max(0, index - kRecent), index + 1)
      .filter((other) => other !== token && other.states.length > 0)
      .map((other) => other.states.map((state) => state.energy));
  const energies = token.states.map((state) => state.energy);
  const span = Math.max(1, lastStep(token), ...recent.map((line) => line.length - 1));
  const others = token.candidate_energies.length > 1
      ? token.candidate_energies.filter((energy) => energy !== token.energy) : [];
  const all = [...energies, ...others, ...(picked ? [] : recent.flat())];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const pad = Math.max(0.06 * (high - low), 0.01);
  return {energies, step, span, recent, others, range: [low - pad, high + pad]};
}

// Of an image: a number after every step, of as many steps as will be taken.
export function imageChartContent(values, step, steps) {
  const known = values.filter(Number.isFinite);
  const low = Math.min(...known);
  const high = Math.max(...known);
  const pad = high > low ? 0.08 * (high - low) : 0.08 * Math.abs(high) || 1;
  return {energies: values, step, span: Math.max(1, steps), recent: [], others: [],
          range: [low - pad, high + pad]};
}

const kNothing = {energies: [0], step: 0, span: 1, recent: [], others: [], range: [-1, 1]};

const kOfTokens = {x_label: 'thinking steps', y_label: 'energy', nothing: 'No token yet', number: signed};

// Pixels that the numbers of the y axis take.
export function roomOf(numbers) {
  return Math.max(56, 14 + 7.5 * Math.max(0, ...numbers.map((number) => number.length)));
}

// `on_step(step)` hears of clicks; `nothing` is what the chart is called without content, `number`
// how its values are told.
export function makeChart(container, options) {
  const {on_step, x_label, y_label, nothing, number} = {...kOfTokens, ...options};
  let content = kNothing;

  const colour = (name) => getComputedStyle(container).getPropertyValue(name).trim();

  function line(plot, energies, upto = energies.length - 1) {
    const {ctx} = plot;
    ctx.beginPath();
    energies.slice(0, upto + 1).forEach((energy, step) => {
      ctx.lineTo(plot.valToPos(step, 'x', true), plot.valToPos(energy, 'y', true));
    });
    ctx.stroke();
  }

  function dot(plot, step, energy, radius, filled) {
    const {ctx} = plot;
    ctx.beginPath();
    ctx.arc(plot.valToPos(step, 'x', true), plot.valToPos(energy, 'y', true),
            radius * devicePixelRatio, 0, 2 * Math.PI);
    if (filled) ctx.fill();
    else ctx.stroke();
  }

  // Lines of recent tokens come and go, so they are not series of the chart but drawn below it.
  function draw_recent(plot) {
    const {ctx} = plot;
    ctx.save();
    const {left, top, width, height} = plot.bbox;
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.lineWidth = devicePixelRatio;
    ctx.lineJoin = 'round';
    ctx.strokeStyle = colour('--past');
    ctx.globalAlpha = Number(colour('--past-alpha'));
    for (const energies of content.recent) line(plot, energies);
    ctx.restore();
  }

  function draw_current(plot) {
    if (content === kNothing) return;
    const {ctx} = plot;
    const {energies, step, others} = content;
    ctx.save();
    ctx.lineJoin = 'round';
    ctx.strokeStyle = ctx.fillStyle = colour('--accent');
    ctx.lineWidth = 1.5 * devicePixelRatio;
    for (const energy of others) dot(plot, energies.length - 1, energy, 4, false);
    ctx.globalAlpha = 0.4;
    line(plot, energies);
    ctx.globalAlpha = 1;
    ctx.lineWidth = 2.5 * devicePixelRatio;
    line(plot, energies, step);
    for (let at = 0; at < step; ++at) dot(plot, at, energies[at], 3, true);
    dot(plot, step, energies[step], 6, true);
    ctx.restore();
  }

  const axis = (label, extra) => ({
    label, labelSize: 22, labelFont: '13px system-ui, sans-serif', font: '12px system-ui, sans-serif',
    stroke: () => colour('--quiet'), grid: {stroke: () => colour('--grid'), width: 1},
    ticks: {show: false}, ...extra,
  });
  const size = () => ({width: container.clientWidth, height: container.clientHeight});
  const plot = new uPlot({
    ...size(),
    legend: {show: false},
    cursor: {y: false, points: {show: false}, drag: {x: false, y: false}},
    scales: {x: {time: false, range: () => [-0.15, content.span + 0.15]},
             y: {range: () => content.range}},
    axes: [
      axis(x_label, {size: 28, space: 34,
        incrs: [1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 100, 200, 500, 1000]}),
      axis(y_label, {size: (_, values) => roomOf(values ?? []), values: (_, values) => values.map((value) =>
          (value < 0 ? '−' : '') + Math.abs(Number(value.toPrecision(6))))}),
    ],
    series: [{}, {show: true, stroke: 'transparent', points: {show: false}}],
    hooks: {
      drawAxes: [draw_recent],
      draw: [draw_current],
      ready: [(self) => self.over.addEventListener('click', () => {
        if (content !== kNothing && self.cursor.idx !== null) on_step(self.cursor.idx);
      })],
    },
  }, [[0], [null]], container);
  new ResizeObserver(() => plot.setSize(size())).observe(container);

  return {
    update(new_content) {
      content = new_content ?? kNothing;
      const steps = Array.from({length: content.energies.length}, (_, step) => step);
      plot.setData([steps, content === kNothing ? [null] : content.energies]);
      container.setAttribute('aria-label', content === kNothing ? nothing :
          `${y_label[0].toUpperCase()}${y_label.slice(1)} after every step: ` +
          content.energies.map((value) => number(value)).join(', '));
    },
    redraw: () => plot.redraw(),
  };
}
