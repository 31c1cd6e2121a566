import { setTimeout as delay } from 'node:timers/promises';
import type { Copy } from './copy.ts';
import type { Feed } from './feed.ts';

/** Keeps one user's rows in step, until it is stopped. */
export async function follow(feed: Feed, copy: Copy, userId: string, every: number, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await catchUp(feed, copy, userId, stop);
    } catch (error) {
      if (stop.aborted) return;

      // Nothing of the page has been kept: the same is read next time.
      console.error(`${userId}: ${error instanceof Error ? error.message : 'failed'} Again later.`);
    }

    await waitForNews(every, stop);
  }
}

/**
 * The one place that waits. Who receives notifications ends the wait as soon as a `data.changed` names this user; asking now and then stays
 * right, since a notification can be late.
 */
async function waitForNews(every: number, stop: AbortSignal): Promise<void> {
  await delay(every, undefined, { signal: stop }).catch(() => {});
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
