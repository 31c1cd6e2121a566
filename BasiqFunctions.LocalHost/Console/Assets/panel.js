import { $, h, show } from './dom.js';
import { call } from './api.js';
import { useZone } from './days.js';
import { isOver, ofClock, ofSeconds, ofSync, plain } from './words.js';

// What this host says of itself: how its dependencies do, its token, its last syncs, and the knobs of the sandbox.

const statusEvery = 4000;
const healthEvery = 10_000;
const checks = { 'server-token': 'Server token', 'key-vault': 'Key Vault', snapshots: 'Snapshots', records: 'Records', 'task-hub': 'Task hub', basiq: 'Basiq' };

let hasKnobs = false;

/** Begins; resolves when the first answer is there, or refused. */
export async function start() {
  const first = refreshStatus();
  refreshHealth();
  every(statusEvery, refreshStatus);
  every(healthEvery, refreshHealth);
  await first;
}

/** Looks at once, after something that shows here. */
export const look = () => refreshStatus();

function every(milliseconds, work) {
  setInterval(() => {
    if (!document.hidden) {
      work();
    }
  }, milliseconds);
}

async function refreshHealth() {
  const result = await call(null, 'GET', '/api/health');
  const lines = result.data?.checks ?? result.problem?.checks;
  if (!lines) {
    show($('health'), h('p', { class: 'soft' }, result.problem?.detail ?? 'Unknown.'));
    return;
  }
  show($('health'), h('ul', { class: 'checks' }, lines.map(line => h('li', { data: { state: line.status } },
    h('span', { class: 'lamp', 'aria-hidden': 'true' }), h('span', { class: 'grow' }, checks[line.name] ?? plain(line.name)),
    h('span', { class: 'soft' }, plain(line.status))))));
}

async function refreshStatus() {
  const result = await call(null, 'GET', '/console/status');
  if (!result.ok) {
    const text = () => h('p', { class: 'soft' }, result.status === 401 ? 'Needs the function key.' : result.problem.detail);
    show($('token'), text());
    show($('syncs'), text());
    return;
  }
  const status = result.data;
  useZone(status.timeZone);
  showToken(status);
  showSyncs(status);
  if (status.isSimulated && !hasKnobs) {
    hasKnobs = true;
    await showSandbox();
  }
}

function showToken({ now, token, timers }) {
  const since = text => (Date.parse(now) - Date.parse(text)) / 1000;
  const refresh = timers.find(timer => timer.name === 'RefreshServerToken')?.nextRunAt;
  show($('token'), token
    ? [
      h('dl', { class: 'facts' },
        fact('Age', ofSeconds(since(token.mintedAt))),
        fact('Expires', `in ${ofSeconds(-since(token.expiresAt))}`),
        refresh ? fact('Next refresh', `in ${ofSeconds(-since(refresh))}, ${ofClock(refresh)}`) : null),
      h('progress', { 'aria-label': 'How much of the token’s life is over', max: Math.max(1, Date.parse(token.expiresAt) - Date.parse(token.mintedAt)), value: Math.max(0, Date.parse(now) - Date.parse(token.mintedAt)) }),
    ]
    : h('p', { class: 'soft' }, 'None yet: the first call mints it.'));
}

const fact = (term, value) => h('div', {}, h('dt', {}, term), h('dd', {}, value));

function showSyncs({ now, syncs }) {
  const focused = document.activeElement?.closest('#syncs a')?.getAttribute('href');
  show($('syncs'), syncs.length === 0
    ? h('p', { class: 'soft' }, 'None yet.')
    : h('ul', { class: 'recent' }, syncs.map(sync => h('li', {},
      h('a', { href: `/?${new URLSearchParams({ userId: sync.userId, syncId: sync.syncId })}`, data: { go: '' } },
        h('span', { class: 'lamp', 'aria-hidden': 'true', data: { state: isOver(sync.status) ? sync.status : 'busy' } }),
        h('span', { class: 'grow' }, ofSync(sync.status), h('span', { class: 'visually-hidden' }, `, sync ${sync.syncId.slice(-6)}`)),
        h('span', { class: 'soft' }, `${ofSeconds((Date.parse(now) - Date.parse(sync.startedAt)) / 1000)} ago`))))));
  if (focused) {
    [...$('syncs').querySelectorAll('a')].find(link => link.getAttribute('href') === focused)?.focus();
  }
}

// --- the sandbox's knobs

const knobs = [
  ['latencyMilliseconds', 'Latency', 'ms', 1, 60_000, 50],
  ['jobSeconds', 'A job takes', 's', 1, 3600, 1],
  ['shareOf429', '429 answers', '%', 100, 100, 1],
  ['shareOf500', '500 answers', '%', 100, 100, 1],
  ['shareOfTruncatedBodies', 'Cut answers', '%', 100, 100, 1],
];

async function showSandbox() {
  const result = await call(null, 'GET', '/console/sandbox');
  if (!result.ok) {
    hasKnobs = false;
    return;
  }
  $('sandbox').hidden = false;
  const message = h('p', { class: 'soft knob-message', role: 'status' }, 'Basiq is simulated here.');
  const form = h('form', { class: 'knobs', novalidate: true },
    knobs.map(([name, label, unit, , most, by]) => h('div', { class: 'knob' },
      h('label', { for: name }, label), h('input', { id: name, name, type: 'number', inputmode: 'decimal', min: 0, max: most, step: by, 'aria-describedby': `${name}-error` }),
      h('span', { class: 'soft', 'aria-hidden': 'true' }, unit), h('p', { class: 'field-error', id: `${name}-error` }))),
    h('label', { class: 'check' }, h('input', { type: 'checkbox', id: 'jobsNeverEnd' }), ' New jobs never end'),
    h('div', { class: 'actions' }, h('button', { class: 'small' }, 'Apply'), h('button', { type: 'button', class: 'small quiet', id: 'calm' }, 'Reset')),
    message);
  const fill = values => {
    for (const [name, , , factor] of knobs) {
      form.elements[name].value = Math.round(values[name] * factor * 100) / 100;
    }
    form.elements.jobsNeverEnd.checked = values.jobsNeverEnd;
  };
  const initial = result.data;
  fill(initial);
  const tell = errors => {
    for (const [name] of knobs) {
      const messages = errors[name] ?? [];
      $(`${name}-error`).textContent = messages.join(' ');
      if (messages.length > 0) {
        form.elements[name].setAttribute('aria-invalid', 'true');
      } else {
        form.elements[name].removeAttribute('aria-invalid');
      }
    }
  };
  const apply = async values => {
    const answer = await call(null, 'PATCH', '/console/sandbox', { body: values });
    tell(answer.problem?.errors ?? {});
    if (answer.ok) {
      fill(answer.data);
    }
    message.textContent = answer.ok ? 'In force for what comes now.' : answer.problem.detail;
  };
  form.addEventListener('submit', event => {
    event.preventDefault();

    // Of what is no number, a browser gives nothing.
    const unread = knobs.map(([name]) => name).filter(name => form.elements[name].value === '');
    if (unread.length > 0) {
      tell(Object.fromEntries(unread.map(name => [name, ['Enter a number.']])));
      message.textContent = 'Nothing has been changed.';
      form.elements[unread[0]].focus();
      return null;
    }
    return apply({
      ...Object.fromEntries(knobs.map(([name, , , factor]) => [name, form.elements[name].valueAsNumber / factor])),
      jobsNeverEnd: form.elements.jobsNeverEnd.checked,
    });
  });
  form.querySelector('#calm').addEventListener('click', () => apply({ latencyMilliseconds: 0, shareOf429: 0, shareOf500: 0, shareOfTruncatedBodies: 0, jobSeconds: 6, jobsNeverEnd: false }));
  show($('sandbox').querySelector('.panel-body'), form);
}
