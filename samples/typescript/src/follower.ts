import { setTimeout as delay } from 'node:timers/promises';
import type { Copy } from './copy.ts';
import type { Feed } from './feed.ts';

/** News of one user. What is told while nobody waits is remembered. */
export class News {
  #isTold = false;
  #wake: (() => void) | undefined;

  tell(): void {
    this.#isTold = true;
    this.#wake?.();
  }

  /** Waits for news, or for as long as it goes without a look: a notification can be late. */
  async wait(every: number, stop: AbortSignal): Promise<void> {
    if (!this.#isTold) {
      const over = new AbortController();
      this.#wake = () => over.abort();
      await delay(every, undefined, { signal: AbortSignal.any([stop, over.signal]) }).catch(() => {});
      this.#wake = undefined;
    }

    this.#isTold = false;
  }
}

/** Keeps one user's rows in step, until it is stopped. */
export async function follow(feed: Feed, copy: Copy, userId: string, news: News, every: number, stop: AbortSignal): Promise<void> {
  let said = '';
  while (!stop.aborted) {
    try {
      const what = await catchUp(feed, copy, userId, stop);
      if (what !== said) console.log(`${userId}: ${what}`);
      said = what;
    } catch (error) {
      if (stop.aborted) return;

      // Nothing of the page has been kept: the same is read next time.
      console.error(`${userId}: ${error instanceof Error ? error.message : 'failed'} Again later.`);
    }

    await news.wait(every, stop);
  }
}

/** Gives what there is to say of it. */
async function catchUp(feed: Feed, copy: Copy, userId: string, stop: AbortSignal): Promise<string> {
  for (let changes = 0; ; ) {
    const place = copy.findPlace(userId);
    const answer = await feed.read(userId, place.cursor, stop);
    if (answer === 'gone') {
      copy.forget(userId);
      return 'nothing is kept of this user.';
    }

    if (answer === 'expired') {
      copy.beginAgain(userId, place);
      continue;
    }

    copy.apply(userId, place, answer);
    changes += answer.changes.length;
    if (!answer.hasMore) return changes > 0 ? `${changes} changes taken in.` : 'in step.';
  }
}
