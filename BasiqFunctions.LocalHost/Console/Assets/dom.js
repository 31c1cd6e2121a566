// Elements without markup: whatever came from the API becomes text, never HTML.

const svgNames = new Set(['svg', 'g', 'path', 'rect', 'line', 'text', 'circle', 'title', 'desc']);
const svgNamespace = 'http://www.w3.org/2000/svg';

/** Makes an element. Properties that start with "on" are listeners; null and false are left out. */
export function h(name, properties, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** The same for SVG. */
export function s(name, properties, ...children) {
  if (!svgNames.has(name)) {
    throw new Error(`No SVG element of ours: ${name}`);
  }
  return fill(document.createElementNS(svgNamespace, name), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (name === 'data') {
      Object.assign(element.dataset, value);
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts other children in the place of an element's own. */
export function show(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

export const $ = id => document.getElementById(id);

const unsaid = [];

/** Says something to a screen reader, with all else that is to be said at the same time. */
export function announce(text) {
  if (unsaid.push(text) === 1) {
    setTimeout(() => { $('announcer').textContent = unsaid.splice(0).join(' '); });
  }
}

/** Moves the focus to a heading or a message, for whoever follows the page by keyboard or by ear. @param block Where it shall stand. */
export function focusOn(element, block = 'nearest') {
  if (!element.hasAttribute('tabindex') && !element.matches('a[href], button, input, select, textarea')) {
    element.setAttribute('tabindex', '-1');
  }
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
}

/** Goes to the step that is active now, for whoever has not gone elsewhere in the meantime. */
export function lead(title) {
  const at = document.activeElement;
  if (at === document.body || at.matches('main h2') || !at.isConnected) {
    focusOn(title, 'start');
  }
}

/** Asks before what cannot be undone; true when the person goes on. The focus rests on the button that changes nothing. */
export function confirm(title, text, label, id) {
  const dialog = h('dialog', { 'aria-labelledby': 'sure-title' },
    h('h2', { id: 'sure-title' }, title),
    h('p', {}, text),
    h('div', { class: 'actions' },
      h('button', { type: 'button', class: 'danger', id, onclick: () => dialog.close('yes') }, label),
      h('button', { type: 'button', autofocus: true, onclick: () => dialog.close('') }, 'Keep')));
  document.body.append(dialog);
  return new Promise(resolve => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    }, { once: true });
    dialog.showModal();
  });
}

/** A button that is busy while its work runs, and never runs twice at once. */
export function action(label, properties, work) {
  const button = h('button', { type: 'button', ...properties }, label);
  button.addEventListener('click', () => busy(button, work));
  return button;
}

export async function busy(button, work) {
  if (button.getAttribute('aria-disabled') === 'true') {
    return;
  }
  button.setAttribute('aria-disabled', 'true');
  try {
    await work();
  } finally {
    button.removeAttribute('aria-disabled');
  }
}
