import { createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { brokerFindings, connectPacket } from './broker-login.ts';

let server: Server | undefined;
afterEach(async () => {
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  server = undefined;
});

/** A broker that answers every connection in one way. */
async function broker(answer: (socket: Socket) => void): Promise<string> {
  const listener = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  server = listener;
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function visit(place: string, protocol = 'mqtt') {
  const findings = await brokerFindings({ url: `${protocol}://${place}`, username: 'g/e', password: 'very secret', ca: undefined });
  const text = findings.map(({ says, todo }) => `${says} ${todo ?? ''}`).join('\n');
  expect(text).not.toContain('very secret');
  return { text, isFine: findings.every(({ state }) => state === 'ok') };
}

const connack = (code: number) => (socket: Socket) => socket.write(Buffer.from([0x20, 2, 0, code]));

describe('the login at the broker', () => {
  it('is fine when the broker accepts it', async () => {
    expect(await visit(await broker(connack(0)))).toMatchObject({ isFine: true, text: expect.stringContaining('accepts g/e') });
  });

  it.each([4, 5])('says what to do when it is refused with code %i', async (code) => {
    expect(await visit(await broker(connack(code)))).toMatchObject({ isFine: false, text: expect.stringContaining('nhip device add g/e') });
  });

  it('tells a closed port, a silent program and one that speaks something else', async () => {
    expect((await visit('127.0.0.1:9')).text).toContain('ECONNREFUSED');
    expect((await visit(await broker((socket) => socket.destroy()))).text).toContain('closed the connection');
  });

  it('tells that a certificate is missing where TLS is expected', async () => {
    const { isFine, text } = await visit(await broker((socket) => socket.end('HTTP/1.1 400\r\n')), 'mqtts');
    expect(isFine).toBe(false);
    expect(text).toMatch(/cannot be reached/);
  });

  it('sends a CONNECT of MQTT 3.1.1, whatever the names', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ maxLength: 300 }), (username, password) => {
        const packet = connectPacket('doctor-1', username, password);
        // Remaining length: seven bits a byte, low first, as long as the top bit is set (MQTT 3.1.1, §2.2.3).
        let length = 0;
        let at = 1;
        for (let scale = 1; ; scale *= 128) {
          const byte = packet[at++] ?? 0;
          length += (byte & 0x7f) * scale;
          if (byte < 0x80) break;
        }
        expect([packet[0], length]).toEqual([0x10, packet.length - at]);
        expect([...packet.subarray(at, at + 10)]).toEqual([0, 4, ...Buffer.from('MQTT'), 4, 0xc2, 0, 10]);
        const texts: string[] = [];
        for (let i = at + 10; i < packet.length; i += 2 + packet.readUInt16BE(i)) {
          texts.push(packet.toString('utf8', i + 2, i + 2 + packet.readUInt16BE(i)));
        }
        expect(texts).toEqual(['doctor-1', Buffer.from(username).toString(), Buffer.from(password).toString()]);
      }),
    );
  });
});
