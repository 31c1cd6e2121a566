import { DatabaseSync } from 'node:sqlite';
import type { Page } from './feed.ts';

/** Where a user's copy stands: what to read on with, and which reading of the whole it is. */
export interface Place {
  cursor: string | null;
  reading: number;
}

/**
 * The copy. A page and the cursor behind it are stored in one transaction, so that a program that dies goes on where it was; and only if the
 * cursor is still the one that the page was read with, so that two programs do no harm to each other.
 */
export class Copy {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: 30_000 });
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS places (user_id text PRIMARY KEY, cursor text, reading integer NOT NULL, is_whole integer NOT NULL);
      CREATE TABLE IF NOT EXISTS accounts (user_id text, account_id text, json text NOT NULL, reading integer NOT NULL, PRIMARY KEY (user_id, account_id));
      CREATE TABLE IF NOT EXISTS transactions (
        user_id text, account_id text, transaction_id text, inferred_from text, json text NOT NULL, reading integer NOT NULL,
        PRIMARY KEY (user_id, account_id, transaction_id));`);
  }

  findPlace(userId: string): Place {
    const row = this.#database.prepare('SELECT cursor, reading FROM places WHERE user_id = ?').get(userId);
    return row === undefined ? { cursor: null, reading: 0 } : { cursor: row['cursor'] as string | null, reading: row['reading'] as number };
  }

  /** Stores what a page says, and that it was read. */
  apply(userId: string, place: Place, page: Page): void {
    this.#inTransaction(() => {
      if (!this.#move(userId, place, { ...place, cursor: page.nextCursor })) return;
      const accounts = page.accounts ?? [];
      const putAccount = this.#database.prepare(`
        INSERT INTO accounts (user_id, account_id, json, reading) VALUES (?, ?, ?, ?)
        ON CONFLICT (user_id, account_id) DO UPDATE SET json = excluded.json, reading = excluded.reading`);
      for (const change of accounts.filter((account) => account.type !== 'removed'))
        putAccount.run(userId, change.accountId, JSON.stringify(change.account), place.reading);

      const put = this.#database.prepare(`
        INSERT INTO transactions (user_id, account_id, transaction_id, inferred_from, json, reading) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (user_id, account_id, transaction_id) DO UPDATE SET json = excluded.json, reading = excluded.reading`);
      const remove = this.#database.prepare('DELETE FROM transactions WHERE user_id = ? AND account_id = ? AND transaction_id = ?');
      for (const change of page.changes) {
        if (change.type === 'removed') remove.run(userId, change.accountId, change.transactionId);
        else put.run(userId, change.accountId, change.transactionId, change.inferredFrom ?? null, JSON.stringify(change.transaction), place.reading);
      }

      const removeAccount = this.#database.prepare('DELETE FROM accounts WHERE user_id = ? AND account_id = ?');
      for (const change of accounts.filter((account) => account.type === 'removed')) removeAccount.run(userId, change.accountId);
      if (!page.hasMore) this.#endReading(userId, place.reading);
    });
  }

  /** Has everything be read once more. What there is stays until that is done. */
  beginAgain(userId: string, place: Place): void {
    this.#inTransaction(() => {
      if (this.#move(userId, place, { cursor: null, reading: place.reading + 1 }))
        this.#database.prepare('UPDATE places SET is_whole = 0 WHERE user_id = ?').run(userId);
    });
  }

  /** Deletes all there is of a user. */
  forget(userId: string): void {
    this.#inTransaction(() => {
      for (const table of ['places', 'accounts', 'transactions']) this.#database.prepare(`DELETE FROM ${table} WHERE user_id = ?`).run(userId);
    });
  }

  close(): void {
    this.#database.close();
  }

  /** Moves on from a place; false when another program has. */
  #move(userId: string, from: Place, to: Place): boolean {
    this.#database.prepare('INSERT INTO places (user_id, cursor, reading, is_whole) VALUES (?, NULL, 0, 0) ON CONFLICT (user_id) DO NOTHING').run(userId);
    const { changes } = this.#database
      .prepare('UPDATE places SET cursor = ?, reading = ? WHERE user_id = ? AND reading = ? AND cursor IS ?')
      .run(to.cursor, to.reading, userId, from.reading, from.cursor);
    return changes === 1;
  }

  /** When a reading of the whole is done for the first time, what it did not meet is gone. */
  #endReading(userId: string, reading: number): void {
    if (this.#database.prepare('UPDATE places SET is_whole = 1 WHERE user_id = ? AND is_whole = 0').run(userId).changes === 0) return;
    for (const table of ['accounts', 'transactions'])
      this.#database.prepare(`DELETE FROM ${table} WHERE user_id = ? AND reading < ?`).run(userId, reading);
  }

  #inTransaction(act: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      act();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
