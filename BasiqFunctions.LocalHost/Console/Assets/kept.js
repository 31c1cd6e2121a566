// What this tab keeps until it is closed. Where the browser forbids that, or is full, it lasts as long as the page.

const here = new Map();

export function recall(name) {
  try {
    return sessionStorage.getItem(name) ?? here.get(name) ?? null;
  } catch {
    return here.get(name) ?? null;
  }
}

export function keep(name, text) {
  here.set(name, text);
  try {
    sessionStorage.setItem(name, text);
  } catch {
    // It is kept above.
  }
}

export function forget(name) {
  here.delete(name);
  try {
    sessionStorage.removeItem(name);
  } catch {
    // Nothing was kept there.
  }
}

/** The same for what is not a text; null for what cannot be read. */
export function recallJson(name) {
  try {
    return JSON.parse(recall(name));
  } catch {
    return null;
  }
}
