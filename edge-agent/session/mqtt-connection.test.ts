import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createMqttConnect } from './mqtt-connection.ts';

/** The first bytes that reach a server at `host` when the agent connects to `address(port)`. */
async function firstBytes(host: string, address: (port: number) => string): Promise<string> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const arrived = (async () => {
    const [socket] = (await once(server, 'connection')) as [Socket];
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return bytes.toString('latin1');
  })();
  const settings = { clientId: 'g-e', username: 'g/e', password: 'secret', ca: undefined, keepaliveS: 30, connectTimeoutMs: 5000 };
  const connect = createMqttConnect({ ...settings, url: address((server.address() as AddressInfo).port) });
  const connection = connect({ topic: 't', payload: new Uint8Array() }, 0);
  connection.connected.catch(() => undefined);
  try {
    return await arrived;
  } finally {
    await connection.closed;
    server.close();
  }
}

describe('an address of a broker', () => {
  it('may be a name, IPv4 or IPv6', async () => {
    const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
    const hosts = [['127.0.0.1', '127.0.0.1'] as const, ['127.0.0.1', 'localhost'] as const];
    for (const [host, text] of hasIpv6 ? [...hosts, ['::1', '[::1]'] as const] : hosts) {
      const bytes = await firstBytes(host, (port) => `mqtt://${text}:${port}`);
      expect(bytes).toMatch(/^\x10.{1,4}\0\x04MQTT\x04.*g-e.*g\/e.*secret/s);
    }
  });

  it('says the path of a WebSocket', async () => {
    expect(await firstBytes('127.0.0.1', (port) => `ws://127.0.0.1:${port}/broker/mqtt?plant=1`)).toMatch(
      /^GET \/broker\/mqtt\?plant=1 HTTP/,
    );
  });

  it('may carry a login of its own', async () => {
    const bytes = await firstBytes('127.0.0.1', (port) => `mqtt://may%20so:kh%C3%B3a@127.0.0.1:${port}`);
    expect(Buffer.from(bytes, 'latin1').toString()).toMatch(/may so.*khóa/s);
  });
});
