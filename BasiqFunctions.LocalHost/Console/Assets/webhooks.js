import { $, h, show } from './dom.js';
import { breakable, fact, live, liveRows, openingRow, short } from './live.js';
import { count, ofMoment, ofOutcome, ofSecond } from './words.js';

// What Basiq tells this host as it happens: the last webhooks, each with what the app did about it.

const mostSaid = 3;

let known = null;

const showRows = liveRows($('webhooks-list'), webhook => webhook.eventId, isNew => openingRow(isNew, summaryOf, factsOf));

export const { start, look } = live('webhooks', '/console/webhooks', 1000, ({ isSubscribed, webhooks }) => {
  show($('webhooks-none'), webhooks.length > 0 ? null : none(isSubscribed));
  showRows(webhooks);
  tell(webhooks);
});

function none(isSubscribed) {
  return isSubscribed
    ? h('p', { class: 'soft' }, 'None yet. Basiq sends one when a bank is connected or read, and when a consent is revoked or ends; each appears here by itself.')
    : h('p', { class: 'soft' }, 'None yet, and Basiq sends none: the app has no subscription. ', h('code', {}, 'PUT /api/webhooks/basiq/subscription'), ' with the address of ', h('code', {}, '/api/webhooks/basiq'), ' makes one.');
}

function summaryOf(webhook) {
  const about = [
    webhook.userId ? ['user ', h('code', {}, short(webhook.userId))] : null,
    webhook.connectionId ? ['connection ', h('code', {}, short(webhook.connectionId))] : null,
    webhook.webhookId ? ['webhook ', h('code', {}, short(webhook.webhookId))] : 'no webhook told of it',
  ].filter(part => part).map(part => [h('span', {}, part), ' ']);
  return [
    h('span', { class: 'lamp', 'aria-hidden': 'true', data: { state: lampOf(webhook) } }),
    h('strong', { class: 'hook-type' }, breakable(webhook.type ?? 'A message')), ' ',
    h('time', { datetime: webhook.receivedAt }, ofSecond(webhook.receivedAt)), ' ',
    h('span', { class: 'hook-did' }, ofOutcome(webhook)), ' ',
    h('span', { class: 'hook-about soft' }, about),
  ];
}

function factsOf(webhook) {
  return [
    fact('Received', ofMoment(webhook.receivedAt)),
    webhook.userId ? fact('User', h('a', { href: `/?${new URLSearchParams({ userId: webhook.userId })}`, data: { go: 'user-title' } }, webhook.userId)) : null,
    webhook.connectionId ? fact('Connection', webhook.connectionId) : null,
    fact('Webhook', webhook.webhookId ?? 'None: found by the daily look at Basiq’s events'),
    fact('Event', webhook.eventId),
  ];
}

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
