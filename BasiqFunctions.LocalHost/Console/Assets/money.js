// Money is text, as the API sends it, and is added as whole numbers of its smallest unit: no amount is ever a floating-point number.

const pattern = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** Reads an amount such as "-123.45"; null for anything else. */
export function parse(text) {
  const match = pattern.exec(text ?? '');
  if (!match) {
    return null;
  }
  const [, sign, whole, fraction = ''] = match;
  const units = BigInt(whole + fraction);
  return { units: sign === '-' ? -units : units, scale: fraction.length };
}

export const zero = { units: 0n, scale: 0 };

export function add(a, b) {
  const scale = Math.max(a.scale, b.scale);
  return { units: at(a, scale) + at(b, scale), scale };
}

export const negate = a => ({ units: -a.units, scale: a.scale });

export const absolute = a => (a.units < 0n ? negate(a) : a);

export function compare(a, b) {
  const scale = Math.max(a.scale, b.scale);
  const difference = at(a, scale) - at(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Only to know where on a chart an amount lies. */
export const position = a => Number(a.units) / 10 ** a.scale;

export function toText(a) {
  const digits = (a.units < 0n ? -a.units : a.units).toString().padStart(a.scale + 1, '0');
  const whole = digits.slice(0, digits.length - a.scale);
  const fraction = a.scale ? `.${digits.slice(-a.scale)}` : '';
  return `${a.units < 0n ? '-' : ''}${whole}${fraction}`;
}

/** The currency of an account or a transaction; empty when none is given. */
export const currencyOf = one => (one.currency ?? '').trim().toUpperCase();

export const ofCurrency = currency => currency || 'no currency given';

const formats = new Map();

/** Whether a currency has a way of writing; codes of three letters have one, known or not. */
export const isKnown = currency => /^[a-z]{3}$/i.test((currency ?? '').trim());

/**
 * An amount for a person: exact, in the currency's own way of writing; a code that has none stands behind the number.
 * @param {{least?: number}} options How many digits after the point there are at least: the currency's own, or two where it is not known.
 */
export function format(amount, currency, { least } = {}) {
  const value = typeof amount === 'string' ? parse(amount) : amount;
  if (!value) {
    return '–';
  }
  const code = (currency ?? '').trim();
  const text = formatOf(isKnown(code) ? code : '', value.scale, least).format(toText(value)).replace('-', '−');
  return code && !isKnown(code) ? `${text} ${code}` : text;
}

function formatOf(currency, scale, least) {
  const key = `${currency} ${scale} ${least}`;
  if (!formats.has(key)) {
    const style = currency ? { style: 'currency', currency } : { style: 'decimal' };
    const own = currency ? new Intl.NumberFormat('en-AU', style).resolvedOptions().maximumFractionDigits : 2;
    const fewest = least ?? own;
    formats.set(key, new Intl.NumberFormat('en-AU', { ...style, minimumFractionDigits: fewest, maximumFractionDigits: Math.max(fewest, Math.min(scale, 20)) }));
  }
  return formats.get(key);
}

function at(a, scale) {
  return a.units * 10n ** BigInt(scale - a.scale);
}
