import { $, announce, busy, focusOn, h } from './dom.js';
import { call, forgetCalls } from './api.js';
import { go } from './address.js';
import { forget, keep, recall } from './kept.js';
import { problemBox, retryBox, showAllCalls, step } from './step.js';

const here = step('user', [['POST', '/api/users']]);
const keyName = 'createKey';

const fields = [
  ['email', 'E-mail', 'email', 'email', 'max@hooli.com'],
  ['mobile', 'Mobile, with the country code', 'tel', 'tel', '+61410888666'],
  ['firstName', 'First name', 'text', 'given-name', 'Max'],
  ['lastName', 'Last name', 'text', 'family-name', 'Wentworth-Smith'],
];

/** The form for a new user. */
export function showForm(notice) {
  here.set('now');
  const errors = h('div', { id: 'user-errors' });
  const form = h('form', { novalidate: true, id: 'user-form' },
    notice ?? null,
    h('div', { class: 'fields' }, fields.map(([name, label, type, autocomplete]) => h('div', { class: 'field' },
      h('label', { for: `user-${name}` }, label),
      h('input', { id: `user-${name}`, name, type, autocomplete: `section-new ${autocomplete}`, 'aria-describedby': `user-${name}-error` }),
      h('p', { class: 'field-error', id: `user-${name}-error` })))),
    errors,
    h('div', { class: 'actions' },
      h('button', { class: 'main', id: 'create-user' }, 'Create the user'),
      h('button', { type: 'button', onclick: fillIn }, 'Fill in an example')));
  form.addEventListener('submit', event => {
    event.preventDefault();
    return busy($('create-user'), () => create(form, errors));
  });
  // A key stands for one content: whoever changes the form asks for something else.
  form.addEventListener('input', () => forget(keyName));
  here.show(form);
}

function fillIn() {
  for (const [name, , , , example] of fields) {
    $(`user-${name}`).value = example;
  }
  forget(keyName);
  $('create-user').focus();
}

async function create(form, errors) {
  const body = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
  if (body.mobile) {
    // People write numbers in groups.
    body.mobile = body.mobile.replace(/[\s()-]/g, '');
  }
  let key = recall(keyName);
  if (key === null) {
    key = newKey();
    keep(keyName, key);
  }
  forgetCalls();
  showAllCalls();
  const result = await call('user', 'POST', '/api/users', { body, headers: { 'Idempotency-Key': key } });
  showErrors(result.problem?.errors ?? {}, errors, result);
  if (result.ok) {
    forget(keyName);
    announce('The user has been created.');
    go({ userId: result.data.id, syncId: '', accountId: '' });
    focusOn($('bank-title'));
  } else if (result.status !== 0 && result.status !== 429 && result.status < 500) {
    forget(keyName);
  }
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

const rules = { email: 'Enter a full e-mail address, such as name@example.com.', mobile: 'Use the international form, such as +61 410 888 666.' };

/** What to enter instead, in words for a person who does not know the API. */
function inWords(name, input, messages) {
  if (name === 'email' && input.value === '') {
    return 'Enter an e-mail address or a mobile number.';
  }
  return rules[name] ?? `This ${messages[0]}`;
}

function showErrors(problems, errors, result) {
  let first = null;
  const others = [];
  for (const [name] of fields) {
    const input = $(`user-${name}`);
    const messages = problems[name] ?? [];
    $(`user-${name}-error`).textContent = messages.length > 0 ? inWords(name, input, messages) : '';
    if (messages.length > 0) {
      input.setAttribute('aria-invalid', 'true');
      first ??= input;
    } else {
      input.removeAttribute('aria-invalid');
    }
  }
  for (const [name, messages] of Object.entries(problems)) {
    if (!fields.some(([known]) => known === name)) {
      others.push(h('p', {}, h('code', {}, name), ' ', messages.join(' ')));
    }
  }
  errors.replaceChildren();
  if (!result.ok && (first === null || others.length > 0)) {
    errors.append(problemBox(result, others));
  }
  if (first) {
    announce(`Not accepted. ${Object.values(problems).flat().length} to correct.`);
    first.focus();
  }
}

/** The user of the address; returns false when there is none any more. */
export async function showUser(userId, signal) {
  here.set('done');
  if (here.body.dataset.userId !== userId) {
    here.show(h('div', { class: 'summary skeleton' }, ' '));
  }
  const result = await call('user', 'GET', '/api/users/{userId}', { values: { userId }, signal });
  here.body.dataset.userId = result.ok ? userId : '';
  if (result.ok) {
    const user = result.data;
    const name = [user.firstName, user.middleName, user.lastName].filter(part => part).join(' ') || user.name;
    here.show(h('dl', { class: 'summary' },
      pair('User', h('code', {}, user.id)),
      name ? pair('Name', name) : null,
      user.email ? pair('E-mail', user.email) : null,
      user.mobile ? pair('Mobile', user.mobile) : null),
      h('p', { class: 'actions' }, h('a', { href: '/', class: 'button', data: { go: '' } }, 'Start with another user')));
    here.fold(name || user.email || user.mobile || user.id);
    return true;
  }
  if (result.status === 404 || result.status === 400) {
    showForm(h('div', { class: 'box', role: 'status' }, h('p', {}, h('strong', {}, 'The user of this address does not exist, or not any more.')),
      h('p', { class: 'soft' }, 'Create a new one to go on.')));
    return false;
  }
  here.set('failed');
  here.show(retryBox(result));
  return false;
}

const pair = (term, value) => h('div', {}, h('dt', {}, term), h('dd', {}, value));
