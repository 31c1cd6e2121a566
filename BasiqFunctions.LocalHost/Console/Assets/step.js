import { $, h, show } from './dom.js';
import { callsOf, onCall } from './api.js';
import { count, ofSeconds } from './words.js';

// One step of the journey: its state, what it holds, and what it calls.

const pills = { todo: '', now: 'Next', busy: 'Running', done: 'Done', failed: 'Failed', partial: 'Partly' };
const planned = {};

export function step(id, plan) {
  planned[id] = plan;
  const section = $(id);
  const body = section.querySelector('.body');
  const pill = section.querySelector('.pill');
  const title = section.querySelector('h2');
  const link = document.querySelector(`[data-step="${id}"]`);
  const line = h('p', { class: 'fold-line' });
  let isKeptOpen = false;
  const toggle = h('button', { type: 'button', class: 'quiet small', hidden: true, onclick: () => {
    isKeptOpen = section.hasAttribute('data-folded');
    turn(!isKeptOpen);
  } });
  const turn = isFolded => {
    if (isFolded && body.contains(document.activeElement)) {
      title.focus({ preventScroll: true });
    }
    section.toggleAttribute('data-folded', isFolded);
    toggle.textContent = isFolded ? 'Show' : 'Hide';
    toggle.setAttribute('aria-expanded', !isFolded);
    toggle.setAttribute('aria-label', `${toggle.textContent}: ${title.lastChild.textContent}`);
  };
  section.querySelector('header').append(toggle);
  section.querySelector('header').after(line);
  showCalls(id);
  return {
    section,
    body,
    title,
    /** @param {'todo'|'now'|'busy'|'done'|'failed'|'partial'} state */
    set(state, text) {
      section.dataset.state = state;
      link.dataset.state = state;
      pill.textContent = text ?? pills[state];
      pill.dataset.state = state;
      if (state === 'now' || state === 'busy') {
        link.setAttribute('aria-current', 'step');
      } else {
        link.removeAttribute('aria-current');
      }
      if (state !== 'done') {
        isKeptOpen = false;
        toggle.hidden = true;
        turn(false);
      }
    },
    /** Folds a step that is finished into one line; a person may open it, and then it stays open. */
    fold(text) {
      line.textContent = text;
      toggle.hidden = false;
      turn(!isKeptOpen);
    },
    show: (...children) => show(body, ...children),
    clear: () => show(body),
  };
}

onCall(showCalls);

export function showAllCalls() {
  Object.keys(planned).forEach(showCalls);
}

function showCalls(id) {
  const section = $(id);
  if (!section) {
    return;
  }
  const place = section.querySelector('.calls');
  const made = callsOf(id);
  const wasOpen = place.querySelector('details')?.open ?? false;
  if (made.length === 0) {
    show(place, h('div', { class: 'call planned' }, planned[id].map(([method, route]) => [h('code', {}, h('b', {}, method), ' ', route)])));
    return;
  }
  // What the step is there for stays in sight, whatever the page asked since.
  const main = made.findLast(entry => planned[id].some(([method, route]) => entry.method === method && pathOf(entry.route) === pathOf(route))) ?? made.at(-1);
  const others = made.filter(entry => entry !== main).reverse();
  show(
    place,
    row(main),
    h('details', { open: wasOpen }, h('summary', {}, others.length ? `The line, and ${count(others.length, 'other call')}` : 'The line for your terminal'),
      [main, ...others].map(entry => [entry === main ? null : row(entry), h('pre', { class: 'curl' }, h('code', {}, entry.curl))])));
}

const pathOf = route => route.split('?')[0];

function row(entry) {
  const good = entry.status >= 200 && entry.status < 400;
  return h('div', { class: 'call' },
    h('code', {}, h('b', {}, entry.method), ' ', entry.route),
    h('span', { class: good ? 'code good' : 'code bad' }, entry.status === 0 ? 'no answer' : entry.status),
    h('span', { class: 'ms' }, `${entry.milliseconds} ms${entry.times > 1 ? ` · ${entry.times} times` : ''}`),
    copy(entry));
}

function copy(entry) {
  const button = h('button', { class: 'quiet small', type: 'button', 'aria-label': `Copy curl for ${entry.method} ${entry.route}` }, 'Copy curl');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(entry.curl);
      button.textContent = 'Copied';
    } catch {
      const details = button.closest('.calls').querySelector('details');
      details.open = true;
      button.textContent = 'Select it below';
    }
    setTimeout(() => { button.textContent = 'Copy curl'; }, 2000);
  });
  return button;
}

/** A problem of the API, in a box. */
export function problemBox(result, more) {
  const problem = result.problem ?? {};
  return h('div', { class: 'box bad', role: 'alert' },
    h('p', {}, h('strong', {}, problem.detail ?? 'It did not work.')),
    h('p', { class: 'soft' }, problem.code ? h('code', {}, problem.code) : null, problem.correlationId ? [' · correlation id ', h('code', {}, problem.correlationId)] : null,
      result.retryAfter ? ` · try again in ${ofSeconds(result.retryAfter)}` : null),
    more);
}

/** The same, with a button that shows the page anew. */
export const retryBox = result =>
  problemBox(result, h('p', { class: 'actions' }, h('button', { type: 'button', onclick: () => dispatchEvent(new Event('retry')) }, 'Try again')));
