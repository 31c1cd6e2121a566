// The API's states in words for a person, and its dates.

const syncs = {
  'waiting-for-bank': 'Waiting for the bank', fetching: 'Fetching accounts', completed: 'Completed', partial: 'Partly completed',
  failed: 'Failed', cancelled: 'Cancelled',
};

const jobs = { pending: 'Not begun', 'in-progress': 'In progress', success: 'Done', failed: 'Failed', 'timed-out': 'Timed out' };

const steps = {
  'verify-credentials': 'Check the login', 'retrieve-accounts': 'Read the accounts', 'retrieve-transactions': 'Read the transactions',
  'mfa-challenge': 'Confirm with a code', 'retrieve-statements': 'Read the statements',
};

const actions = {
  reconnect: 'Connect the bank again with the right login. An account that is locked must be unlocked at the bank first.',
  'act-at-bank': 'Log in at the bank’s own site, clear what it asks for, then try again.',
  'retry-later': 'The bank is not available at the moment. Wait ten minutes or so, then try again.',
  'wait-for-bank': 'The bank is out of order. Nothing needs to be done: it is asked again when it is back.',
  'finish-connecting': 'Connecting it was left half-way. Go on where it was left.',
  'contact-support': 'Ask Basiq’s support, and give them the code and the detail.',
};

const needs = {
  reconnect: 'Connect it again', 'act-at-bank': 'Needs you at the bank', 'retry-later': 'Try again later', 'wait-for-bank': 'Bank is out of order',
  'finish-connecting': 'Left half-way', 'contact-support': 'Ask support',
};

const conditions = {
  operational: 'Works', 'under-maintenance': 'Under maintenance, but can be connected', 'degraded-performance': 'Slower than usual',
  'partial-outage': 'Partly out of order', 'major-outage': 'Out of order: try again later',
};

const methods = { 'open-banking': 'Open Banking', web: 'log-in with a password', pdf: 'statements as PDF', csv: 'statements as CSV' };

const classes = {
  transaction: 'Everyday', savings: 'Savings', 'term-deposit': 'Term deposit', 'credit-card': 'Credit card', loan: 'Loan',
  mortgage: 'Home loan', investment: 'Investment', superannuation: 'Superannuation', insurance: 'Insurance', foreign: 'Foreign currency',
};

const kinds = {
  'direct-credit': 'Salary and other deposits', interest: 'Interest earned', 'cash-withdrawal': 'Cash', 'loan-repayment': 'Loan repayments',
  'loan-interest': 'Loan interest', transfer: 'Transfers', refund: 'Refunds', 'bank-fee': 'Bank fees', payment: 'Other payments',
  'direct-debit': 'Direct debits',
};

const reasons = {
  'consent-revoked': 'the consent was revoked', 'consent-expired': 'the consent expired', 'user-deleted': 'the user was deleted',
  'connection-deleted': 'the bank was disconnected', retention: 'it may be kept no longer',
};

const outcomes = {
  removed: 'Removed the data; a receipt stays.', 'nothing-kept': 'Nothing was kept any more.',
  'still-consented': 'Another consent holds; what only this one allowed is gone.', noted: 'Noted that the consent ends soon.',
  'no-such-consent': 'The consent is not there any more.', marked: 'Marked: connect the bank again.',
  'active-again': 'The bank is well again; nothing to do.', woken: 'Woke the waiting sync.',
  fetched: 'Fetches what Basiq has of the bank.', gathered: 'Joined the news that are fetched next.', covered: 'Fetched since; nothing to do.',
  'no-consent': 'No consent is in force: nothing may be read.',
  'no-such-connection': 'The bank is not connected any more.', 'still-there': 'Basiq has the connection; its data stays.',
  'unknown-type': 'Counted; the app does nothing about this kind.', 'no-user': 'It names no user; nothing to do.',
  'no-connection': 'It names no connection; nothing to do.',
};

/** What became of a webhook. */
export function ofOutcome({ state, outcome, trouble }) {
  if (state === 'under-way') {
    return trouble ? `Basiq cannot be asked (${trouble}); the app tries again.` : 'Asking Basiq what happened …';
  }
  return state === 'dropped' ? 'It could not be handled in a week, and was dropped.' : outcomes[outcome] ?? plain(outcome);
}

/** How a delivery of a notification stands. */
export function ofDelivery({ status, attempts, lastResult, nextAttemptAt }) {
  switch (status) {
    case 'delivered': return attempts > 1 ? `Delivered at attempt ${attempts}.` : 'Delivered.';
    case 'folded': return 'A later message says it all.';
    case 'failed': return `Given up after ${count(attempts, 'attempt')}: ${lastResult ?? 'the subscription ended'}.`;
    default: return attempts === 0 ? 'On its way …' : `Attempt ${attempts}: ${lastResult}.${nextAttemptAt ? ` Again at ${ofSecond(nextAttemptAt)}.` : ''}`;
  }
}

export const ofReason = name => reasons[name] ?? plain(name);

export const classOrder = Object.keys(classes);

export const plain = text => {
  const spaced = (text ?? '').replaceAll('-', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

export const ofSync = status => syncs[status] ?? plain(status);
export const ofJob = status => jobs[status] ?? plain(status);
export const ofStep = title => (title ? steps[title] ?? plain(title) : 'Step');
export const ofAction = name => actions[name] ?? plain(name);
export const ofNeed = name => needs[name] ?? plain(name);
export const ofCondition = name => conditions[name] ?? plain(name);
export const ofMethod = name => methods[name] ?? name;
export const ofClass = name => classes[name] ?? plain(name || 'account');
export const ofKind = name => kinds[name] ?? plain(name || 'other');
export const isOver = status => status !== 'waiting-for-bank' && status !== 'fetching';

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString('en-AU')} ${number === 1 ? one : many}`;

const day = new Intl.DateTimeFormat('en-AU', { timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric' });
const dayOfYear = new Intl.DateTimeFormat('en-AU', { timeZone: 'UTC', day: 'numeric', month: 'short' });
const month = new Intl.DateTimeFormat('en-AU', { timeZone: 'UTC', month: 'short', year: 'numeric' });
const shortMonth = new Intl.DateTimeFormat('en-AU', { timeZone: 'UTC', month: 'short' });
const moment = new Intl.DateTimeFormat('en-AU', { dateStyle: 'medium', timeStyle: 'short' });
const clock = new Intl.DateTimeFormat('en-AU', { timeStyle: 'short' });
const second = new Intl.DateTimeFormat('en-AU', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dayAndClock = new Intl.DateTimeFormat('en-AU', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

const valid = text => !Number.isNaN(Date.parse(text));

/** A day, given as 2026-11-24 or as a time at it; banks' days have no time zone. */
export const ofDay = text => (valid(text) ? day.format(new Date(text.slice(0, 10))) : '–');
export const ofDayOfYear = text => (valid(text) ? dayOfYear.format(new Date(text.slice(0, 10))) : '–');
export const ofMonth = text => month.format(new Date(`${text}-01`));
export const ofShortMonth = text => shortMonth.format(new Date(`${text}-01`));
export const ofMoment = text => (valid(text) ? moment.format(new Date(text)) : '–');
export const ofClock = text => (valid(text) ? clock.format(new Date(text)) : '–');

/** To the second when it was today, else with its day. */
export const ofSecond = text => (!valid(text) ? '–' : new Date(text).toDateString() === new Date().toDateString() ? second.format(new Date(text)) : dayAndClock.format(new Date(text)));

/** How long, roughly: "34 s", "12 min", "3 h". */
export function ofSeconds(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 90 ? `${whole} s` : whole < 5400 ? `${Math.round(whole / 60)} min` : whole < 172800 ? `${Math.round(whole / 3600)} h` : `${Math.round(whole / 86400)} days`;
}
