import { action, announce, busy, confirm, focusOn, h, show } from './dom.js';
import { call } from './api.js';
import { href } from './address.js';
import { bankDay } from './days.js';
import { bankOf, find, load } from './institutions.js';
import { untilRemoved } from './removal.js';
import { problemBox, retryBox, step } from './step.js';
import { count, ofAction, ofCondition, ofDay, ofMethod, ofNeed, plain } from './words.js';

const here = step('bank', [['POST', '/api/users/{userId}/consent-link']]);
const banks = new Map();
const mostShown = 6;

// The way to another bank. It stays while what stands above it changes: somebody may be typing there.
let way = null;

/** The bank behind a connection, as far as it is known by now. */
export const bankOfConnection = connectionId => (banks.has(connectionId) ? bankOf(banks.get(connectionId)) : 'The bank');

export const knows = connectionId => banks.has(connectionId);

export const clear = () => {
  way = null;
  here.set('todo');
  here.clear();
};

/** Leaves for the consent page; on the way back the app starts the sync and sends the browser here. */
export async function connect(userId, request, place) {
  const result = await call('bank', 'POST', '/api/users/{userId}/consent-link', {
    values: { userId },
    body: { ...request, returnUrl: location.origin + href({ userId, syncId: '', accountId: '', scope: '', from: '', to: '', status: '' }) },
  });
  if (result.ok) {
    location.assign(result.data.url);
    return;
  }
  show(place, problemBox(result));
}

/** The banks of a user, null when they cannot be had, and the way to another. @param told Connections of which the jobs say already what is wrong. */
export async function showBanks(userId, { error, hasSync, told = [], signal }) {
  const noList = await load(signal);
  const result = await call('bank', 'GET', '/api/users/{userId}/connections', { values: { userId }, signal });
  const connections = result.ok ? result.data.connections : [];
  for (const connection of connections) {
    banks.set(connection.id, connection.institution?.id);
  }
  const consented = connections.length > 0 ? await call('bank', 'GET', '/api/users/{userId}/consents', { values: { userId }, signal }) : null;
  const standings = consented?.data?.standings ?? [];
  const isInForce = standings.length === 0 || !standings.every(hasEnded);
  const needy = connections.filter(needOf);
  if (!result.ok) {
    here.set('failed');
  } else if (connections.length === 0) {
    here.set(hasSync ? 'busy' : 'now');
  } else if (!consented.ok) {
    here.set('partial', 'Consent unknown');
  } else if (isInForce) {
    here.set(needy.length > 0 ? 'partial' : 'done', needy.length > 0 ? 'Needs you' : undefined);
  } else {
    here.set('failed', 'Consent ended');
  }
  const isConnected = !result.ok || (connections.length > 0 && isInForce);
  const key = JSON.stringify([userId, noList?.problem.detail, isConnected]);
  if (way?.key !== key) {
    const place = h('div');
    const above = h('div');
    way = { key, place, above };
    here.show(
      above,
      isConnected
        ? h('details', { class: 'another' }, h('summary', {}, 'Connect another bank'), picker(userId, noList, place))
        : picker(userId, noList, place),
      place);
  }
  const { place } = way;
  show(
    way.above,
    error === 'no-bank-connected'
      ? h('div', { class: 'box warn', role: 'status' }, h('p', {}, h('strong', {}, 'No bank was connected.')), h('p', { class: 'soft' }, 'You came back from the consent page without agreeing. Nothing has been fetched.'))
      : null,
    result.ok ? null : retryBox(result),
    consented && !consented.ok ? retryBox(consented) : null,
    connections.length > 0 ? h('ul', { class: 'banks' }, connections.map(connection => line(userId, connection, { isInForce, isTold: told.includes(connection.id), place }))) : null,
    standings.length > 0 ? consents(userId, standings, place) : null);
  if (isConnected && consented?.ok && needy.length === 0 && hasSync && error !== 'no-bank-connected') {
    here.fold(`${[...new Set(connections.map(connection => bankOf(connection.institution?.id)))].join(', ')}${standings[0]?.endsAt ? `, consent until ${ofDay(bankDay(standings[0].endsAt))}` : ''}`);
  }
  return result.ok ? connections : null;
}

const hasEnded = standing => standing.status === 'revoked' || standing.status === 'expired';

const needOf = connection => connection.attention?.nextAction ?? (connection.status === 'active' || connection.status === 'pending' ? null : 'reconnect');

/** The banks there are, to be found by name; the consent page has a list of its own for whoever would rather choose there. */
function picker(userId, noList, place) {
  const list = h('ul', { class: 'choices', 'aria-label': 'Banks' });
  const said = h('p', { class: 'soft', id: 'banks-found', role: 'status' });
  const search = h('input', { type: 'search', id: 'bank-search', autocomplete: 'off', 'aria-describedby': 'banks-found' });
  const choose = (bank, element) => busy(element, () => connect(userId, { institutionId: bank.id }, place));
  const look = () => {
    const found = find(search.value);
    show(list, found.slice(0, mostShown).map(bank => choice(bank, choose)));
    said.textContent = found.length === 0
      ? 'No bank has this name.'
      : found.length > mostShown ? `${mostShown} of ${count(found.length, 'bank')}. Type a name to find the others.` : count(found.length, 'bank');
  };
  const form = h('form', { class: 'picker', role: 'search' },
    h('div', { class: 'field' }, h('label', { for: 'bank-search' }, 'Find your bank'), search), list, said);
  search.addEventListener('input', look);
  form.addEventListener('submit', event => {
    event.preventDefault();
    const [only, another] = find(search.value).filter(isOpen);
    if (only && !another) {
      return choose(only, search);
    }
    list.querySelector('button')?.focus();
    return null;
  });
  look();
  return [
    noList ? h('p', { class: 'soft' }, `The list of banks cannot be had: ${noList.problem.detail}`) : form,
    h('div', { class: 'actions' }, action('Choose on the consent page', { class: noList ? 'main' : 'quiet', id: 'connect-bank' }, () => connect(userId, {}, place))),
  ];
}

const isOpen = bank => bank.status !== 'major-outage';

const isWebAddress = text => /^https?:\/\//.test(text ?? '');

/** A bank, how it is, and the way to it. Its logo is a link: this page loads nothing from elsewhere. */
function choice(bank, choose) {
  const facts = [bank.methods.map(ofMethod).join(' or '), ofCondition(bank.status), bank.stage === 'live' ? '' : plain(bank.stage)].filter(fact => fact);
  return h('li', {},
    h('span', { class: 'mark', 'aria-hidden': 'true' }, bank.name.slice(0, 1)),
    h('span', { class: 'grow' }, h('strong', {}, bank.name), h('span', { class: 'soft block' }, facts.join(' · '))),
    isWebAddress(bank.logoUrl) ? h('a', { class: 'soft', href: bank.logoUrl, target: '_blank', rel: 'noopener noreferrer', 'aria-label': `Logo of ${bank.name}, in a new tab` }, 'Logo') : null,
    isOpen(bank)
      ? h('button', { type: 'button', class: 'small', 'aria-label': `Connect ${bank.name}`, onclick: event => choose(bank, event.currentTarget) }, 'Connect')
      : null);
}

/** Each consent with a way out: what it covered is deleted then. */
function consents(userId, standings, place) {
  const revoke = async consentId => {
    if (!await confirm('Revoke this consent?', 'The app may not use the bank’s data any more, and deletes what it fetched.', 'Revoke', 'really-revoke')) {
      return;
    }
    const revoked = await call('bank', 'DELETE', '/api/users/{userId}/consents/{consentId}', { values: { userId, consentId } });
    if (!revoked.ok) {
      show(place, problemBox(revoked));
      return;
    }
    if (await untilRemoved('bank', userId, revoked, place)) {
      announce('The consent has been revoked, and the data deleted.');
      dispatchEvent(new Event('retry'));
      focusOn(here.title);
    }
  };
  return h('ul', { class: 'banks consents' }, standings.map(standing => h('li', {},
    h('span', { class: 'grow' }, h('strong', {}, 'Consent'), h('span', { class: 'soft block' },
      standing.endsAt ? `${hasEnded(standing) ? 'Ended' : 'Ends'} ${ofDay(bankDay(standing.endsAt))}` : '', standing.warnedAt ? `, announced ${ofDay(bankDay(standing.warnedAt))}` : '')),
    h('span', { class: 'pill', data: { state: hasEnded(standing) ? 'failed' : standing.status === 'active' ? 'done' : 'busy' } }, plain(standing.status)),
    !hasEnded(standing)
      ? h('div', { class: 'actions' },
        action('Manage', { class: 'small', 'aria-label': 'Manage the consent on the consent page' }, () => connect(userId, { action: 'manage' }, place)),
        action('Revoke', { class: 'small', 'aria-label': 'Revoke the consent' }, () => revoke(standing.consentId)))
      : null)));
}

/** A bank that is connected: what it needs, unless its consent has ended or its job says it already. */
function line(userId, connection, { isInForce, isTold, place }) {
  const name = bankOf(connection.institution?.id);
  const need = isInForce ? needOf(connection) : null;
  const [state, word] = !isInForce
    ? ['failed', 'No consent']
    : need ? ['failed', ofNeed(need)] : [connection.status === 'active' ? 'done' : 'busy', plain(connection.status)];
  return h('li', {},
    h('span', { class: 'mark', 'aria-hidden': 'true' }, name.slice(0, 1)),
    h('span', { class: 'grow' }, h('strong', {}, name), h('span', { class: 'soft block' },
      need && !isTold ? ofAction(need) : connection.expiryDate && isInForce ? `Consent until ${ofDay(bankDay(connection.expiryDate))}` : '')),
    h('span', { class: 'pill', data: { state } }, word),
    need && !isTold ? nextStep(userId, connection, need, name, place) : null);
}

function nextStep(userId, connection, need, name, place) {
  const next = connection.attention?.continueWith ?? { action: 'reauthorise', connectionId: connection.id };
  const label = { reconnect: 'Connect again', 'finish-connecting': 'Go on' }[need];
  return label ? action(label, { class: 'small', 'aria-label': `${label}: ${name}` }, () => connect(userId, next, place)) : null;
}
