/** A change of an account or of a transaction. One that was removed comes with its ids alone. */
export interface AccountChange {
  type: 'added' | 'modified' | 'removed';
  accountId: string;
  account?: unknown;
}

export interface TransactionChange {
  type: 'added' | 'modified' | 'removed';
  accountId: string;
  transactionId: string;
  inferredFrom?: string;
  transaction?: unknown;
}

export interface Page {
  accounts?: AccountChange[];
  changes: TransactionChange[];
  nextCursor: string;
  hasMore: boolean;
}

/** A page; or that the cursor is too old, and everything is to be read once more; or that there is nothing of the user: not yet, or not any more. */
export type Answer = Page | 'expired' | 'gone';

/** Reads `GET users/{userId}/changes`. */
export class Feed {
  readonly #api: string;
  readonly #key: string | undefined;
  readonly #pageLength: number;

  constructor(api: string, key: string | undefined, pageLength: number) {
    this.#api = api.replace(/\/+$/, '');
    this.#key = key;
    this.#pageLength = pageLength;
  }

  /** Throws when it did not work; try again. */
  async read(userId: string, cursor: string | null, stop: AbortSignal): Promise<Answer> {
    const query = new URLSearchParams({ limit: String(this.#pageLength), ...(cursor === null ? {} : { cursor }) });
    const answer = await fetch(`${this.#api}/users/${encodeURIComponent(userId)}/changes?${query}`, {
      headers: this.#key === undefined ? {} : { 'x-functions-key': this.#key },
      signal: AbortSignal.any([stop, AbortSignal.timeout(60_000)]),
    });
    if (answer.status === 200) return (await answer.json()) as Page;
    const code = await codeOf(answer);
    if (answer.status === 410 && code === 'cursor-expired') return 'expired';

    // Only these words end a copy: a 404 can come from a wrong address, too.
    if (answer.status === 404 && (code === 'consent-ended' || code === 'no-snapshot')) return 'gone';
    throw new Error(`The app answers ${answer.status}.`);
  }
}

async function codeOf(answer: Response): Promise<string | undefined> {
  const body = await answer.text();
  if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) return undefined;
  return (JSON.parse(body) as { code?: string }).code;
}
