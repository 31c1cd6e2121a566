import { h, show } from './dom.js';
import { call } from './api.js';
import { note, read } from './address.js';
import { bankOf } from './institutions.js';
import { bankDay, dayOf, today } from './days.js';
import { absolute, add, compare, currencyOf, format, isKnown, negate, ofCurrency, parse, position, zero } from './money.js';
import { barChart, drawn, lineChart, shareBar } from './drawing.js';
import { categoryOf } from './transactions.js';
import { problemBox, step } from './step.js';
import { count, ofClass, ofDay, ofMonth, ofShortMonth } from './words.js';

const route = '/api/users/{userId}/accounts/{accountId}/transactions';
const here = step('charts', [['GET', `${route}?limit&cursor`]]);
const everyday = new Set(['transaction', 'savings', 'credit-card']);
const mostPages = 40;
const months = 12;
const shownCategories = 8;
const mostDigits = 8;
const dayLength = 86_400_000;

let shownFor = '';

export const clear = () => {
  shownFor = '';
  here.set('todo');
  here.clear();
};

/** Reads every account's transactions, once for each snapshot, and draws. */
export async function showCharts(userId, snapshot, signal) {
  const key = JSON.stringify([userId, snapshot.syncId, snapshot.fetchedAt]);
  if (key === shownFor) {
    return;
  }
  shownFor = key;
  if (snapshot.accounts.length === 0) {
    clear();
    return;
  }
  here.set('busy');
  const progress = h('progress', { max: snapshot.accounts.length, value: 0, 'aria-label': 'Accounts read' });
  here.show(h('p', { class: 'soft' }, 'Reading the transactions of all accounts …'), progress, h('div', { class: 'plot skeleton' }, ' '));
  const data = new Map();
  let isCut = false;
  for (const account of snapshot.accounts) {
    const all = [];
    let cursor = null;
    let pages = 0;
    do {
      const result = await call('charts', 'GET', route, { values: { userId, accountId: account.id }, query: { limit: 500, cursor }, signal });
      if (!result.ok) {
        shownFor = '';
        here.set('failed');
        here.show(problemBox(result, h('p', { class: 'actions' }, h('button', { type: 'button', onclick: () => showCharts(userId, snapshot, signal) }, 'Try again'))));
        return;
      }
      for (const one of result.data.transactions) {
        // Noted while the page waits for the next ones, and not for all of them at once when it draws.
        dayOf(one);
        all.push(one);
      }
      cursor = result.data.nextCursor;
    } while (cursor && ++pages < mostPages);
    isCut ||= Boolean(cursor);
    data.set(account.id, all);
    progress.value = data.size;
  }
  here.set('done', '');
  const scopes = scopesOf(snapshot.accounts, data);
  const place = h('div');
  const select = h('select', { id: 'scope' }, scopes.map(scope => h('option', { value: scope.id }, scope.name)));
  const draw = () => show(place, picture(scopes.find(scope => scope.id === select.value), data));
  select.value = scopes.find(scope => scope.id === read().scope)?.id ?? scopes[0].id;
  select.addEventListener('change', () => {
    note({ scope: select.value });
    draw();
  });
  here.show(
    h('div', { class: 'tools' }, h('div', { class: 'field' }, h('label', { for: 'scope' }, 'Accounts'), select)),
    isCut ? h('p', { class: 'box warn' }, `Of very large accounts the newest ${(mostPages * 500).toLocaleString('en-AU')} transactions are drawn.`) : null,
    place);
  draw();
}

function scopesOf(accounts, data) {
  const scopes = [];

  // An account that names none is in that of its transactions, where they agree.
  const currencies = new Map(accounts.map(account => {
    const used = new Set(data.get(account.id).map(currencyOf));
    return [account, currencyOf(account) || (used.size === 1 ? [...used][0] : '')];
  }));
  const byCurrency = [...Map.groupBy(accounts, account => currencies.get(account))];
  for (const [currency, list] of byCurrency) {
    const of = byCurrency.length > 1 ? `, ${ofCurrency(currency)}` : '';
    const daily = list.filter(account => everyday.has(account.class?.type));
    if (daily.length > 1) {
      scopes.push({ id: `daily-${currency}`, name: `Everyday, savings and cards${of}`, accounts: daily, currency, leaves: new Set(['transfer']), left: 'Transfers between these accounts are left out.' });
    }
    if (list.length > 1 && list.length > daily.length) {
      scopes.push({ id: `all-${currency}`, name: `All accounts${of}`, accounts: list, currency, leaves: new Set(['transfer', 'loan-repayment']), left: 'Transfers and loan repayments, which move money between these accounts, are left out.' });
    }
  }
  for (const account of accounts) {
    scopes.push({ id: account.id, name: `${account.name ?? ofClass(account.class?.type)} · ${bankOf(account.institution)}`, accounts: [account], currency: currencies.get(account), leaves: new Set(), left: '' });
  }
  return scopes;
}

function picture(scope, data) {
  const dated = scope.accounts.flatMap(account => data.get(account.id)).filter(one => dayOf(one) && parse(one.amount));
  const [own, foreign] = parted(dated, one => isOf(scope, one));
  const day = today();
  const [past, future] = parted(own, one => dayOf(one) <= day);
  const apart = [foreign.length > 0 ? inOtherCurrencies(scope, foreign) : null, future.length > 0 ? inTheFuture(future) : null];
  if (past.length === 0) {
    return [h('p', { class: 'soft' }, 'There are no transactions to draw.'), apart];
  }
  const lastDay = [...scope.accounts.map(account => bankDay(account.lastUpdated)), ...past.map(dayOf)].filter(one => one <= day).reduce((last, one) => (one > last ? one : last), '');
  const moved = past.filter(one => !scope.leaves.has(one.class));
  return [
    balance(scope, data, new Set(past), lastDay),
    monthly(scope, moved, lastDay),
    h('div', { class: 'two' }, categories(scope, moved, lastDay, true), categories(scope, moved, lastDay, false)),
    scope.left ? h('p', { class: 'soft' }, scope.left) : null,
    apart,
  ];
}

/** Whether a transaction is in the currency of what is drawn; one that gives none is in its account's. */
const isOf = (scope, one) => !currencyOf(one) || currencyOf(one) === scope.currency;

const parted = (all, isFirst) => [all.filter(isFirst), all.filter(one => !isFirst(one))];

// --- what is not in the charts: amounts of different currencies have no sum, and what has not happened yet is no part of what was

function inOtherCurrencies(scope, transactions) {
  const sums = [...Map.groupBy(transactions, currencyOf)].map(([currency, list]) => `${count(list.length, 'transaction')} in ${currency}`);
  return h('p', { class: 'soft' }, `Not in the charts, which are in ${ofCurrency(scope.currency)}: ${sums.join(', ')}.`);
}

function inTheFuture(transactions) {
  const rows = transactions.toSorted((a, b) => (dayOf(a) < dayOf(b) ? -1 : 1)).map(one => [`${ofDay(dayOf(one))}: ${one.description ?? categoryOf(one)}`, format(one.amount, currencyOf(one))]);
  return h('section', { class: 'figure', id: 'future', 'aria-labelledby': 'future-title' }, h('h3', { id: 'future-title' }, 'Dated in the future'),
    h('p', { class: 'soft' }, 'The bank dates these later than today. They are not in the charts.'),
    table('Dated in the future', ['Day and what', 'Amount'], rows));
}

// --- balance over time: from today's balance backwards, day by day

function balance(scope, data, past, lastDay) {
  const days = dayRange(lastDay);
  const totals = days.map(() => zero);
  let hasAny = false;
  for (const account of scope.accounts) {
    let amount = parse(account.balance);
    if (!amount) {
      continue;
    }
    hasAny = true;
    const changes = sumBy(data.get(account.id).filter(one => past.has(one) && one.status !== 'pending'), dayOf);
    for (let index = days.length - 1; index >= 0; index--) {
      totals[index] = add(totals[index], amount);
      amount = add(amount, negate(changes.get(days[index]) ?? zero));
    }
  }
  if (!hasAny) {
    return h('p', { class: 'soft' }, 'The bank gives no balance for this.');
  }
  const money = amount => format(amount, scope.currency);
  const values = totals.map(position);
  const readout = h('output', { class: 'readout' });
  const slider = h('input', { type: 'range', min: 0, max: days.length - 1, value: days.length - 1, 'aria-label': 'Day on the chart of the balance' });
  let marking = () => {};
  const mark = index => {
    slider.value = index;
    slider.setAttribute('aria-valuetext', `${ofDay(days[index])}: ${money(totals[index])}`);
    show(readout, h('span', { class: 'soft' }, ofDay(days[index])), ' ', h('strong', { class: 'figure' }, money(totals[index])));
    marking(index);
  };
  slider.addEventListener('input', () => mark(Number(slider.value)));
  const labels = days.map((day, index) => ({ index, text: ofShortMonth(day.slice(0, 7)), isFirst: day.endsWith('-01') })).filter(label => label.isFirst);
  const plot = drawn(width => {
    let indexAt = () => 0;
    const svg = lineChart(width, {
      title: `Balance over time: ${scope.name}`,
      description: `From ${money(totals[0])} on ${ofDay(days[0])} to ${money(totals.at(-1))} on ${ofDay(lastDay)}.`,
      values, labels, unit: ofCurrency(scope.currency), format: (value, ticks) => short(value, scope.currency, ticks),
      mark: (show, locate) => { [marking, indexAt] = [show, locate]; },
    });
    svg.addEventListener('pointermove', event => mark(indexAt(event.clientX - svg.getBoundingClientRect().left)));
    queueMicrotask(() => mark(Number(slider.value)));
    return svg;
  });
  mark(days.length - 1);
  const ends = days.flatMap((day, index) => (index === days.length - 1 || days[index + 1].endsWith('-01') ? [[ofDay(day), money(totals[index])]] : []));
  return figure('Balance over time', [readout], [plot, slider], table('Balance at the end of each month', ['Day', `Balance, ${ofCurrency(scope.currency)}`], ends));
}

function dayRange(lastDay) {
  const last = Date.parse(lastDay);
  return Array.from({ length: 366 }, (_, index) => new Date(last - (365 - index) * dayLength).toISOString().slice(0, 10));
}

// --- money in and out by month

function monthly(scope, transactions, lastDay) {
  const names = monthRange(lastDay);
  const ins = sumBy(transactions.filter(isIn), one => dayOf(one).slice(0, 7));
  const outs = sumBy(transactions.filter(one => !isIn(one)), one => dayOf(one).slice(0, 7));
  const pairs = names.map(name => [ins.get(name) ?? zero, absolute(outs.get(name) ?? zero)]);
  const money = amount => format(amount, scope.currency);
  const sum = which => pairs.reduce((total, pair) => add(total, pair[which]), zero);
  const plot = drawn(width => barChart(width, {
    title: `Money in and out by month: ${scope.name}`,
    description: `In ${count(months, 'month')}: ${money(sum(0))} in and ${money(sum(1))} out.`,
    pairs: pairs.map(pair => pair.map(position)), labels: names.map(ofShortMonth), unit: ofCurrency(scope.currency), format: (value, ticks) => short(value, scope.currency, ticks),
    tips: names.map((name, index) => `${ofMonth(name)}: ${money(pairs[index][0])} in, ${money(pairs[index][1])} out`),
  }));
  return figure('Money in and out by month',
    [h('span', { class: 'key in' }, 'In ', h('strong', { class: 'figure' }, money(sum(0)))), h('span', { class: 'key out' }, 'Out ', h('strong', { class: 'figure' }, money(sum(1))))],
    [plot],
    table('Money in and out by month', ['Month', `In, ${ofCurrency(scope.currency)}`, `Out, ${ofCurrency(scope.currency)}`], names.map((name, index) => [ofMonth(name), money(pairs[index][0]), money(pairs[index][1])])));
}

function monthRange(lastDay) {
  const [year, month] = lastDay.split('-').map(Number);
  return Array.from({ length: months }, (_, index) => new Date(Date.UTC(year, month - months + index, 1)).toISOString().slice(0, 7));
}

// --- by category

function categories(scope, transactions, lastDay, isOut) {
  const first = monthRange(lastDay)[0];
  const sums = sumBy(transactions.filter(one => isIn(one) !== isOut && dayOf(one) >= first), categoryOf);
  const sorted = [...sums].map(([name, amount]) => [name, absolute(amount)]).toSorted(([, a], [, b]) => compare(b, a));
  const shown = sorted.slice(0, shownCategories);
  const rest = sorted.slice(shownCategories);
  if (rest.length > 0) {
    shown.push([`${count(rest.length, 'other category', 'other categories')}`, rest.reduce((total, [, amount]) => add(total, amount), zero)]);
  }
  const most = Math.max(...shown.map(([, amount]) => position(amount)), Number.MIN_VALUE);
  const title = isOut ? 'Where it went' : 'Where it came from';
  return h('section', { class: 'figure', 'aria-label': `${title}, by category` }, h('h3', {}, title),
    shown.length === 0
      ? h('p', { class: 'soft' }, 'Nothing in these months.')
      : h('ul', { class: 'shares' }, shown.map(([name, amount]) => h('li', {}, h('span', {}, name), h('span', { class: 'figure' }, format(amount, scope.currency)), shareBar(position(amount) / most, isOut ? 'out' : 'in')))));
}

// --- shared

const isIn = transaction => !transaction.amount.startsWith('-');

function sumBy(transactions, keyOf) {
  const sums = new Map();
  for (const one of transactions) {
    const amount = parse(one.amount);
    if (amount) {
      const key = keyOf(one);
      sums.set(key, add(sums.get(key) ?? zero, amount));
    }
  }
  return sums;
}

/** An amount on an axis, beside which the currency stands already. Cents are written where one of the ticks has any. */
function short(value, currency, ticks) {
  const size = Math.abs(value);
  const [divided, unit, digits] = size >= 1e6 ? [value / 1e6, 'm', 2] : size >= 1e4 ? [value / 1e3, 'k', 1] : [value, '', mostDigits];
  const hasCents = unit === '' && !ticks.every(Number.isInteger);
  return format(parse(divided.toFixed(digits)), isKnown(currency) ? currency : '', hasCents ? {} : { least: 0 }) + unit;
}

function figure(title, legend, chart, data) {
  return h('figure', { class: 'figure' }, h('figcaption', {}, h('h3', {}, title), h('div', { class: 'legend' }, legend)), chart,
    h('details', {}, h('summary', {}, 'As a table'), data));
}

function table(title, heads, rows) {
  return h('div', { class: 'table-scroll low', tabindex: '0', role: 'region', 'aria-label': title },
    h('table', {}, h('thead', {}, h('tr', {}, heads.map((head, index) => h('th', { scope: 'col', class: index ? 'figure' : null }, head)))),
      h('tbody', {}, rows.map(([first, ...others]) => h('tr', {}, h('th', { scope: 'row' }, first), others.map(other => h('td', { class: 'figure' }, other)))))));
}
