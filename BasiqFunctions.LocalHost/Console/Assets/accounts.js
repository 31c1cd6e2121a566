import { $, action, confirm, focusOn, h, show } from './dom.js';
import { call } from './api.js';
import { href } from './address.js';
import { bankOf } from './institutions.js';
import { refresh } from './jobs.js';
import { add, compare, currencyOf, format, ofCurrency, parse, zero } from './money.js';
import { receiptsOf, untilRemoved } from './removal.js';
import { problemBox, retryBox, step } from './step.js';
import { classOrder, count, ofClass, ofMoment } from './words.js';

const here = step('accounts', [['GET', '/api/users/{userId}/accounts']]);

export const clear = () => {
  here.set('todo');
  here.clear();
};

/** Room for what is being fetched, so that nothing moves when it comes. */
export function wait() {
  here.set('todo');
  here.show(h('div', { class: 'cards', 'aria-hidden': 'true' }, Array.from({ length: 3 }, () => h('div', { class: 'account skeleton' }, ' '))));
}

/** The accounts of the current snapshot, or null when there is none or it cannot be had. */
export async function load(userId, signal) {
  const result = await call('accounts', 'GET', '/api/users/{userId}/accounts', { values: { userId }, signal });
  if (result.ok) {
    return result.data;
  }
  if (result.problem.code === 'no-snapshot') {
    here.set('todo');
    here.show(h('p', { class: 'soft' }, 'Nothing has been fetched yet.'));
    return null;
  }
  if (result.problem.code === 'consent-ended') {
    here.set('todo');
    here.show(h('div', { class: 'box', role: 'status' }, h('p', {}, h('strong', {}, 'The consent has ended, and what was fetched with it is gone.'))),
      await receiptsOf('accounts', userId, signal));
    return null;
  }
  here.set('failed');
  here.show(retryBox(result));
  return null;
}

export function showAccounts(userId, snapshot, onDisconnected) {
  const { accounts, fetchedAt } = snapshot;
  here.set('done', count(accounts.length, 'account'));
  const trouble = h('div');
  const byBank = Map.groupBy(accounts, account => account.connection ?? account.institution ?? '');
  here.show(
    accounts.length > 0 ? totals(accounts) : h('p', {}, 'The bank has no accounts for this login.'),
    h('p', { class: 'soft' }, `Fetched ${ofMoment(fetchedAt)}. `, accounts.length > 0 ? h('a', { href: '#charts', onclick: toCharts }, 'See where the money goes') : null),
    trouble,
    [...byBank.values()].map(list => bank(userId, list, trouble, onDisconnected)));
}

/** That there is newer data than what the page shows: to be shown when the person wants it, so that nothing changes under their hands. */
export function offerNewer(showIt) {
  if (here.body.querySelector('.newer')) {
    return;
  }
  here.body.prepend(h('div', { class: 'box newer', role: 'status' },
    h('p', {}, 'Newer data has been fetched.'), h('div', { class: 'actions' }, action('Show it', { class: 'small' }, showIt))));
}

const toCharts = event => {
  event.preventDefault();
  focusOn($('charts-title'), 'start');
};

function bank(userId, accounts, trouble, onDisconnected) {
  const connectionId = accounts[0].connection;
  const name = bankOf(accounts[0].institution);
  const sorted = accounts.toSorted((a, b) => rank(a) - rank(b));
  return h('section', { class: 'bank-group', 'aria-label': name },
    h('div', { class: 'bank-head' }, h('span', { class: 'mark', 'aria-hidden': 'true' }, name.slice(0, 1)), h('h3', {}, name),
      connectionId
        ? h('div', { class: 'actions' },
          action('Refresh', { class: 'small quiet', 'aria-label': `Refresh ${name}` }, () => refresh(userId, { connectionId }, trouble)),
          action('Disconnect', { class: 'small quiet', 'aria-label': `Disconnect ${name}` }, () => disconnect(userId, connectionId, name, trouble, onDisconnected)))
        : null),
    h('ul', { class: 'cards' }, sorted.map(account => h('li', {}, card(userId, account)))));
}

async function disconnect(userId, connectionId, name, trouble, onDisconnected) {
  if (!await confirm(`Disconnect ${name}?`, 'Its accounts and everything that was fetched of them will be removed, at Basiq and here. To have them back, the bank must be connected again.', 'Disconnect', 'really-disconnect')) {
    return;
  }
  const result = await call('accounts', 'DELETE', '/api/users/{userId}/connections/{connectionId}', { values: { userId, connectionId } });
  if (!result.ok) {
    show(trouble, problemBox(result));
  } else if (await untilRemoved('accounts', userId, result, trouble)) {
    await onDisconnected(name);
  }
}

function card(userId, account) {
  const isOwed = (account.balance ?? '').startsWith('-');
  return h('a', { class: 'account', href: href({ userId, accountId: account.id, from: '', to: '', status: '' }), data: { go: 'transactions-title', account: account.id } },
    h('span', { class: 'eyebrow' }, ofClass(account.class?.type)),
    h('span', { class: 'account-name' }, account.name ?? account.class?.product ?? 'Account'),
    h('span', { class: 'soft' }, account.maskedNumber ? `•••• ${account.maskedNumber.slice(-4)}` : ' '),
    h('span', { class: 'amount', data: { sign: isOwed ? 'minus' : 'plus' } }, format(account.balance, account.currency)),
    h('span', { class: 'soft' }, account.availableFunds ? ['Available ', h('span', { class: 'figure' }, format(account.availableFunds, account.currency))] : ' '));
}

const rank = account => {
  const place = classOrder.indexOf(account.class?.type);
  return place < 0 ? classOrder.length : place;
};

/** By currency: what there is, what is owed, and both together. Amounts that are no numbers are left out, and said to be. */
function totals(accounts) {
  const byCurrency = new Map();
  let unread = 0;
  for (const account of accounts) {
    const amount = parse(account.balance);
    if (!amount) {
      unread++;
      continue;
    }
    const currency = currencyOf(account);
    const sums = byCurrency.get(currency) ?? { own: zero, owe: zero };
    byCurrency.set(currency, compare(amount, zero) < 0 ? { ...sums, owe: add(sums.owe, amount) } : { ...sums, own: add(sums.own, amount) });
  }
  return [
    [...byCurrency].toSorted(([a], [b]) => a < b ? -1 : 1).map(([currency, { own, owe }]) => h('dl', { class: 'totals', 'aria-label': `Totals in ${ofCurrency(currency)}` },
      total('In the accounts', own, currency), total('Owed', owe, currency), total('Net position', add(own, owe), currency, 'sum'))),
    unread > 0 ? h('p', { class: 'soft' }, `${count(unread, 'account')} without a balance ${unread === 1 ? 'is' : 'are'} not in the totals.`) : null,
  ];
}

const total = (term, amount, currency, kind) => h('div', { data: { kind } }, h('dt', {}, `${term}, ${ofCurrency(currency)}`), h('dd', { class: 'figure' }, format(amount, currency)));
