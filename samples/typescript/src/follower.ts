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
  while (!stop.aborted) {
    try {
      await catchUp(feed, copy, userId, stop);
    } catch (error) {
      if (stop.aborted) return;

      // Nothing of the page has been kept: the same is read next time.
      console.error(`${userId}: ${error instanceof Error ? error.message : 'failed'} Again later.`);
    }

    await news.wait(every, stop);
  }
}

async function catchUp(feed: Feed, copy: Copy, userId: string, stop: AbortSignal): Promise<void> {
  for (;;) {
    const place = copy.findPlace(userId);
    const answer = await feed.read(userId, place.cursor, stop);
    if (answer === 'gone') return copy.forget(userId);
    if (answer === 'expired') {
      copy.beginAgain(userId, place);
      continue;
    }

    copy.apply(userId, place, answer);
    if (!answer.hasMore) return;
  }
}
