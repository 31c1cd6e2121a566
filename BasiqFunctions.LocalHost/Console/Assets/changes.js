import { announce, h, show } from './dom.js';
import { call } from './api.js';
import { dayOf } from './days.js';
import { keep, recallJson } from './kept.js';
import { format } from './money.js';
import { problemBox, step } from './step.js';
import { count, ofDayOfYear, ofSecond } from './words.js';

// Follows the feed of the user's changes, and shows the last of them: as a consumer of the feed does, page by page behind a cursor. A page
// that nobody sees asks nothing.

const route = '/api/users/{userId}/changes';
const here = step('changes', [['GET', `${route}?cursor&limit`]]);
const keyName = 'changes';
const every = 2000;
const everyInTrouble = 8000;
const pageSize = 500;
const mostRows = 50;
const verbs = { added: 'Added', modified: 'Changed', removed: 'Removed' };

let following = null;

/** Follows a user; looks at once when it does so already. */
export function follow(userId) {
  if (following?.userId === userId) {
    following.look();
    return;
  }
  clear();
  here.set('busy');
  here.show(h('p', { class: 'soft', role: 'status' }, 'Reading what there is …'));
  following = new Follower(userId);
  following.look();
}

export function clear() {
  following?.stop();
  following = null;
  here.set('todo');
  here.clear();
}

document.addEventListener('visibilitychange', () => following?.look());

class Follower {
  #cursor;
  #before;
  #timer = 0;
  #isLooking = false;
  #isStopped = false;

  constructor(userId) {
    this.userId = userId;
    const kept = recallJson(keyName);

    // What changed last is to be seen after a reload, too: the page begins where that began.
    this.#before = kept?.userId === userId ? kept.before : null;
    this.#cursor = kept?.userId === userId ? kept.before ?? kept.cursor : null;
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async look() {
    if (this.#isLooking || this.#isStopped || document.hidden) {
      return;
    }
    this.#isLooking = true;
    clearTimeout(this.#timer);
    const next = await this.#read();
    this.#isLooking = false;
    if (!this.#isStopped) {
      this.#timer = setTimeout(() => this.look(), next);
    }
  }

  /** Reads to the end of the feed, and shows what came. Gives the time to the next look. */
  async #read() {
    const from = this.#cursor;
    let cursor = from;
    let dataAsOf = '';
    const batch = { accounts: [], rows: [], counts: { added: 0, modified: 0, removed: 0 } };
    for (let hasMore = true; hasMore;) {
      const { ok, status, data, problem, retryAfter } = await call('changes', 'GET', route, { values: { userId: this.userId }, query: { cursor, limit: pageSize } });
      if (this.#isStopped) {
        return 0;
      }
      if (!ok) {
        // What was read of this batch is read again: half of it would tell the rest as news.
        return this.#fail({ status, problem, retryAfter }, cursor);
      }
      batch.accounts.push(...data.accounts ?? []);
      batch.rows.push(...data.changes.slice(0, mostRows - batch.rows.length));
      for (const change of data.changes) {
        batch.counts[change.type]++;
      }
      cursor = data.nextCursor;
      ({ dataAsOf } = data);
      hasMore = data.hasMore;
      if (from === null && hasMore) {
        show(here.body, h('p', { class: 'soft', role: 'status' }, `Reading what there is: ${count(batch.counts.added, 'transaction')} …`));
      }
    }
    this.#cursor = cursor;
    here.set('done', 'Live');
    const isNews = batch.accounts.length > 0 || batch.rows.length > 0;
    if (from === null) {
      show(here.body, h('p', {}, `Everything there is came as added: ${count(batch.accounts.length, 'account')} and ${count(batch.counts.added, 'transaction')}. `, h('span', { class: 'soft' }, 'What the next sync changes appears here by itself.')));
    } else if (isNews) {
      showBatch(batch);
      dispatchEvent(new CustomEvent('newerdata', { detail: dataAsOf }));
    } else if (here.body.childElementCount === 0 || here.body.querySelector('[role=status], [role=alert]')) {
      show(here.body, h('p', { class: 'soft' }, 'Nothing has changed since. What the next sync changes appears here by itself.'));
    }
    this.#before = from !== null && isNews ? from : this.#before;
    // Cursors alone: what they lead to stays with the host.
    keep(keyName, JSON.stringify({ userId: this.userId, before: this.#before, cursor: this.#cursor }));
    return every;
  }

  #fail(result, cursor) {
    if (cursor !== null && (result.status === 410 || result.status === 400)) {
      // The cursor is good for nothing any more.
      this.#cursor = null;
      this.#before = null;
      return 0;
    }
    if (result.status === 404) {
      clear();
      return 0;
    }
    here.set('failed', 'Stopped');
    show(here.body, problemBox(result, h('p', { class: 'soft' }, `Asking again every ${everyInTrouble / 1000} s.`)));
    return everyInTrouble;
  }
}

function showBatch({ accounts, rows, counts }) {
  const total = counts.added + counts.modified + counts.removed;
  const parts = [
    ...Object.entries(verbs).map(([type, verb]) => (counts[type] ? `${counts[type]} ${verb.toLowerCase()}` : null)),
    accounts.length ? count(accounts.length, 'account') : null,
  ].filter(part => part);
  const text = parts.join(' · ');
  show(here.body,
    h('p', {}, h('strong', {}, text), ' ', h('time', { class: 'soft', datetime: new Date().toISOString() }, ofSecond(new Date().toISOString()))),
    h('div', { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'What changed last' },
      h('table', { class: 'transactions' },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Change'), h('th', { scope: 'col' }, 'Date'), h('th', { scope: 'col' }, 'What'), h('th', { scope: 'col', class: 'figure' }, 'Amount'))),
        h('tbody', {}, accounts.map(accountRow), rows.map(transactionRow)))),
    total > rows.length ? h('p', { class: 'soft' }, `And ${count(total - rows.length, 'more change', 'more changes')}.`) : null);
  announce(`What changed: ${text}.`);
}

const tag = type => h('span', { class: 'tag', data: { change: type } }, verbs[type]);

const nameless = (kind, id) => [`${kind} `, h('code', {}, id.length > 10 ? `${id.slice(0, 8)}…` : id)];

function accountRow({ type, accountId, account }) {
  return h('tr', {},
    h('td', {}, tag(type)),
    h('td', {}, ''),
    h('td', {}, h('span', { class: 'what' }, account?.name ?? nameless('Account', accountId)), account ? h('span', { class: 'soft block' }, 'Account, with its balance') : null),
    h('td', { class: 'figure' }, account?.balance ? format(account.balance, account.currency) : ''));
}

function transactionRow({ type, transactionId, inferredFrom, transaction }) {
  if (!transaction) {
    return h('tr', {}, h('td', {}, tag(type)), h('td', {}, ''), h('td', {}, nameless('Transaction', transactionId)), h('td', {}, ''));
  }
  const state = inferredFrom ? 'Posted, and was pending' : transaction.status === 'pending' ? 'Pending' : 'Posted';
  return h('tr', {},
    h('td', {}, tag(type)),
    h('td', {}, h('time', { datetime: dayOf(transaction) }, ofDayOfYear(dayOf(transaction)))),
    h('td', {}, h('span', { class: 'what' }, transaction.enrich?.cleanDescription || transaction.description || transactionId), h('span', { class: 'soft block' }, state)),
    h('td', { class: 'figure' }, format(transaction.amount, transaction.currency)));
}
