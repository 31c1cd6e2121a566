import { action, announce, focusOn, h, show } from './dom.js';
import { call, download } from './api.js';
import { format } from './money.js';
import { problemBox, step } from './step.js';
import { count, ofMoment } from './words.js';

// Asks for a report, waits until Basiq has made it, and shows it as a page to read, with the PDF to download.

const all = '/api/users/{userId}/reports';
const one = `${all}/{reportId}`;
const here = step('reports', [['POST', all], ['GET', `${one}/summary`], ['GET', one]]);
const sections = ['Income', 'Non-Discretionary Expenses', 'Discretionary Expenses', 'Other Expenses', 'Liabilities'];

// Basiq's metrics of what comes in, what goes out, and what of that pays debts off.
const totals = { ME033: 'Income', ME034: 'Expenses', ME008: 'Liabilities' };

// Basiq's amounts are in the currency of its reports.
const currency = 'AUD';

let asked = null;

export function clear() {
  asked?.abort();
  asked = null;
  here.set('todo');
  here.clear();
}

/** Offers to ask for a report about the user, and shows the last one that there is. */
export async function offer(userId, accounts, signal) {
  clear();
  const page = h('div', { class: 'report' });
  const kind = h('select', { id: 'report-kind' }, h('option', { value: '' }, 'What the person can afford'),
    accounts.map(account => h('option', { value: account.id }, `Statement of ${account.name ?? account.id}`)));
  here.show(
    h('div', { class: 'field' }, h('label', { for: 'report-kind' }, 'Report'), kind),
    h('div', { class: 'actions' }, action('Ask for the report', { class: 'main', id: 'ask-report' }, () => ask(userId, kind.value, page))),
    page);
  const mine = takeTurn();
  const { data } = await call('reports', 'GET', all, { values: { userId }, signal });
  const last = data?.reports.find(report => report.status !== 'failed');
  if (last && !mine.aborted) {
    await follow(userId, last.reportId, page, mine);
  }
}

/** Whoever is to be shown now: what was waited for before is not shown any more. */
function takeTurn() {
  asked?.abort();
  asked = new AbortController();
  return asked.signal;
}

async function ask(userId, accountId, page) {
  const signal = takeTurn();
  const from = `${new Date().getFullYear() - 1}-01-01`;
  const body = accountId ? { type: 'statement', accountIds: [accountId], from } : { type: 'affordability' };
  const result = await unlessAborted(call('reports', 'POST', all, { values: { userId }, body, signal }));
  if (!result) {
    return;
  }
  if (!result.ok) {
    here.set('failed');
    show(page, problemBox(result));
    return;
  }
  if (await follow(userId, result.data.reportId, page, signal)) {
    announce('The report is ready.');
    focusOn(page.querySelector('h3'));
  }
}

/** Waits until a report can be read, and shows it; true when it came to that. */
async function follow(userId, reportId, page, signal) {
  here.set('busy');
  show(page, h('p', { class: 'soft', role: 'status' }, 'Basiq makes the report …'));
  const values = { userId, reportId };
  let summary = await unlessAborted(call('reports', 'GET', `${one}/summary`, { values, signal }));
  while (summary?.status === 202) {
    await new Promise(resolve => { setTimeout(resolve, 1000 * Math.max(1, summary.retryAfter)); });
    summary = await unlessAborted(call('reports', 'GET', `${one}/summary`, { values, signal }));
  }
  if (!summary) {
    return false;
  }
  if (!summary.ok) {
    here.set('failed');
    show(page, problemBox(summary));
    return false;
  }
  const whole = await unlessAborted(call('reports', 'GET', one, { values, signal }));
  if (!whole) {
    return false;
  }
  if (!whole.ok) {
    here.set('failed');
    show(page, problemBox(whole));
    return false;
  }
  here.set('done', 'Ready');
  const trouble = h('div');
  show(page,
    h('h3', {}, whole.data.title),
    h('p', { class: 'soft' }, `Made by Basiq ${ofMoment(whole.data.createdDate)}.`),
    h('div', { class: 'actions' },
      action('Download the PDF', { class: 'small', id: 'report-pdf' }, () => save(values, trouble)),
      action('Delete the report', { class: 'small quiet', id: 'report-delete' }, () => remove(values, page, trouble))),
    trouble,
    summary.data.groups.length > 0 ? assessed(summary.data) : statement(whole.data.data));
  return true;
}

function assessed({ metrics, groups, riskFlags }) {
  return [
    h('dl', { class: 'totals' }, Object.entries(totals).filter(([id]) => metrics[id]).map(([id, name]) => h('div', {}, h('dt', {}, `${name} a month`), h('dd', {}, format(metrics[id].value, currency))))),
    h('p', {}, riskFlags.length > 0 ? ['Risks: ', riskFlags.map(flag => flag.title).join(', '), '.'] : 'Basiq flags no risk.'),
    sections.map(section => [section, groups.filter(group => group.sections.includes(section))]).filter(([, list]) => list.length > 0).map(([section, list]) => h('section', { 'aria-label': section },
      h('h4', {}, section),
      table(['', 'A month', 'In all'], list.map(group => [`${group.title ?? group.id} (${group.transactions ?? 0})`, format(group.month, currency), format(group.total, currency)])))),
    h('details', {}, h('summary', {}, `All ${count(Object.keys(metrics).length, 'metric')}`),
      table(['Metric', 'Value'], Object.entries(metrics).map(([id, metric]) => [`${metric.title ?? id}`, metric.unit === 'money' ? format(metric.value, currency) : metric.value ?? '–']))),
  ];
}

function statement({ identity, institution, account }) {
  return [
    identity ? h('p', {}, identity.fullName, institution ? `, ${institution.name}` : '') : null,
    table(['Account', 'Balance'], (account ?? []).map(one => [one.name ?? one.id, format(one.balance, one.currency ?? currency)])),
    h('p', { class: 'soft' }, 'Its transactions are in the PDF.'),
  ];
}

const table = (heads, rows) => h('table', {},
  h('thead', {}, h('tr', {}, heads.map((head, column) => (head ? h('th', column > 0 ? { scope: 'col', class: 'figure' } : { scope: 'col' }, head) : h('td', {}))))),
  h('tbody', {}, rows.map(([first, ...rest]) => h('tr', {}, h('th', { scope: 'row' }, first), rest.map(cell => h('td', { class: 'figure' }, cell))))));

async function save(values, trouble) {
  const result = await download('reports', one, { values, type: 'application/pdf' });
  if (!result.ok) {
    show(trouble, problemBox(result));
    return;
  }
  const url = URL.createObjectURL(result.file);
  h('a', { href: url, download: `report-${values.reportId}.pdf` }).click();
  // A browser may begin to read it only now.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

async function remove(values, page, trouble) {
  const result = await call('reports', 'DELETE', one, { values });
  if (!result.ok) {
    show(trouble, problemBox(result));
    return;
  }
  here.set('todo');
  show(page, h('p', { role: 'status' }, 'Deleted, here and at Basiq.'));
  focusOn(here.title);
}

async function unlessAborted(work) {
  try {
    return await work;
  } catch (error) {
    if (error.name !== 'AbortError') {
      throw error;
    }
    return null;
  }
}
