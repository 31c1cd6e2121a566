import { call } from './api.js';

// The banks that can be connected, read once: their names are also those of the accounts, which come with a bank's id alone.

let banks = null;

/** Reads the list, unless it is there; returns what went wrong, or null. */
export async function load(signal) {
  if (banks) {
    return null;
  }
  const result = await call('bank', 'GET', '/api/institutions', { signal });
  banks = result.ok ? result.data.institutions : null;
  return result.ok ? null : result;
}

/** A bank's name by its id; the id where the name cannot be had. */
export const bankOf = id => banks?.find(bank => bank.id === id)?.name ?? id ?? 'A bank';

/** The banks whose name or id has all the words. */
export function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(word => word);
  return (banks ?? []).filter(bank => words.every(word => `${bank.name} ${bank.shortName} ${bank.id}`.toLowerCase().includes(word)));
}
