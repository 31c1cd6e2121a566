import { $, h, show } from './dom.js';
import { call } from './api.js';
import { count, ofMoment, ofOutcome, ofSecond } from './words.js';

// What Basiq tells this host as it happens: the last webhooks, each with what the app did about it. A page that nobody sees asks
// nothing.

const every = 1000;
const everyInTrouble = 4000;
const mostSaid = 3;
const rows = new Map();

let known = null;
let turn = 0;
let timer = 0;

/** Begins; resolves when the first answer is there, or refused. */
export async function start() {
  document.addEventListener('visibilitychange', lookIfSeen);
  await look();
}

function lookIfSeen() {
  if (!document.hidden) {
    look();
  }
}

/** Looks at once, and from then on again and again. */
export async function look() {
  clearTimeout(timer);
  const mine = ++turn;
  const result = await call(null, 'GET', '/console/webhooks');
  if (mine === turn) {
    showAnswer(result);
    timer = setTimeout(lookIfSeen, result.ok ? every : everyInTrouble);
  }
}

function showAnswer(result) {
  const live = $('webhooks-live');
  live.dataset.state = result.ok ? 'busy' : 'failed';
  live.lastElementChild.textContent = result.ok ? 'Live' : 'Stopped';
  $('webhooks-trouble').textContent = result.ok ? '' : result.status === 401 ? 'Needs the function key.' : `${result.problem.detail} Asking again every ${everyInTrouble / 1000} s.`;
  if (!result.ok) {
    return;
  }
  const { isSubscribed, webhooks } = result.data;
  show($('webhooks-none'), webhooks.length > 0 ? null : none(isSubscribed));
  showRows(webhooks);
  tell(webhooks);
}

function none(isSubscribed) {
  return isSubscribed
    ? h('p', { class: 'soft' }, 'None yet. Basiq sends one when a bank is connected or read, and when a consent is revoked or ends; each appears here by itself.')
    : h('p', { class: 'soft' }, 'None yet, and Basiq sends none: the app has no subscription. ', h('code', {}, 'PUT /api/webhooks/basiq/subscription'), ' with the address of ', h('code', {}, '/api/webhooks/basiq'), ' makes one.');
}

/** Rows stay as they are while nothing changes in them: open ones stay open, and the focus stays where it is. */
function showRows(webhooks) {
  const list = $('webhooks-list');
  list.hidden = webhooks.length === 0;
  for (const [id, row] of rows) {
    if (!webhooks.some(webhook => webhook.eventId === id)) {
      row.element.remove();
      rows.delete(id);
    }
  }
  let place = list.firstElementChild;
  for (const webhook of webhooks) {
    let row = rows.get(webhook.eventId);
    if (!row) {
      row = makeRow(known !== null);
      rows.set(webhook.eventId, row);
    }
    row.update(webhook);
    if (row.element === place) {
      place = place.nextElementSibling;
    } else {
      list.insertBefore(row.element, place);
    }
  }
}

function makeRow(isNew) {
  const summary = h('summary');
  const facts = h('dl', { class: 'hook-facts' });
  const element = h('li', { class: 'hook', data: isNew ? { fresh: '' } : {} }, h('details', {}, summary, facts));
  let shown = '';
  return {
    element,
    update(webhook) {
      const next = JSON.stringify(webhook);
      if (next === shown) {
        return;
      }
      shown = next;
      const about = [
        webhook.userId ? ['user ', h('code', {}, short(webhook.userId))] : null,
        webhook.connectionId ? ['connection ', h('code', {}, short(webhook.connectionId))] : null,
        webhook.webhookId ? ['webhook ', h('code', {}, short(webhook.webhookId))] : 'no webhook told of it',
      ].filter(part => part).map(part => [h('span', {}, part), ' ']);
      show(summary,
        h('span', { class: 'lamp', 'aria-hidden': 'true', data: { state: lampOf(webhook) } }),
        h('strong', { class: 'hook-type' }, breakable(webhook.type ?? 'A message')), ' ',
        h('time', { datetime: webhook.receivedAt }, ofSecond(webhook.receivedAt)), ' ',
        h('span', { class: 'hook-did' }, ofOutcome(webhook)), ' ',
        h('span', { class: 'hook-about soft' }, about));
      show(facts,
        fact('Received', ofMoment(webhook.receivedAt)),
        webhook.userId ? fact('User', h('a', { href: `/?${new URLSearchParams({ userId: webhook.userId })}`, data: { go: 'user-title' } }, webhook.userId)) : null,
        webhook.connectionId ? fact('Connection', webhook.connectionId) : null,
        fact('Webhook', webhook.webhookId ?? 'None: found by the daily look at Basiq’s events'),
        fact('Event', webhook.eventId));
    },
  };
}

const fact = (term, value) => h('div', {}, h('dt', {}, term), h('dd', {}, value));

/** A word of two parts breaks between them, where it must. */
const breakable = type => type.split('.').flatMap((part, index) => (index > 0 ? ['.', h('wbr'), part] : [part]));

const short = id => (id.length > 10 ? `${id.slice(0, 8)}…` : id);

const quiet = new Set(['nothing-kept', 'still-there', 'active-again', 'covered', 'gathered', 'no-consent', 'no-such-consent', 'no-such-connection', 'unknown-type', 'no-user', 'no-connection']);

const warnings = new Set(['marked', 'noted']);

function lampOf({ state, trouble, outcome }) {
  if (state === 'under-way') {
    return trouble ? 'partial' : 'busy';
  }
  return state === 'dropped' ? 'failed' : quiet.has(outcome) ? 'quiet' : warnings.has(outcome) ? 'partial' : 'completed';
}

/** Says what is new: to a screen reader, when it has said what came before, and to the rest of the page. */
function tell(webhooks) {
  const settled = webhooks.filter(webhook => webhook.state !== 'under-way');
  const fresh = known === null ? [] : settled.filter(webhook => !known.has(webhook.eventId));
  known = new Set(settled.map(webhook => webhook.eventId));
  if (fresh.length === 0) {
    return;
  }
  $('webhooks-news').textContent = `${count(fresh.length, 'webhook')}. ${fresh.slice(0, mostSaid).map(webhook => `${webhook.type ?? 'Unknown'}: ${ofOutcome(webhook)}`).join(' ')}`;
  dispatchEvent(new CustomEvent('webhooks', { detail: fresh }));
}
