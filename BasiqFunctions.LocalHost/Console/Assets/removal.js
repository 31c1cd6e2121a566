import { action, announce, confirm, focusOn, h, show } from './dom.js';
import { read } from './address.js';
import { call } from './api.js';
import { problemBox, step } from './step.js';
import { count, ofMoment, ofReason } from './words.js';

const here = step('removal', [['DELETE', '/api/users/{userId}']]);

export const clear = () => {
  here.set('todo');
  if (!here.body.querySelector('.proof')) {
    here.clear();
  }
};

/** Offers to delete the user; afterwards asks for what there was, to show that it is gone. */
export function offer(userId, onRemoved) {
  here.set('todo');
  const trouble = h('div');
  const button = action('Delete this user …', { class: 'danger', id: 'delete-user' }, async () => {
    if (await confirm('Delete this user?', 'The user, the banks’ connections and everything that was fetched will be removed, at Basiq and here. It cannot be undone.', 'Delete for good', 'really-delete')) {
      await remove(userId, trouble, onRemoved);
    }
  });
  here.show(h('div', { class: 'actions' }, button), trouble);
}

/** What was removed of a user, when and why: it is kept when nothing else is. */
export async function receiptsOf(step, userId, signal) {
  const result = await call(step, 'GET', '/api/users/{userId}/deletion-receipts', { values: { userId }, signal });
  const receipts = result.data?.receipts ?? [];
  return receipts.length === 0 ? null : h('div', { class: 'receipts' }, h('h3', {}, 'Receipts of what was removed'),
    h('ul', {}, receipts.map(receipt => h('li', {}, h('strong', {}, ofMoment(receipt.removedAt)), `, because ${ofReason(receipt.reason)}: `,
      [receipt.accounts === undefined ? null : count(receipt.accounts, 'account'), receipt.transactions === undefined ? null : count(receipt.transactions, 'transaction')].filter(part => part).join(', ') || 'what there was', '. ',
      h('span', { class: 'soft block' }, 'Receipt ', h('code', {}, receipt.receiptId))))));
}

/**
 * Waits for a removal that the API goes on with by itself, until its receipt is there.
 * @param {HTMLElement} place Where it is said that this takes a while.
 * @returns {Promise<boolean>} False when the page has gone to another user meanwhile.
 */
export async function untilRemoved(step, userId, answer, place) {
  if (answer.status !== 202) {
    return true;
  }
  show(place, h('div', { class: 'box', role: 'status' }, h('p', {}, h('strong', {}, 'Being removed. '), 'It takes a while, and goes on by itself: its receipt is there once everything is gone.')));
  const values = { userId, receiptId: answer.data.receiptId };
  while (read().userId === userId) {
    await new Promise(resolve => { setTimeout(resolve, 1000 * Math.max(1, answer.retryAfter)); });
    if ((await call(step, 'GET', '/api/users/{userId}/deletion-receipts/{receiptId}', { values })).ok) {
      show(place);
      return true;
    }
  }
  return false;
}

async function remove(userId, trouble, onRemoved) {
  const removed = await call('removal', 'DELETE', '/api/users/{userId}', { values: { userId } });
  if (!removed.ok && removed.status !== 404) {
    show(trouble, problemBox(removed));
    return;
  }
  if (!await untilRemoved('removal', userId, removed, trouble)) {
    return;
  }
  const user = await call('removal', 'GET', '/api/users/{userId}', { values: { userId } });
  const accounts = await call('removal', 'GET', '/api/users/{userId}/accounts', { values: { userId } });
  const line = (text, answer) => h('li', { data: { state: answer.status === 404 ? 'success' : 'failed' } }, h('span', { class: 'tick', 'aria-hidden': 'true' }), h('span', {}, text, ' ', h('code', {}, `${answer.status} ${answer.problem?.code ?? ''}`)));
  const receipts = await receiptsOf('removal', userId);
  const isGone = user.status === 404 && accounts.status === 404;
  here.set(isGone ? 'done' : 'failed', isGone ? 'Gone' : 'Not all gone');
  here.show(h('div', { class: 'proof' },
    h('p', {}, h('strong', {}, 'Deleted. '), 'Asked again, the API answers:'),
    h('ul', { class: 'job-steps' }, line('The user:', user), line('The accounts:', accounts)), receipts));
  announce('The user has been deleted.');
  onRemoved();
  focusOn(here.title);
}
