// Days as banks mean them. Midnight UTC is the day as it is written; any other moment is the day that it falls on where the bank is.

const midnight = /^(\d{4}-\d\d-\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?)?$/;

// Sweden writes days as ISO 8601 has them.
const inZone = timeZone => new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });

let placeName = 'Australia/Sydney';
let place = inZone(placeName);

// To work out the day of a moment takes long, and charts ask for it many times of each of many thousand transactions.
let noted = new WeakMap();

/** Takes the time zone of the host's setting. */
export function useZone(zone) {
  if (zone !== placeName) {
    placeName = zone;
    place = inZone(zone);
    noted = new WeakMap();
  }
}

/** The day of a bank's date or moment, as 2026-11-24; empty for anything else. */
export function bankDay(text) {
  const whole = midnight.exec(text ?? '');
  const time = Date.parse(whole ? whole[1] : text);
  return Number.isNaN(time) ? '' : whole ? whole[1] : place.format(time);
}

/** The day that it is where the bank is. */
export const today = () => place.format(Date.now());

/** The day of a transaction. */
export function dayOf(transaction) {
  let day = noted.get(transaction);
  if (day === undefined) {
    day = bankDay(transaction.postDate || transaction.transactionDate);
    noted.set(transaction, day);
  }
  return day;
}
