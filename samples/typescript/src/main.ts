import { Copy } from './copy.ts';
import { Feed } from './feed.ts';
import { follow, News } from './follower.ts';
import { receive } from './receiver.ts';

const [api, file, ...users] = process.argv.slice(2);
if (api === undefined || file === undefined || users.length === 0) {
  console.error('Usage: npm start -- <url of the API, up to /api> <file of the database> <user id>…');
  process.exit(2);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const feed = new Feed(api, process.env['FUNCTIONS_KEY'], Number(process.env['PAGE_LENGTH'] ?? 500));
const copy = new Copy(file);
const every = Number(process.env['POLL_MS'] ?? 30_000);
const news = new Map(users.map((userId) => [userId, new News()]));
const url = process.env['WEBHOOK_URL'];
const receiver = url === undefined ? undefined : receive(new URL(url), process.env['WEBHOOK_SECRET'] ?? '', (userId) => news.get(userId)?.tell());
await Promise.all([...news].map(([userId, ofUser]) => follow(feed, copy, userId, ofUser, every, stop.signal)));
receiver?.close();
copy.close();
