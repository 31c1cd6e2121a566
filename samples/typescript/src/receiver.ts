import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';

const longestBody = 64 * 1024;
const tolerance = 5 * 60;

/**
 * Receives the app's notifications and wakes whoever follows the user that one is about. Nothing is lost with one that goes astray: followers
 * look now and then anyway. So a message that comes twice needs no memory either.
 */
export function receive(url: URL, secret: string, wake: (userId: string) => void): Server {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (key.length === 0) throw new Error('WEBHOOK_SECRET is needed: what PUT notifications/subscription answered.');
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST' || request.url !== url.pathname) return response.writeHead(404).end();
    const body = await read(request).catch(() => undefined);
    if (body === undefined || !isSigned(request.headers, body, key)) return response.writeHead(body === undefined ? 413 : 401).end();
    wake((JSON.parse(body.toString()) as { data: { userId: string } }).data.userId);
    return response.writeHead(204).end();
  });
  return server.listen(Number(url.port || 80), url.hostname);
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > longestBody) throw new Error('Too long.');
    parts.push(part as Buffer);
  }

  return Buffer.concat(parts);
}

/** Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`. While the secret rotates, one of several signatures fits. */
function isSigned(headers: IncomingMessage['headers'], body: Buffer, key: Buffer): boolean {
  const [id, timestamp, signatures] = [headers['webhook-id'], headers['webhook-timestamp'], headers['webhook-signature']];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= tolerance)) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures.split(' ').some((signature) => {
    const [version, value] = signature.split(',');
    const given = Buffer.from(value ?? '', 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
