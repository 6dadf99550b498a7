import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardedLookup, isPrivateAddress } from './addresses.ts';
import { webhookConfig } from './config.ts';
import type { HookEvent } from './events.ts';
import { signedHeaders } from './sign.ts';
import { createTarget, type RetryPolicy, retryPolicy, type Target } from './target.ts';

const key = Buffer.alloc(32, 7);
const quick: RetryPolicy = { ...retryPolicy, attemptMs: 200, firstDelayMs: 5, mostDelayMs: 20 };

interface Taken {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let taken: Taken[];
/** How the receiver answers; the n-th request is number n from 1. */
let answer: (response: ServerResponse, n: number) => void;
let url: string;
const targets: Target[] = [];
beforeEach(async () => {
  taken = [];
  answer = (response) => void response.end();
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      taken.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') });
      answer(response, taken.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterEach(async () => {
  for (const target of targets.splice(0)) await target.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function open(
  change: { readonly policy?: Partial<RetryPolicy>; readonly url?: string; readonly allowPrivateNetwork?: boolean } = {},
): Target {
  const { policy, ...rest } = change;
  const config = webhookConfig.parse({ name: 'test', url, secretFile: '/x', allowPrivateNetwork: true, ...rest });
  const deps = { key, clock: createNodeClock(), log: silentLog(), random: () => 0.5, policy: { ...quick, ...policy } };
  const target = createTarget(config, deps);
  targets.push(target);
  return target;
}

function event(n: number): HookEvent {
  return { id: `evt_${n}`, type: 'machine.state', machine: 'g/e/M', body: JSON.stringify({ n, text: 'Kẹt phôi' }) };
}

const ids = () => taken.map(({ headers }) => headers['webhook-id']);

describe('a signature', () => {
  it('is that of Standard Webhooks', () => {
    // The vector of the reference implementations.
    const known = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    const headers = signedHeaders(known, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, '{"test": 2432232314}');
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});

describe('a receiver', () => {
  it('gets events in their order, signed over what it received', async () => {
    const target = open();
    for (let n = 1; n <= 3; n++) target.enqueue(event(n));
    await expect.poll(() => target.stats().delivered).toBe(3);
    expect(ids()).toEqual(['evt_1', 'evt_2', 'evt_3']);
    for (const { headers, body } of taken) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
      expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
      expect(headers['content-type']).toBe('application/json');
    }
  });

  it('that answers 500 gets the same event again until it takes it', async () => {
    answer = (response, n) => void response.writeHead(n < 4 ? 500 : 204).end();
    const target = open();
    target.enqueue(event(1));
    target.enqueue(event(2));
    await expect.poll(() => target.stats().delivered).toBe(2);
    expect(ids()).toEqual(['evt_1', 'evt_1', 'evt_1', 'evt_1', 'evt_2']);
    expect(target.stats()).toMatchObject({ failedAttempts: 3, givenUp: 0, isFailing: false });
  });

  it('that hangs holds nobody up: the attempt ends, the bounded queue drops its oldest, stopping does not wait', async () => {
    answer = () => undefined;
    const target = open({ policy: { mostWaiting: 2, attemptMs: 50 } });
    for (let n = 1; n <= 5; n++) target.enqueue(event(n));
    expect(target.stats()).toMatchObject({ waiting: 2, dropped: 3 });
    await expect.poll(() => target.stats().failedAttempts).toBeGreaterThanOrEqual(2);
    expect(target.stats()).toMatchObject({ delivered: 0, isFailing: true });
    await target.stop();
  });

  it('that refuses an event gets the next after three attempts; one that is down, when the event is too old', async () => {
    answer = (response, n) => void response.writeHead(n <= 3 ? 400 : 200).end();
    const target = open();
    target.enqueue(event(1));
    target.enqueue(event(2));
    await expect.poll(() => target.stats().delivered).toBe(1);
    expect(ids()).toEqual(['evt_1', 'evt_1', 'evt_1', 'evt_2']);
    expect(target.stats().givenUp).toBe(1);
    const late = open({ policy: { giveUpAfterMs: 0 }, url: 'http://127.0.0.1:1/' });
    late.enqueue(event(1));
    await expect.poll(() => late.stats().givenUp).toBe(1);
  });

  it('cannot send it elsewhere', async () => {
    answer = (response) => void response.writeHead(307, { location: '/elsewhere' }).end();
    const target = open();
    target.enqueue(event(1));
    await expect.poll(() => target.stats().givenUp).toBe(1);
    expect(taken).toHaveLength(3);
  });

  it('in a private network is reached only where that is allowed, by address and by name', async () => {
    for (const address of [url, url.replace('127.0.0.1', 'localhost'), url.replace('127.0.0.1', '[::ffff:127.0.0.1]')]) {
      const target = open({ url: address, allowPrivateNetwork: false });
      target.enqueue(event(1));
      await expect.poll(() => target.stats().givenUp).toBe(1);
    }
    expect(taken).toEqual([]);
    const target = open({ url: url.replace('127.0.0.1', 'localhost') });
    target.enqueue(event(2));
    await expect.poll(() => target.stats().delivered).toBe(1);
  });
});

describe('addresses', () => {
  it('of private, local and reserved networks are known', () => {
    const closed = '127.0.0.1 10.1.2.3 172.31.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255';
    const closed6 = '::1 :: fd00::1 fe80::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1:: ff02::1';
    for (const address of `${closed} ${closed6}`.split(' ')) expect([address, isPrivateAddress(address)]).toEqual([address, true]);
    const open = '1.1.1.1 172.32.0.1 11.0.0.1 2606:4700::1111 ::ffff:1.1.1.1';
    for (const address of open.split(' ')) expect([address, isPrivateAddress(address)]).toEqual([address, false]);
  });

  it('are given to sockets as they ask for them', async () => {
    const one = await new Promise((resolve) => guardedLookup(true)('localhost', { family: 4 }, (_error, ...found) => resolve(found)));
    expect(one).toEqual(['127.0.0.1', 4]);
  });
});
