import { $, action, announce, busy, focusOn, h, lead, show } from './dom.js';
import { call } from './api.js';
import { go } from './address.js';
import { bankOfConnection, connect } from './bank.js';
import { problemBox, step } from './step.js';
import { count, isOver, ofAction, ofJob, ofStep, ofSync } from './words.js';

const here = step('jobs', [['GET', '/api/users/{userId}/syncs/{syncId}']]);
const route = '/api/users/{userId}/syncs/{syncId}';
const askAgainAfter = 1000;
const states = { completed: 'done', partial: 'partial', failed: 'failed', cancelled: 'failed' };

export const clear = text => {
  here.set('todo');
  here.show(text ? h('p', { class: 'soft' }, text) : null);
};

/** Follows a sync to its end, which it returns; null when there is no such sync. */
export async function follow(userId, syncId, { signal, onConnection }) {
  const view = makeView(userId, syncId);
  lead(here.title);
  let seen = null;
  let firstLook = true;
  while (true) {
    const result = await call('jobs', 'GET', route, { values: { userId, syncId }, signal });
    let wait = Math.max(askAgainAfter, result.retryAfter * 1000);
    if (result.status === 404 || result.status === 400) {
      clear('This sync is not known any more. What it fetched, if anything, is below.');
      return null;
    }
    if (result.ok) {
      show(view.trouble);
      if (result.data.jobs.some(job => job.connectionId)) {
        await onConnection(result.data.jobs.map(job => job.connectionId).filter(id => id));
      }
      tell(seen, result.data, firstLook);
      view.update(result.data);
      seen = result.data;
      firstLook = false;
      if (isOver(seen.status)) {
        if (seen.status === 'completed') {
          here.fold(`${count(seen.accounts.fetched, 'account')} and ${count(seen.transactions, 'transaction')} from ${count(seen.jobs.length, 'bank')}`);
        }
        return seen;
      }
    } else if (result.status === 401) {
      return null;
    } else {
      wait = Math.max(wait, 2000);
      show(view.trouble, problemBox(result, h('p', { class: 'soft' }, `Asking again every ${Math.round(wait / 1000)} s.`)));
    }
    await pause(wait, signal);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(new DOMException('Not wanted any more.', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', abort, { once: true });
  });
}

function makeView(userId, syncId) {
  here.set('busy');
  const status = h('strong', {}, 'Asking …');
  const numbers = h('span', { class: 'soft' });
  const bar = h('progress', { max: 1, 'aria-label': 'Progress of the sync' });
  const jobs = h('ul', { class: 'jobs' });
  const trouble = h('div');
  const buttons = h('div', { class: 'actions' }, cancelButton(userId, syncId, trouble));
  const questions = h('div');
  here.show(h('div', { class: 'sync-line' }, status, numbers), bar, trouble, questions, jobs, buttons);
  let shown = '';
  let asked = '[]';
  return {
    trouble,
    update(sync) {
      const over = isOver(sync.status);
      here.set(over ? states[sync.status] : 'busy', over ? ofSync(sync.status) : undefined);
      status.textContent = ofSync(sync.status);
      numbers.textContent = sync.accounts.total > 0
        ? `${sync.accounts.fetched} of ${count(sync.accounts.total, 'account')} · ${count(sync.transactions, 'transaction')}`
        : count(sync.jobs.length, 'bank');
      bar.value = over && sync.status === 'completed' ? 1 : progress(sync);
      bar.dataset.state = over ? states[sync.status] : 'busy';
      const next = JSON.stringify(sync.jobs) + over;
      if (next !== shown) {
        shown = next;
        show(jobs, sync.jobs.map(job => jobCard(userId, job, over, trouble)));
      }
      const asking = over ? [] : sync.jobs.filter(job => challengeOf(job));
      const nowAsked = JSON.stringify(asking.map(job => [job.jobId, challengeOf(job)]));
      if (nowAsked !== asked) {
        asked = nowAsked;
        show(questions, asking.map(job => question(userId, syncId, job)));
      }
      if (over) {
        // One bank that failed has its button at its own message; so has what the sync says of it.
        const failed = sync.jobs.filter(hasFailed);
        show(buttons, failed.length === 1 ? null : againButton(userId, sync, trouble));
        if (sync.error && failed.length === 0) {
          show(trouble, h('div', { class: 'box bad' }, h('p', {}, h('strong', {}, sync.error.detail ?? sync.error.code)), h('p', { class: 'soft' }, h('code', {}, sync.error.code))));
        }
      }
    },
  };
}

const challengeOf = job => job.steps.find(item => item.challenge)?.challenge;

/** What a bank asks the person in the middle of a job: it waits for the answer. */
function question(userId, syncId, job) {
  const challenge = challengeOf(job);
  const bank = bankOfConnection(job.connectionId);
  const texts = challenge.input.length > 0 ? challenge.input : ['Your answer'];
  const message = h('p', { class: 'field-error', role: 'alert' });
  const form = h('form', { class: 'box warn question' },
    h('h3', {}, `${bank} asks for a confirmation`),
    challenge.description ? h('p', {}, challenge.description) : null,
    texts.map((text, index) => h('div', { class: 'field' },
      h('label', { for: `answer-${job.jobId}-${index}` }, text), h('input', { id: `answer-${job.jobId}-${index}`, autocomplete: 'one-time-code', required: true }))),
    message,
    h('div', { class: 'actions' }, h('button', { class: 'main' }, 'Send the answer')));
  form.addEventListener('submit', event => {
    event.preventDefault();
    return busy(form.querySelector('button'), async () => {
      const inputs = [...form.querySelectorAll('input')];
      const result = await call('jobs', 'POST', `${route}/mfa`, {
        values: { userId, syncId }, body: { 'mfa-response': inputs.map(input => input.value), jobId: job.jobId },
      });
      message.textContent = result.ok ? '' : result.status === 400 ? 'That code is not right.' : result.problem.detail;
      if (result.ok) {
        show(form, h('p', { role: 'status' }, 'Sent. The bank goes on.'));
        focusOn(here.title);
      } else {
        inputs[0].focus();
      }
    });
  });
  announce(`${bank} asks for a confirmation.`);
  return form;
}

// Half of the way is the bank's, half is ours.
function progress(sync) {
  const steps = sync.jobs.flatMap(job => (job.steps.length ? job.steps : [{ status: 'pending' }]));
  const ended = steps.filter(item => item.status === 'success' || item.status === 'failed').length;
  const bank = steps.length ? ended / steps.length : 0;
  const ours = sync.accounts.total ? sync.accounts.fetched / sync.accounts.total : 0;
  return bank * 0.5 + ours * 0.5;
}

function cancelButton(userId, syncId, trouble) {
  return action('Cancel the sync', { id: 'cancel-sync' }, async () => {
    const result = await call('jobs', 'DELETE', route, { values: { userId, syncId } });
    if (result.ok) {
      announce('The sync is being cancelled.');
      focusOn(here.title);
    } else {
      show(trouble, problemBox(result));
    }
  });
}

function againButton(userId, sync, trouble) {
  return action(sync.status === 'completed' ? 'Refresh all banks' : 'Try all banks again', { id: 'refresh-all' }, () => refresh(userId, {}, trouble));
}

/** Has the banks asked anew: the answer is a sync like the first. */
export async function refresh(userId, body, trouble) {
  const result = await call('jobs', 'POST', '/api/users/{userId}/refresh', { values: { userId }, body: { ...body, force: true } });
  if (result.ok && result.data.syncId) {
    announce('Asked the bank again.');
    go({ syncId: result.data.syncId });
    focusOn($('jobs-title'));
  } else if (result.ok) {
    show(trouble, spared(result.data));
  } else {
    show(trouble, problemBox(result));
  }
}

/** Why no bank was asked, and what to do about each. */
const spared = ({ status, attention }) => h('div', { class: 'box warn', role: 'status' },
  h('p', {}, h('strong', {}, status === 'fresh' ? 'The bank was not asked: what is here is fresh.' : 'The bank cannot be asked yet.')),
  (attention ?? []).map(one => h('p', {}, h('b', {}, `${bankOfConnection(one.connectionId)}: `), ofAction(one.nextAction))));

function jobCard(userId, job, over, trouble) {
  const bank = bankOfConnection(job.connectionId);
  const failed = job.steps.find(item => item.status === 'failed');
  return h('li', { class: 'job', data: { state: job.status } },
    h('div', { class: 'job-head' }, h('h3', {}, bank), h('span', { class: 'pill', data: { state: pillOf(job.status) } }, ofJob(job.status))),
    h('ol', { class: 'job-steps' }, (job.steps.length ? job.steps : [{ title: 'verify-credentials', status: 'pending' }]).map(item => h('li', { data: { state: item.status } },
      h('span', { class: 'tick', 'aria-hidden': 'true' }), h('span', {}, ofStep(item.title)), h('span', { class: 'visually-hidden' }, `: ${ofJob(item.status)}`)))),
    hasFailed(job)
      ? h('div', { class: 'box bad' },
        h('p', {}, h('strong', {}, failed?.detail ?? (job.status === 'timed-out' ? 'The bank did not finish in time.' : 'The bank could not be read.'))),
        failed?.code ? h('p', { class: 'soft' }, h('code', {}, failed.code)) : null,
        job.nextAction ? h('p', {}, h('b', {}, 'What to do: '), ofAction(job.nextAction)) : null,
        over ? h('div', { class: 'actions' }, nextButton(userId, job, bank, trouble)) : null)
      : null);
}

const pillOf = status => ({ success: 'done', failed: 'failed', 'timed-out': 'failed', 'in-progress': 'busy' })[status] ?? 'todo';

const hasFailed = job => job.status === 'failed' || job.status === 'timed-out';

/** The one thing to do: a bank that is to be connected again cannot be asked before that, and one that is out of order not at all. */
function nextButton(userId, job, bank, trouble) {
  if (job.nextAction === 'wait-for-bank') {
    return null;
  }
  return job.nextAction === 'reconnect' || !job.connectionId
    ? action('Connect again', { class: 'small', 'aria-label': `Connect again: ${bank}` },
      () => connect(userId, job.connectionId ? { action: 'reauthorise', connectionId: job.connectionId } : {}, trouble))
    : action('Try again', { class: 'small', 'aria-label': `Try again: ${bank}` }, () => refresh(userId, { connectionId: job.connectionId }, trouble));
}

function tell(before, now, firstLook) {
  if (firstLook) {
    return;
  }
  for (const job of now.jobs) {
    const last = before.jobs.find(other => other.jobId === job.jobId);
    const bank = bankOfConnection(job.connectionId);
    job.steps.forEach((item, index) => {
      const was = last?.steps[index]?.status;
      if (was !== item.status && (item.status === 'success' || item.status === 'failed')) {
        announce(`${bank}: ${ofStep(item.title)}, ${item.status === 'success' ? 'done' : 'failed'}.`);
      }
    });
  }
  if (before.status !== now.status) {
    announce(isOver(now.status)
      ? `${ofSync(now.status)}: ${count(now.accounts.fetched, 'account')}, ${count(now.transactions, 'transaction')}.`
      : `${ofSync(now.status)}.`);
  }
}
