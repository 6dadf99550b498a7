import { connect as connectTcp, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { Aedes, type Client } from 'aedes';
import { connectAsync } from 'mqtt';
import { generate } from 'mqtt-packet';
import { describe, expect, it, vi } from 'vitest';
import { deliverOvertakingPackets, guardPackets } from './packet-guard.ts';

const pairs = 100;

/** Sends retained and plain messages in turn through a bare Aedes; resolves with how many of them a subscriber got. */
async function deliveredOf(prepare: (client: Client, broker: Aedes) => void): Promise<number> {
  const broker = await Aedes.createBroker();
  broker.on('client', (client) => prepare(client, broker));
  const server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `mqtt://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const [subscriber, publisher] = await Promise.all([connectAsync(url), connectAsync(url)]);
  const seen = new Set<string>();
  const finished = new Promise<void>((resolve) => {
    subscriber.on('message', (topic, payload) => (topic === 'end' ? resolve() : seen.add(payload.toString())));
  });
  await subscriber.subscribeAsync('#');
  publisher.stream.cork();
  for (let i = 0; i < pairs; i++) {
    publisher.publish('retained', `r${i}`, { retain: true });
    publisher.publish('plain', `p${i}`);
  }
  publisher.stream.uncork();
  await vi.waitFor(() => expect(publisher.connected).toBe(true));
  await publisher.publishAsync('end', '', { qos: 1 });
  await finished;
  await Promise.all([subscriber.endAsync(true), publisher.endAsync(true)]);
  await new Promise<void>((resolve) => broker.close(resolve));
  server.close();
  return seen.size;
}

describe('work-arounds for Aedes', () => {
  it('drops packets that overtake each other when left alone (if this fails, Aedes was mended: remove the work-around)', async () => {
    expect(await deliveredOf(() => undefined)).toBeLessThan(pairs * 2);
  });

  it('delivers them all with the work-around', async () => {
    expect(await deliveredOf((client, broker) => deliverOvertakingPackets(client, broker.id))).toBe(pairs * 2);
  });

  it('takes a birth of more than 4 KB that follows the CONNACK at once, before Aedes calls the client connected', async () => {
    const broker = await Aedes.createBroker();
    // What Aedes waits for between CONNACK and "connected": here it takes long enough to be overtaken.
    Object.assign((broker as unknown as { persistence: object }).persistence, {
      outgoingStream: () => new Readable({ read: () => undefined, signal: AbortSignal.timeout(500) }),
    });
    const server = createServer((socket) => guardPackets(broker.handle(socket), 8192, () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const socket = connectTcp(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
    const birth = generate({
      cmd: 'publish',
      topic: 'birth',
      payload: Buffer.alloc(6000),
      qos: 1,
      messageId: 1,
      dup: false,
      retain: false,
    });
    const outcome = new Promise<string>((resolve) => {
      socket.once('close', () => resolve('closed'));
      socket.on('data', (chunk) => (chunk[0] === 0x20 ? socket.write(birth) : resolve('acknowledged')));
    });
    socket.write(generate({ cmd: 'connect', clientId: 'c', clean: true, keepalive: 0 }));
    expect(await outcome).toBe('acknowledged');
    socket.destroy();
    await new Promise<void>((resolve) => broker.close(resolve));
    server.close();
  });

  it('refuses to run with a parser that it does not know', () => {
    expect(() => guardPackets({} as Client, 1000, () => undefined)).toThrow(/_parseLength/);
  });
});
