import * as kept from './kept.js';

// Calls the API, and keeps of each call what the page shows of it: method, route, status, time and a line for the terminal.

const keyName = 'functionKey';
const callsName = 'calls';
const listeners = new Set();
const calls = kept.recallJson(callsName) ?? {};

/** Calls by step, newest last: { method, route, status, milliseconds, curl, times }. */
export const callsOf = step => calls[step] ?? [];

export const onCall = listener => listeners.add(listener);

export function forgetCalls() {
  for (const step of Object.keys(calls)) {
    delete calls[step];
  }
  keep();
}

export const hasKey = () => kept.recall(keyName) !== null;

export const useKey = key => kept.keep(keyName, key);

/**
 * Calls one function of the API.
 * @param {string} step The step of the page that the call belongs to; null for one that is not shown.
 * @param {string} method GET, POST, …
 * @param {string} route Such as /api/users/{userId}; names in braces are filled from the values.
 * @returns {Promise<{status: number, ok: boolean, data: any, problem: any, retryAfter: number}>} Status 0: the host did not answer.
 */
export async function call(step, method, route, { values = {}, query = {}, body, headers = {}, signal } = {}) {
  const path = route.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  const url = search ? `${path}?${search}` : path;
  const sent = { ...headers };
  if (body !== undefined) {
    sent['Content-Type'] = 'application/json';
  }
  const curl = curlFor(method, url, sent, body);
  if (hasKey()) {
    sent['x-functions-key'] = kept.recall(keyName);
  }

  const started = performance.now();
  const answer = await fetchSafely(url, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body), signal, cache: 'no-store' });
  if (signal?.aborted) {
    throw new DOMException('Not wanted any more.', 'AbortError');
  }
  const result = await readAnswer(answer);
  if (signal?.aborted) {
    throw new DOMException('Not wanted any more.', 'AbortError');
  }
  if (step) {
    remember(step, {
      method, route: search ? `${route}?${[...new URLSearchParams(search).keys()].join('&')}` : route, status: result.status, milliseconds: Math.round(performance.now() - started), curl,
      isPersonal: method === 'POST' && (route === '/api/users' || route.endsWith('/mfa')),
    });
  }
  if (result.status === 401) {
    dispatchEvent(new Event('keyneeded'));
  }
  return result;
}

/** Calls a function that answers with a file; of anything but a success it gives what {@link call} gives. */
export async function download(step, route, { values, type }) {
  const url = route.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));
  const headers = { Accept: type };
  const curl = `${curlFor('GET', url, headers)} -OJ`;
  const started = performance.now();
  const answer = await fetchSafely(url, { headers: hasKey() ? { ...headers, 'x-functions-key': kept.recall(keyName) } : headers, cache: 'no-store' });
  const result = answer?.ok ? await readFile(answer) : await readAnswer(answer);
  remember(step, { method: 'GET', route, status: result.status, milliseconds: Math.round(performance.now() - started), curl, isPersonal: false });
  if (result.status === 401) {
    dispatchEvent(new Event('keyneeded'));
  }
  return result;
}

async function fetchSafely(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    return null;
  }
}

async function readFile(answer) {
  try {
    return { status: answer.status, ok: true, file: await answer.blob() };
  } catch {
    return { status: answer.status, ok: false, retryAfter: 0, problem: { code: 'unreadable', detail: 'The file was cut short. Try again.' } };
  }
}

async function readAnswer(answer) {
  if (answer === null) {
    return { status: 0, ok: false, data: null, retryAfter: 5, problem: { code: 'no-answer', detail: 'The host does not answer. Is it still running?' } };
  }
  let data = null;
  try {
    const text = await answer.text();
    data = text ? JSON.parse(text) : null;
  } catch {
    return { status: answer.status, ok: false, data: null, retryAfter: 5, problem: { code: 'unreadable', detail: 'The answer was cut short or is no JSON.' } };
  }
  const problem = answer.ok ? null : data ?? { code: `http-${answer.status}`, detail: answer.statusText };
  return { status: answer.status, ok: answer.ok, data, problem, retryAfter: Number(answer.headers.get('Retry-After')) || 0 };
}

function curlFor(method, url, headers, body) {
  const parts = ['curl'];
  if (method !== (body === undefined ? 'GET' : 'POST')) {
    parts.push('-X', method);
  }
  parts.push(quote(new URL(url, location.origin).href));
  for (const [name, value] of Object.entries(headers)) {
    parts.push('-H', quote(`${name}: ${value}`));
  }
  if (hasKey()) {
    parts.push('-H', '"x-functions-key: $FUNCTION_KEY"');
  }
  if (body !== undefined) {
    parts.push('-d', quote(JSON.stringify(body)));
  }
  return parts.join(' ');
}

const quote = text => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function remember(step, entry) {
  const list = (calls[step] ??= []);
  const last = list.at(-1);
  if (last && last.method === entry.method && last.route === entry.route && last.status === entry.status) {
    Object.assign(last, entry, { times: last.times + 1 });
  } else {
    list.push({ ...entry, times: 1 });
    list.splice(0, list.length - 12);
  }
  keep();
  for (const listener of listeners) {
    listener(step);
  }
}

// The way to the consent page and back leaves this page: what was called before is still to be seen after. What was sent about a
// person is not kept.
function keep() {
  kept.keep(callsName, JSON.stringify(Object.fromEntries(Object.entries(calls).map(([step, list]) => [
    step, list.map(({ isPersonal, curl, ...rest }) => ({ ...rest, curl: isPersonal ? curl.replace(/ -d '.*'$/, " -d '{…}'") : curl })),
  ]))));
}
