import { $, h, show } from './dom.js';

// The reference: what the API says of itself at /api/openapi.json, laid out to be read.

const verbs = ['get', 'post', 'put', 'patch', 'delete'];
let api = null;

const follow = thing => (thing?.$ref ? thing.$ref.slice(2).split('/').reduce((at, part) => at?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], api) ?? {} : thing ?? {});

const nameOf = thing => thing?.$ref?.split('/').at(-1);

/** Text with `code` in it. */
const prose = text => (text ?? '').split(/(`[^`]+`)/).map(part => (/^`.+`$/.test(part) ? h('code', {}, part.slice(1, -1)) : part));

async function start() {
  const answer = await fetch('/api/openapi.json').catch(() => null);
  if (!answer?.ok) {
    show($('about'), 'The description cannot be had from ', h('a', { href: '/api/openapi.json' }, h('code', {}, '/api/openapi.json')), '. Is the host still running?');
    return;
  }
  api = await answer.json();
  show($('about'), ...prose(api.info.description ?? ''), ' Made from ', h('a', { href: '/api/openapi.json' }, h('code', {}, '/api/openapi.json')), `, OpenAPI ${api.openapi}.`);
  const operations = Object.entries(api.paths).flatMap(([path, item]) => verbs.filter(verb => item[verb]).map(verb => ({ path, verb, item, operation: item[verb] })));
  const groups = Map.groupBy(operations, one => one.operation.tags?.[0] ?? 'Others');
  show($('contents'), [...groups].map(([tag, list]) => h('div', {}, h('h2', {}, tag), h('ul', {}, list.map(one => h('li', {}, h('a', { href: `#${one.operation.operationId}` }, one.operation.operationId)))))));
  show($('functions'), [...groups].map(([tag, list]) => h('section', { 'aria-label': tag, class: 'group' }, h('h2', { class: 'group-title' }, tag), list.map(card))));
  if (location.hash) {
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }
}

function card({ path, verb, item, operation }) {
  const server = new URL(api.servers?.[0]?.url ?? '/', location.origin).pathname.replace(/\/$/, '');
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(follow);
  const isOpen = (operation.security ?? api.security ?? []).length === 0;
  const responses = Object.entries(operation.responses ?? {}).map(([status, response]) => [status, follow(response)]);
  return h('article', { class: 'card function', id: operation.operationId, 'aria-labelledby': `${operation.operationId}-title` },
    h('header', {}, h('h3', { id: `${operation.operationId}-title` }, operation.operationId), isOpen ? h('span', { class: 'pill' }, 'No key') : null),
    h('p', { class: 'address' }, h('span', { class: 'verb', data: { verb } }, verb.toUpperCase()), ' ', h('code', {}, server + path)),
    h('p', {}, prose(operation.description ?? operation.summary)),
    parameters.length > 0 ? part('Parameters', h('dl', { class: 'members' }, parameters.map(parameter => h('div', {},
      h('dt', {}, h('code', {}, parameter.name), h('span', { class: 'soft' }, ` ${typeText(parameter.schema ?? {})} in the ${parameter.in}${parameter.required ? '' : ', optional'}`)),
      h('dd', {}, prose(parameter.description), enumOf(parameter.schema ?? {})))))) : null,
    body(operation),
    part('Answers', h('ul', { class: 'answers' }, responses.map(([status, response]) => answerOf(status, response)))));
}

const part = (title, ...children) => h('section', { class: 'part' }, h('h4', {}, title), children);

function body(operation) {
  const request = follow(operation.requestBody);
  const schema = Object.values(request.content ?? {})[0]?.schema;
  return schema ? part(`Body${request.required ? '' : ', optional'}`, details(schema, true)) : null;
}

function answerOf(status, response) {
  const schema = Object.values(response.content ?? {})[0]?.schema;
  const isGood = status.startsWith('2') || status.startsWith('3');
  const headers = Object.keys(response.headers ?? {});
  return h('li', {},
    h('span', { class: `code ${isGood ? 'good' : 'bad'}` }, status),
    h('div', {},
      h('p', {}, prose(response.description), headers.length > 0 ? h('span', { class: 'soft block' }, 'With ', headers.map((name, index) => [index ? ', ' : '', h('code', {}, name)])) : null),
      schema && isGood ? details(schema, false) : null));
}

function details(schema, isOpen) {
  return h('details', { open: isOpen }, h('summary', {}, h('code', {}, nameOf(schema) ?? typeText(schema))), members(schema, []));
}

/** The members of an object, and of the objects in it, each once on the way down. */
function members(schema, above) {
  const name = nameOf(schema);
  const resolved = follow(schema);
  if (resolved.type === 'array' || resolved.items) {
    return members(resolved.items, above);
  }
  const properties = Object.entries(resolved.properties ?? {});
  if (properties.length === 0) {
    return h('p', { class: 'soft' }, prose(resolved.description ?? 'Any JSON.'));
  }
  return [
    resolved.description ? h('p', { class: 'soft' }, prose(resolved.description)) : null,
    h('dl', { class: 'members' }, properties.map(([member, inner]) => {
      const innerName = nameOf(inner) ?? nameOf(follow(inner).items);
      const target = inner.$ref ? inner : follow(inner).items?.$ref ? follow(inner).items : null;
      const goesOn = target && innerName !== name && !above.includes(innerName) && Object.keys(follow(target).properties ?? {}).length > 0;
      return h('div', {},
        h('dt', {}, h('code', {}, member), h('span', { class: 'soft' }, ' ', typeText(inner), resolved.required?.includes(member) ? '' : ', optional')),
        h('dd', {}, prose(inner.description ?? follow(inner).description ?? ''), enumOf(inner),
          goesOn ? h('details', {}, h('summary', {}, h('code', {}, innerName)), members(target, [...above, name])) : null));
    })),
  ];
}

function enumOf(schema) {
  const values = follow(schema).enum;
  return values ? h('span', { class: 'soft block' }, values.map((value, index) => [index ? ' · ' : '', h('code', {}, value)])) : null;
}

function typeText(schema) {
  const resolved = follow(schema);
  if (resolved.type === 'array') {
    return `list of ${nameOf(resolved.items) ?? typeText(resolved.items)}`;
  }
  const types = [resolved.type ?? (resolved.properties ? 'object' : 'any')].flat();
  const format = resolved.format ? ` (${resolved.format})` : '';
  return nameOf(schema) ?? `${types.filter(type => type !== 'null').join(' or ')}${format}${types.includes('null') ? ' or null' : ''}`;
}

await start();
