// What the page shows stands in its address, as ids: a reload, a second tab or the Back button finds it there.

const names = ['userId', 'syncId', 'accountId', 'from', 'to', 'status', 'scope', 'error'];

export function read() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(names.map(name => [name, query.get(name) ?? '']));
}

export function href(changes) {
  const next = { ...read(), error: '', ...changes };
  const query = new URLSearchParams();
  for (const name of names) {
    if (next[name]) {
      query.set(name, next[name]);
    }
  }
  const text = query.toString();
  return text ? `/?${text}` : '/';
}

/** Goes there, with an entry in the history, and tells the page. */
export function go(changes) {
  history.pushState(null, '', href(changes));
  dispatchEvent(new Event('addresschange'));
}

/** Notes it without an entry in the history. */
export function note(changes) {
  history.replaceState(null, '', href(changes));
}
