import { $, h, show } from './dom.js';
import { call } from './api.js';

// Lists that show by themselves what happens at this host. A page that nobody sees asks nothing.

const everyInTrouble = 4000;

/**
 * Asks for a path again and again.
 * @param {string} id What the ids of its elements begin with: …-live is its lamp, …-trouble says why there is nothing.
 * @param {(data: any) => void} showData Shows an answer.
 * @returns {{start: () => Promise<void>, look: () => Promise<void>}} To begin, which resolves when the first answer is there or refused, and to look at once.
 */
export function live(id, path, every, showData) {
  let turn = 0;
  let timer = 0;
  const lookIfSeen = () => {
    if (!document.hidden) {
      look();
    }
  };
  async function look() {
    clearTimeout(timer);
    const mine = ++turn;
    const result = await call(null, 'GET', path);
    if (mine === turn) {
      showAnswer(result);
      timer = setTimeout(lookIfSeen, result.ok ? every : everyInTrouble);
    }
  }
  function showAnswer(result) {
    const lamp = $(`${id}-live`);
    lamp.dataset.state = result.ok ? 'busy' : 'failed';
    lamp.lastElementChild.textContent = result.ok ? 'Live' : 'Stopped';
    $(`${id}-trouble`).textContent = result.ok ? '' : result.status === 401 ? 'Needs the function key.' : `${result.problem.detail} Asking again every ${everyInTrouble / 1000} s.`;
    if (result.ok) {
      showData(result.data);
    }
  }
  return {
    look,
    start: () => {
      document.addEventListener('visibilitychange', lookIfSeen);
      return look();
    },
  };
}

/**
 * Rows of a list that stay as they are while nothing changes in them: open ones stay open, and the focus stays where it is.
 * @param {(item: any) => string} keyOf What makes an item the same as before.
 * @param {(isNew: boolean) => {element: Element, update: (item: any) => void}} make Makes a row; those that the first answer brought are not new.
 */
export function liveRows(list, keyOf, make) {
  const rows = new Map();
  let isFirst = true;
  return items => {
    list.hidden = items.length === 0;
    for (const [key, row] of rows) {
      if (!items.some(item => keyOf(item) === key)) {
        row.element.remove();
        rows.delete(key);
      }
    }
    let place = list.firstElementChild;
    for (const item of items) {
      let row = rows.get(keyOf(item));
      if (!row) {
        row = { shown: '', ...make(!isFirst) };
        rows.set(keyOf(item), row);
      }
      const next = JSON.stringify(item);
      if (next !== row.shown) {
        row.shown = next;
        row.update(item);
      }
      if (row.element === place) {
        place = place.nextElementSibling;
      } else {
        list.insertBefore(row.element, place);
      }
    }
    isFirst = false;
  };
}

/** A row that opens, and says more then. */
export function openingRow(isNew, summaryOf, factsOf) {
  const summary = h('summary');
  const facts = h('dl', { class: 'hook-facts' });
  return {
    element: h('li', { class: 'hook', data: isNew ? { fresh: '' } : {} }, h('details', {}, summary, facts)),
    update(item) {
      show(summary, summaryOf(item));
      show(facts, factsOf(item));
    },
  };
}

export const fact = (term, value) => h('div', {}, h('dt', {}, term), h('dd', {}, value));

/** A word of two parts breaks between them, where it must. */
export const breakable = type => type.split('.').flatMap((part, index) => (index > 0 ? ['.', h('wbr'), part] : [part]));

export const short = id => (id.length > 10 ? `${id.slice(0, 8)}…` : id);
