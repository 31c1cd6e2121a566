import { $, announce, focusOn, lead } from './dom.js';
import { forgetCalls, hasKey, useKey } from './api.js';
import { note, read } from './address.js';
import * as user from './user.js';
import * as bank from './bank.js';
import * as jobs from './jobs.js';
import * as accounts from './accounts.js';
import * as transactions from './transactions.js';
import * as charts from './charts.js';
import * as changes from './changes.js';
import * as reports from './reports.js';
import * as removal from './removal.js';
import * as panel from './panel.js';
import * as webhooks from './webhooks.js';
import * as notifications from './notifications.js';
import { showAllCalls } from './step.js';
import { isOver } from './words.js';

// The page is a function of its address: whatever changes that, a click, Back or a reload, the journey is shown from there.

let under = null;
let shown = { userId: null, syncId: null };
let snapshot = null;

async function start(isForced) {
  const at = read();
  if (!isForced && at.userId === shown.userId && at.syncId === shown.syncId) {
    if (snapshot) {
      showData(at, under.signal);
    }
    return;
  }
  if (at.userId !== shown.userId && shown.userId) {
    forgetCalls();
    showAllCalls();
  }
  under?.abort();
  under = new AbortController();
  if (at.userId !== shown.userId) {
    snapshot = null;
    changes.clear();
  }
  shown = { userId: at.userId, syncId: at.syncId };
  await unlessAborted(run(at, under.signal));
}

async function unlessAborted(work) {
  try {
    await work;
  } catch (error) {
    if (error.name !== 'AbortError') {
      throw error;
    }
  }
}

async function run(at, signal) {
  if (!at.userId) {
    user.showForm();
    clearFrom();
    return;
  }
  if (!await user.showUser(at.userId, signal)) {
    clearFrom();
    return;
  }
  removal.offer(at.userId, gone);
  let connections = await bank.showBanks(at.userId, { error: at.error, hasSync: Boolean(at.syncId), signal });
  if (!at.syncId) {
    const hasBanks = connections?.length !== 0;
    jobs.clear(hasBanks ? 'No sync is followed here. Refresh a bank, or choose one of the recent syncs.' : '');
    if (hasBanks) {
      await loadData(at, signal);
    } else {
      clearData();
    }
    return;
  }
  if (snapshot) {
    // What a refresh will replace stays until then.
    accounts.showAccounts(at.userId, snapshot, disconnected);
  } else {
    clearData();
    accounts.wait();
  }
  const sync = await jobs.follow(at.userId, at.syncId, {
    signal,
    onConnection: async ids => {
      if (ids.some(id => !bank.knows(id))) {
        connections = await bank.showBanks(at.userId, { hasSync: true, signal });
      }
    },
  });
  panel.look();
  if (sync && isOver(sync.status)) {
    const told = sync.jobs.filter(job => job.nextAction).map(job => job.connectionId);
    connections = await bank.showBanks(at.userId, { hasSync: connections?.length > 0, told, signal });
  }
  await loadData(at, signal, sync?.status === 'completed');
}

/** @param isNews Whether the person waits for it, and is led there. */
async function loadData(at, signal, isNews = false) {
  snapshot = await accounts.load(at.userId, signal);
  if (snapshot === null) {
    transactions.clear();
    charts.clear();
    changes.clear();
    reports.clear();
    return;
  }
  accounts.showAccounts(at.userId, snapshot, disconnected);
  if (isNews) {
    lead($('accounts-title'));
  }
  changes.follow(at.userId);
  await Promise.all([showData(read(), signal), reports.offer(at.userId, snapshot.accounts, signal)]);
}

async function disconnected(name) {
  announce(`${name} has been disconnected.`);
  focusOn($('accounts-title'));
  await start(true);
}

async function showData(at, signal) {
  transactions.showTransactions(at.userId, snapshot, at);
  await charts.showCharts(at.userId, snapshot, signal);
}

function clearFrom() {
  bank.clear();
  jobs.clear();
  clearData();
  changes.clear();
  removal.clear();
}

function clearData() {
  snapshot = null;
  accounts.clear();
  transactions.clear();
  charts.clear();
  reports.clear();
}

function gone() {
  under.abort();
  shown = { userId: '', syncId: '' };
  note({ userId: '', syncId: '', accountId: '', from: '', to: '', status: '', scope: '' });
  user.showForm();
  bank.clear();
  jobs.clear();
  clearData();
  changes.clear();
  panel.look();
}

document.addEventListener('click', event => {
  const link = event.target.closest('a[data-go]');
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) {
    return;
  }
  event.preventDefault();
  history.pushState(null, '', link.getAttribute('href'));
  start();
  focusOn($(link.dataset.go || 'user-title'));
});
document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  focusOn(document.querySelector('.step:is([data-state="now"], [data-state="busy"]) h2') ?? $('journey'), 'start');
});
addEventListener('addresschange', () => start());
addEventListener('popstate', () => start());
addEventListener('retry', () => start(true));

// Back from the consent page: the browser may bring the page back as it was left, and much may have happened since.
addEventListener('pageshow', event => {
  if (event.persisted) {
    start(true);
  }
});

// What Basiq told of and the app acted on is to be seen without a reload, where it is about this user.
addEventListener('webhooks', async ({ detail }) => {
  panel.look();
  const { userId, syncId } = read();
  const outcomes = detail.filter(webhook => webhook.userId === userId).map(webhook => webhook.outcome);
  if (outcomes.some(outcome => outcome === 'removed' || outcome === 'still-consented')) {
    const focused = document.activeElement;
    await start(true);
    if (!focused.isConnected) {
      focusOn($('accounts-title'));
    }
  } else if (outcomes.some(outcome => outcome === 'marked' || outcome === 'noted')) {
    await unlessAborted(bank.showBanks(userId, { hasSync: Boolean(syncId), signal: under.signal }));
  }
});

// What was fetched in the background, too, once the person wants to see it; a sync that is followed shows its own.
addEventListener('newerdata', ({ detail: dataAsOf }) => {
  if (snapshot && $('jobs').dataset.state !== 'busy' && Date.parse(dataAsOf) > Date.parse(snapshot.fetchedAt)) {
    accounts.offerNewer(() => unlessAborted(loadData(read(), under.signal, true)));
  }
});

addEventListener('keyneeded', () => {
  if ($('key-form').hidden) {
    $('key-form').hidden = false;
    $('key-error').textContent = hasKey() ? 'This key is not the right one.' : '';
    $('key').focus();
  }
});
$('key-form').addEventListener('submit', event => {
  event.preventDefault();
  useKey($('key').value);
  $('key').value = '';
  $('key-form').hidden = true;
  panel.look();
  webhooks.look();
  notifications.look();
  start(true);
});

// The journey waits for the banks' time zone, which the panel brings, and not for long.
const panelIsThere = panel.start();
webhooks.start();
notifications.start();
await Promise.race([panelIsThere, new Promise(resolve => { setTimeout(resolve, 1000); })]);
await start(true);
