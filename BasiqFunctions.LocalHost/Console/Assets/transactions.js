import { $, h, show } from './dom.js';
import { call } from './api.js';
import { note } from './address.js';
import { bankOf } from './institutions.js';
import { dayOf } from './days.js';
import { format, parse } from './money.js';
import { problemBox, step } from './step.js';
import { count, ofClass, ofDayOfYear, ofKind, plain } from './words.js';

const route = '/api/users/{userId}/accounts/{accountId}/transactions';
const here = step('transactions', [['GET', `${route}?from&to&status&limit&cursor`]]);
const pageSize = 100;
const enoughFound = 25;
const mostPagesSearched = 20;

// A year that is being typed begins like this.
const firstDay = '1900-01-01';

let shownFor = '';
let tools = null;
let list = null;

export const clear = () => {
  shownFor = '';
  tools = null;
  list = null;
  here.set('todo');
  here.clear();
};

export const categoryOf = transaction =>
  transaction.enrich?.category?.anzsic?.group?.title || transaction.subClass?.title || ofKind(transaction.class);

/** The transactions of one account: a list that grows as one scrolls. */
export function showTransactions(userId, snapshot, at) {
  const account = snapshot.accounts.find(one => one.id === at.accountId) ?? snapshot.accounts[0];
  if (!account) {
    clear();
    return;
  }
  const data = JSON.stringify([userId, snapshot.syncId, snapshot.fetchedAt]);
  const key = JSON.stringify([data, account.id, at.from, at.to, at.status]);
  if (key === shownFor) {
    return;
  }
  shownFor = key;
  here.set('done', '');
  if (tools?.data !== data) {
    const focused = here.body.contains(document.activeElement) ? document.activeElement.id : '';
    tools = makeTools(data, snapshot.accounts, tools?.search.value ?? '');
    here.show(tools.elements, tools.place);
    $(focused)?.focus();
  }
  tools.update(account, at);
  const rows = h('tbody');
  const status = h('p', { class: 'soft', role: 'status' }, 'Reading …');
  const trouble = h('div');
  const more = h('button', { type: 'button', class: 'small' }, 'Read more');
  const region = h('div', { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': `Transactions of ${account.name}` },
    h('table', { class: 'transactions' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Date'), h('th', { scope: 'col' }, 'What'), h('th', { scope: 'col', class: 'figure' }, 'Amount'), h('th', { scope: 'col', class: 'figure wide' }, 'Balance'))),
      rows),
    h('div', { class: 'more' }, more));
  show(tools.place, trouble, region, status);
  list = new List({ userId, account, at, rows, status, trouble, more, region, search: tools.search, key });
  list.start();
}

/** What the list is chosen with. It stays while the list changes: a day is a choice with each of its digits, and whoever types goes on typing. */
function makeTools(data, accounts, searched) {
  const field = (label, input) => h('div', { class: 'field' }, h('label', { for: input.id }, label), input);
  const chooser = h('select', { id: 'account', onchange: () => refilter({ accountId: chooser.value }) },
    accounts.map(one => h('option', { value: one.id }, `${one.name ?? ofClass(one.class?.type)} · ${bankOf(one.institution)}`)));
  const search = h('input', { id: 'find', type: 'search', autocomplete: 'off', placeholder: 'Name, kind or amount', value: searched, oninput: () => list.search() });
  const [from, to] = ['from', 'to'].map(name => {
    const input = h('input', { id: `filter-${name}`, type: 'date', onchange: () => {
      if (!input.value || input.value >= firstDay) {
        refilter({ [name]: input.value });
      }
    } });
    return input;
  });
  const status = h('select', { id: 'filter-status', onchange: () => refilter({ status: status.value }) },
    [['', 'All'], ['posted', 'Posted'], ['pending', 'Pending']].map(([value, label]) => h('option', { value }, label)));
  let shown = '';
  return {
    data,
    search,
    elements: h('div', { class: 'tools' }, field('Account', chooser), field('Search', search), field('From', from), field('To', to), field('Status', status)),
    place: h('div'),
    update(account, at) {
      if (shown && shown !== account.id) {
        search.value = '';
      }
      shown = account.id;
      for (const [input, value] of [[chooser, account.id], [from, at.from], [to, at.to], [status, at.status]]) {
        if (input.value !== value) {
          input.value = value;
        }
      }
    },
  };
}

function refilter(change) {
  note(change);
  dispatchEvent(new Event('addresschange'));
}

class List {
  #view;
  #cursor = null;
  #isEnd = false;
  #isLoading = false;
  #count = 0;
  #found = 0;
  #pages = 0;
  #lastPage = mostPagesSearched;
  #enough = enoughFound;
  #wantedBefore = '';
  #observer = null;

  constructor(view) {
    this.#view = view;
  }

  start() {
    const { more, region } = this.#view;
    more.addEventListener('click', () => this.#goOn());
    this.#observer = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        this.#goOn();
      }
    }, { root: region, rootMargin: '400px' });
    this.#load();
  }

  get #isGone() {
    return shownFor !== this.#view.key;
  }

  async #load() {
    if (this.#isLoading || this.#isEnd || this.#isGone) {
      return;
    }
    this.#isLoading = true;
    const { userId, account, at, trouble, more } = this.#view;
    const result = await call('transactions', 'GET', route, {
      values: { userId, accountId: account.id },
      query: { from: at.from, to: at.to, status: at.status, limit: pageSize, cursor: this.#cursor },
    });
    this.#isLoading = false;
    if (this.#isGone) {
      return;
    }
    if (!result.ok) {
      this.#observer.disconnect();
      if (result.problem.code === 'snapshot-changed') {
        show(trouble, h('div', { class: 'box', role: 'status' }, h('p', {}, 'A newer sync has replaced this data. The list starts again.')));
        this.#restart();
        return;
      }
      show(trouble, problemBox(result, Object.entries(result.problem.errors ?? {}).map(([name, messages]) => h('p', {}, h('code', {}, name), ' ', messages.join(' ')))));
      this.#isEnd = result.status === 400;
      more.hidden = this.#isEnd;
      this.#tell();
      return;
    }
    show(trouble);
    this.#append(result.data.transactions);
    this.#pages++;
    this.#cursor = result.data.nextCursor ?? null;
    this.#isEnd = this.#cursor === null;
    more.hidden = this.#isEnd;
    this.#watch();
    this.#tell();
    this.#goOnSearching();
  }

  // A search that waits for the person would go on by itself if its button were watched: few rows are above it.
  #watch() {
    this.#observer.disconnect();
    if (!this.#isEnd && !this.#isWaiting) {
      this.#observer.observe(this.#view.more);
    }
  }

  #restart() {
    show(this.#view.rows);
    this.#cursor = null;
    this.#count = 0;
    this.#found = 0;
    this.#pages = 0;
    this.#allowMore();
    this.#load();
  }

  #append(transactions) {
    const wanted = this.#wanted;
    this.#view.rows.append(...transactions.map(transaction => {
      const made = row(transaction);
      made.hidden = !made.dataset.text.includes(wanted);
      this.#found += made.hidden ? 0 : 1;
      return made;
    }));
    this.#count += transactions.length;
  }

  get #wanted() {
    return this.#view.search.value.trim().toLowerCase();
  }

  search() {
    const wanted = this.#wanted;
    const isNarrower = this.#wantedBefore && wanted.startsWith(this.#wantedBefore);
    this.#wantedBefore = wanted;
    this.#found = 0;
    for (const one of this.#view.rows.children) {
      one.hidden = !one.dataset.text.includes(wanted);
      this.#found += one.hidden ? 0 : 1;
    }
    this.#enough = enoughFound;
    if (!isNarrower) {
      this.#lastPage = this.#pages + mostPagesSearched;
    }
    this.#watch();
    this.#tell();
    this.#goOnSearching();
  }

  // The API does not search by text: this page reads on until it has found enough. An account may have a million transactions, so it
  // asks the person before it reads very many.
  #goOnSearching() {
    if (this.#wanted && this.#found < this.#enough && !this.#isWaiting) {
      this.#load();
    }
  }

  get #isWaiting() {
    return Boolean(this.#wanted) && this.#found < this.#enough && this.#pages >= this.#lastPage;
  }

  #goOn() {
    if (this.#found >= this.#enough || this.#isWaiting) {
      this.#allowMore();
    }
    this.#load();
  }

  #allowMore() {
    this.#lastPage = this.#pages + mostPagesSearched;
    this.#enough = this.#found + enoughFound;
  }

  #tell() {
    const { more, status } = this.#view;
    const isWaiting = this.#isWaiting && !this.#isEnd;
    more.textContent = isWaiting ? 'Search on' : 'Read more';
    const read = `${count(this.#count, 'transaction')} read${this.#isEnd ? ', all there are' : ''}`;
    status.textContent = this.#wanted ? `${count(this.#found, 'match', 'matches')} in ${read}.${isWaiting ? ' The rest has not been searched.' : ''}` : `${read}.`;
  }
}

function row(transaction) {
  const isPending = transaction.status === 'pending';
  const name = transaction.enrich?.cleanDescription || transaction.description || plain(transaction.class);
  const units = parse(transaction.amount)?.units ?? 0n;
  const sign = units > 0n ? 'plus' : units < 0n ? 'minus' : 'none';
  const amount = format(transaction.amount, transaction.currency);
  const balance = transaction.balance ? format(transaction.balance, transaction.currency) : '';
  const text = [name, transaction.description, categoryOf(transaction), transaction.amount, amount].join(' ').toLowerCase();
  return h('tr', { data: { text, status: transaction.status } },
    h('td', {}, h('time', { datetime: dayOf(transaction) }, ofDayOfYear(dayOf(transaction)), h('span', { class: 'year' }, ` ${dayOf(transaction).slice(0, 4)}`))),
    h('td', {}, h('span', { class: 'what' }, name, isPending ? h('span', { class: 'tag' }, 'Pending') : null), h('span', { class: 'soft block' }, categoryOf(transaction))),
    h('td', { class: 'figure', data: { sign } }, sign === 'plus' ? `+${amount}` : amount,
      balance ? h('span', { class: 'beside soft' }, 'Balance ', h('span', {}, balance)) : null),
    h('td', { class: 'figure wide soft' }, balance));
}
