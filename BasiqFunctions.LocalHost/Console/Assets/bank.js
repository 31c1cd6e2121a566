import { action, announce, confirm, h, show } from './dom.js';
import { call } from './api.js';
import { href } from './address.js';
import { problemBox, step } from './step.js';
import { plain, ofDay } from './words.js';

const here = step('bank', [['POST', '/api/users/{userId}/consent-link']]);
const banks = new Map();
let names = {};

/** Names of banks by institution id, where they are known. */
export const useNames = known => { names = known ?? {}; };

export const bankOf = institutionId => names[institutionId] ?? institutionId ?? 'A bank';

/** The bank behind a connection, as far as it is known by now. */
export const bankOfConnection = connectionId => (banks.has(connectionId) ? bankOf(banks.get(connectionId)) : 'The bank');

export const knows = connectionId => banks.has(connectionId);

export const clear = () => {
  here.set('todo');
  here.clear();
};

/** Leaves for the consent page; on the way back the app starts the sync and sends the browser here. */
export async function connect(userId, request, place) {
  const result = await call('bank', 'POST', '/api/users/{userId}/consent-link', {
    values: { userId },
    body: { ...request, returnUrl: location.origin + href({ userId, syncId: '', accountId: '', scope: '', from: '', to: '', status: '', managed: request.action === 'manage' ? '1' : '' }) },
  });
  if (result.ok) {
    location.assign(result.data.url);
    return;
  }
  show(place, problemBox(result));
}

/** The banks of a user, and the way to another. */
export async function showBanks(userId, { error, isManaged, hasSync, signal }) {
  const result = await call('bank', 'GET', '/api/users/{userId}/connections', { values: { userId }, signal });
  const connections = result.ok ? result.data.connections : [];
  for (const connection of connections) {
    banks.set(connection.id, connection.institution?.id);
  }
  here.set(connections.length > 0 ? 'done' : hasSync ? 'busy' : 'now');
  const place = h('div');
  const consents = connections.length > 0 ? await consentsOf(userId, place, signal) : null;
  here.show(
    // Whoever managed a consent connected nothing either, and did not want to.
    error === 'no-bank-connected' && !isManaged
      ? h('div', { class: 'box warn', role: 'status' }, h('p', {}, h('strong', {}, 'No bank was connected.')), h('p', { class: 'soft' }, 'You came back from the consent page without agreeing. Nothing has been fetched.'))
      : null,
    result.ok ? null : problemBox(result),
    connections.length > 0 ? h('ul', { class: 'banks' }, connections.map(connection => line(userId, connection, place))) : null,
    consents,
    h('div', { class: 'actions' },
      action(connections.length > 0 ? 'Connect another bank' : 'Connect a bank', { class: connections.length > 0 ? '' : 'main', id: 'connect-bank' }, () => connect(userId, {}, place))),
    place);
  return connections;
}

/** The consents, each with its end and a way out: what it covered is deleted then. */
async function consentsOf(userId, place, signal) {
  const result = await call('bank', 'GET', '/api/users/{userId}/consents', { values: { userId }, signal });
  if (!result.ok || result.data.consents.length === 0) {
    return null;
  }
  const revoke = async consentId => {
    if (!await confirm('Revoke this consent?', 'The app may not use the bank’s data any more, and deletes what it fetched.', 'Revoke', 'really-revoke')) {
      return;
    }
    const revoked = await call('bank', 'DELETE', '/api/users/{userId}/consents/{consentId}', { values: { userId, consentId } });
    if (!revoked.ok) {
      show(place, problemBox(revoked));
      return;
    }
    announce('The consent has been revoked, and the data deleted.');
    dispatchEvent(new Event('retry'));
  };
  return h('ul', { class: 'banks consents' }, result.data.standings.map(standing => h('li', {},
    h('span', { class: 'grow' }, h('strong', {}, 'Consent'), h('span', { class: 'soft block' },
      standing.endsAt ? `${standing.status === 'active' ? 'Ends' : 'Ended'} ${ofDay(standing.endsAt)}` : '', standing.warnedAt ? `, announced ${ofDay(standing.warnedAt)}` : '')),
    h('span', { class: 'pill', data: { state: standing.status === 'active' ? 'done' : 'failed' } }, plain(standing.status)),
    standing.status === 'active'
      ? h('div', { class: 'actions' },
        action('Manage', { class: 'small', 'aria-label': 'Manage the consent on the consent page' }, () => connect(userId, { action: 'manage' }, place)),
        action('Revoke', { class: 'small', 'aria-label': 'Revoke the consent' }, () => revoke(standing.consentId)))
      : null)));
}

function line(userId, connection, place) {
  const isGood = connection.status === 'active';
  return h('li', {},
    h('span', { class: 'mark', 'aria-hidden': 'true' }, bankOf(connection.institution?.id).slice(0, 1)),
    h('span', { class: 'grow' }, h('strong', {}, bankOf(connection.institution?.id)), h('span', { class: 'soft block' },
      connection.expiryDate ? `Consent until ${ofDay(connection.expiryDate)}` : 'Connected')),
    h('span', { class: 'pill', data: { state: isGood ? 'done' : connection.status === 'invalid' ? 'failed' : 'busy' } }, plain(connection.status)),
    connection.status === 'invalid'
      ? action('Connect again', { class: 'small', 'aria-label': `Connect again: ${bankOf(connection.institution?.id)}` }, () => connect(userId, { action: 'reauthorise', connectionId: connection.id }, place))
      : null);
}
