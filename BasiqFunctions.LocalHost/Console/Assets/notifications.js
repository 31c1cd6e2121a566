import { $, action, h, show } from './dom.js';
import { call } from './api.js';
import { breakable, fact, live, liveRows, openingRow, short } from './live.js';
import { ofDelivery, ofMoment, ofSecond } from './words.js';

// What this app tells a team's backend as it happens, and a subscription of this host to itself, to see such a message arrive.

const name = 'console';
const lamps = { pending: 'busy', delivered: 'completed', failed: 'failed', folded: 'quiet' };

const showSent = liveRows($('notifications-list'), sent => `${sent.subscription} ${sent.delivery.messageId}`, isNew => openingRow(isNew, summaryOf, factsOf));

let isSubscribed = null;
let isAnySubscribed = null;

const notifications = live('notifications', '/console/notifications', 2000, data => {
  showSent(data.sent);
  showFailing(data.subscriptions);
  showReceived(data.received);
  showForm(data.subscriptions.some(subscription => subscription.name === name), data.subscriptions.length > 0);
});

export const { start, look } = notifications;

function summaryOf({ subscription, delivery }) {
  return [
    h('span', { class: 'lamp', 'aria-hidden': 'true', data: { state: delivery.status === 'pending' && delivery.attempts > 0 ? 'partial' : lamps[delivery.status] } }),
    h('strong', { class: 'hook-type' }, breakable(delivery.type)), ' ',
    h('time', { datetime: delivery.createdAt }, ofSecond(delivery.createdAt)), ' ',
    h('span', { class: 'hook-did' }, ofDelivery(delivery)), ' ',
    h('span', { class: 'hook-about soft' }, h('span', {}, 'user ', h('code', {}, short(delivery.userId))), ' ', h('span', {}, 'to ', h('code', {}, subscription))),
  ];
}

function factsOf({ subscription, delivery }) {
  return [
    fact('Message', delivery.messageId),
    fact('Subscription', subscription),
    fact('User', delivery.userId),
    fact('Attempts', String(delivery.attempts)),
    delivery.lastAttemptAt ? fact('Last attempt', `${ofMoment(delivery.lastAttemptAt)}: ${delivery.lastResult}`) : null,
    delivery.nextAttemptAt ? fact('Next attempt', ofMoment(delivery.nextAttemptAt)) : null,
  ];
}

function showFailing(subscriptions) {
  const failing = subscriptions.filter(subscription => subscription.failingSince);
  show($('notifications-failing'), failing.map(subscription => h('p', {}, h('code', {}, subscription.name), ` has taken nothing since ${ofMoment(subscription.failingSince)}.`)));
}

let shown = '';

function showReceived(received) {
  const next = JSON.stringify(received.map(message => message.messageId));
  if (next === shown) {
    return;
  }
  shown = next;
  const [last] = received;
  show($('notifications-received'), last
    ? [
      h('p', {}, 'Arrived here at ', h('time', { datetime: last.receivedAt }, ofSecond(last.receivedAt)), ', and its signature is genuine:'),
      h('pre', { class: 'message', tabindex: '0', 'aria-label': 'The last message that arrived' }, JSON.stringify(last.message, null, 2)),
    ]
    : null);
}

function showForm(isSubscribedNow, isAny) {
  if (isSubscribedNow === isSubscribed && isAny === isAnySubscribed) {
    return;
  }
  const hadFocus = $('notifications-form').contains(document.activeElement);
  isSubscribed = isSubscribedNow;
  isAnySubscribed = isAny;
  show($('notifications-form'),
    h('p', { class: 'soft' }, isSubscribed ? ['This host receives what it sends, as the subscription ', h('code', {}, name), '.']
      : isAny ? 'Other receivers are told. This host can be one more, so that you see what arrives.'
        : 'Nobody is told yet. This host can subscribe to itself, so that you see what your backend would get.'),
    h('div', { class: 'actions' }, isSubscribed
      ? [
        action('Send a test message', { class: 'small' }, async () => {
          const answer = await call(null, 'POST', '/api/notifications/test', { query: { name } });
          await say(!answer.ok ? answer.problem.detail : answer.data.delivered ? 'Delivered.' : `It did not arrive: ${answer.data.result}.`);
        }),
        action('Unsubscribe', { class: 'small quiet' }, async () => {
          const answer = await call(null, 'DELETE', '/api/notifications/subscription', { query: { name } });
          await say(answer.ok ? 'Unsubscribed.' : answer.problem.detail);
        }),
      ]
      : action('Send them here', { class: 'small' }, async () => {
        const answer = await call(null, 'PUT', '/api/notifications/subscription', { query: { name }, body: { url: `${location.origin}/console/notifications` } });
        await say(answer.ok ? 'Subscribed.' : [answer.problem.detail, ...(answer.problem.errors?.url ?? [])].join(' '));
      })));
  if (hadFocus) {
    $('notifications-form').querySelector('button').focus();
  }
}

async function say(text) {
  $('notifications-news').textContent = text;
  await notifications.look();
}
