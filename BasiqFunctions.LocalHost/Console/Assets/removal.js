import { action, announce, focusOn, h, show } from './dom.js';
import { call } from './api.js';
import { problemBox, step } from './step.js';

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
  const dialog = h('dialog', { 'aria-labelledby': 'sure-title' },
    h('h2', { id: 'sure-title' }, 'Delete this user?'),
    h('p', {}, 'The user, the banks’ connections and everything that was fetched will be removed, at Basiq and here. It cannot be undone.'),
    h('div', { class: 'actions' },
      h('button', { type: 'button', class: 'danger', id: 'really-delete', onclick: () => dialog.close('yes') }, 'Delete for good'),
      h('button', { type: 'button', onclick: () => dialog.close('') }, 'Keep')));
  const button = action('Delete this user …', { class: 'danger', id: 'delete-user' }, () => new Promise(resolve => {
    dialog.returnValue = '';
    dialog.addEventListener('close', async () => {
      if (dialog.returnValue === 'yes') {
        await remove(userId, trouble, onRemoved);
      }
      resolve();
    }, { once: true });
    dialog.showModal();
  }));
  here.show(h('div', { class: 'actions' }, button), trouble, dialog);
}

async function remove(userId, trouble, onRemoved) {
  const removed = await call('removal', 'DELETE', '/api/users/{userId}', { values: { userId } });
  if (!removed.ok && removed.status !== 404) {
    show(trouble, problemBox(removed));
    return;
  }
  const user = await call('removal', 'GET', '/api/users/{userId}', { values: { userId } });
  const accounts = await call('removal', 'GET', '/api/users/{userId}/accounts', { values: { userId } });
  const line = (text, answer) => h('li', { data: { state: answer.status === 404 ? 'success' : 'failed' } }, h('span', { class: 'tick', 'aria-hidden': 'true' }), h('span', {}, text, ' ', h('code', {}, `${answer.status} ${answer.problem?.code ?? ''}`)));
  here.set('done', 'Gone');
  here.show(h('div', { class: 'proof' },
    h('p', {}, h('strong', {}, 'Deleted. '), 'Asked again, the API answers:'),
    h('ul', { class: 'job-steps' }, line('The user:', user), line('The accounts:', accounts))));
  announce('The user has been deleted.');
  onRemoved();
  focusOn(here.title);
}
