import { h, s, show } from './dom.js';

// Two kinds of chart, drawn to the width that there is. Each is an image with a title and a description; its table stands beside it.

const left = 68;
const right = 8;
const top = 28;
const bottom = 26;
const height = 258;
let ids = 0;

/** Draws anew whenever the room for it changes. */
export function drawn(draw) {
  const place = h('div', { class: 'plot' });
  let width = 0;
  new ResizeObserver(([entry]) => {
    const next = Math.floor(entry.contentRect.width);
    if (next !== width && next > 0) {
      width = next;
      show(place, draw(width));
    }
  }).observe(place);
  return place;
}

/** A line over days. @param unit What the vertical axis counts in. @param format Writes one of its ticks, given all of them. @param mark Gets a function that marks the day of an index. */
export function lineChart(width, { title, description, values, labels, unit, format, mark }) {
  const [low, high, ticks] = scale(values);
  const x = index => left + (values.length < 2 ? 0.5 : index / (values.length - 1)) * (width - left - right);
  const y = value => top + (high - value) / (high - low) * (height - top - bottom);
  const line = values.map((value, index) => `${index ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  const base = y(0);
  const hair = s('line', { class: 'hair', y1: top, y2: height - bottom });
  const dot = s('circle', { class: 'dot-mark', r: 4.5 });
  mark(index => {
    hair.setAttribute('x1', x(index));
    hair.setAttribute('x2', x(index));
    dot.setAttribute('cx', x(index));
    dot.setAttribute('cy', y(values[index]));
  }, pixel => Math.round(Math.max(0, Math.min(1, (pixel - left) / (width - left - right))) * (values.length - 1)));
  return frame(width, title, description,
    grid(width, ticks, y, format),
    unitLabel(unit),
    monthLabels(labels, x, width),
    s('path', { class: 'area', d: `${line}L${x(values.length - 1).toFixed(1)} ${base.toFixed(1)}L${x(0).toFixed(1)} ${base.toFixed(1)}Z` }),
    s('path', { class: 'line', d: line }),
    hair, dot);
}

/** Two bars for each label. @param pairs [[first, second], …], none below zero. */
export function barChart(width, { title, description, pairs, labels, unit, format, tips }) {
  const [, high, ticks] = scale(pairs.flat());
  const slot = (width - left - right) / Math.max(1, pairs.length);
  const bar = Math.max(2, Math.min(18, slot * 0.36));
  const y = value => top + (high - value) / high * (height - top - bottom);
  const every = Math.ceil(34 / slot);
  return frame(width, title, description,
    grid(width, ticks, y, format),
    unitLabel(unit),
    pairs.map(([one, two], index) => {
      const middle = left + slot * (index + 0.5);
      return s('g', {}, s('title', {}, tips[index]),
        s('rect', { class: 'hit', x: left + slot * index, y: top, width: slot, height: height - top - bottom }),
        s('rect', { class: 'bar in', x: middle - bar - 1, y: y(one), width: bar, height: y(0) - y(one), rx: Math.min(2, bar / 3) }),
        s('rect', { class: 'bar out', x: middle + 1, y: y(two), width: bar, height: y(0) - y(two), rx: Math.min(2, bar / 3) }),
        (pairs.length - 1 - index) % every === 0 ? s('text', { class: 'tick-text', x: middle, y: height - 8, 'text-anchor': 'middle' }, labels[index]) : null);
    }));
}

/** One bar that fills a share of its line. */
export function shareBar(share, kind) {
  return s('svg', { class: 'share', viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false' },
    s('rect', { class: 'share-rest', width: 100, height: 6 }), s('rect', { class: `bar ${kind}`, width: Math.max(0.8, share * 100), height: 6 }));
}

function frame(width, title, description, ...children) {
  const id = `chart-${++ids}`;
  return s('svg', { class: 'chart', role: 'img', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-labelledby': `${id}-title ${id}-desc` },
    s('title', { id: `${id}-title` }, title), s('desc', { id: `${id}-desc` }, description), children);
}

function grid(width, ticks, y, format) {
  return ticks.map(value => [
    s('line', { class: value === 0 ? 'grid zero' : 'grid', x1: left, x2: width - right, y1: y(value), y2: y(value) }),
    s('text', { class: 'tick-text', x: left - 8, y: y(value) + 4, 'text-anchor': 'end' }, format(value, ticks)),
  ]);
}

const unitLabel = unit => s('text', { class: 'tick-text axis-unit', x: left - 8, y: 12, 'text-anchor': 'end' }, unit);

function monthLabels(labels, x, width) {
  const every = Math.ceil(labels.length / Math.max(2, Math.floor((width - left) / 58)));
  return labels.filter((_, place) => place % every === 0).map(({ index, text }) => s('text', { class: 'tick-text', x: Math.min(x(index), width - right - 14), y: height - 8, 'text-anchor': 'middle' }, text));
}

// From a round number below the least to one above the most, in four steps or so. Zero is always in it: how much there is shows in the
// height, and what is owed below the line.
function scale(values) {
  const low = Math.min(...values, 0);
  const high = Math.max(...values, low === 0 ? 1 : 0);
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 2.5, 5, 10].find(factor => factor * power >= rough) * power;
  const first = Math.floor(low / unit);
  const last = Math.ceil(high / unit);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * unit);
  return [ticks[0], ticks.at(-1), ticks];
}
