import * as crypto from 'node:crypto';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

interface FlowNode {
  readonly type: string;
  readonly name?: string;
  readonly func?: string;
  readonly credentials?: unknown;
  readonly env?: readonly { readonly name: string; readonly value: string; readonly type: string }[];
}
type Message = Readonly<Record<string, unknown>>;

const text = readFileSync(new URL('../../docs/node-red-flows.json', import.meta.url), 'utf8');
const flow = JSON.parse(text) as readonly FlowNode[];

/** A function node as Node-RED runs it: what it returns for a message. */
function functionNode(name: string, secret = ''): (msg: Message) => unknown {
  const func = flow.find((node) => node.name === name)?.func;
  const kept = new Map<string, unknown>();
  const context = { get: (key: string) => kept.get(key), set: (key: string, value: unknown) => kept.set(key, value) };
  const scope = { context, crypto, Buffer, env: { get: () => secret }, node: { status: () => undefined } };
  return (msg) => runInNewContext(`(() => { ${func} })()`, { ...scope, msg });
}

describe('docs/node-red-flows.json', () => {
  it('holds no password and no token', () => {
    expect(flow.filter(({ credentials }) => credentials !== undefined)).toEqual([]);
    expect(flow.flatMap(({ env = [] }) => env)).toEqual([{ name: 'NHIP_WEBHOOK_SECRET', value: '', type: 'cred' }]);
    expect(text).not.toMatch(/whsec_[A-Za-z0-9+/]{8}|nhip_[A-Za-z0-9]{8}/);
  });

  it('queues: one message at a time, the next after its PUBACK, the same again after a new connection', () => {
    const queue = functionNode('hàng đợi / queue');
    const message = (n: number) => ({ topic: 'json/g/e/d', payload: { values: { n } } });
    const first = queue(message(1)) as Message;
    expect(first).toMatchObject({ topic: 'json/g/e/d', payload: { ts: expect.any(Number), values: { n: 1 } } });
    expect(queue(message(2))).toBeNull();
    expect(queue({ status: { fill: 'red' } })).toBeNull();
    expect(queue({ status: { fill: 'green' } })).toEqual(first);
    expect(queue(first)).toMatchObject({ payload: { values: { n: 2 } } });
    // Both tries of the first one are answered: the second answer must not take the next message out.
    expect(queue(first)).toBeNull();
    expect(queue({ status: { fill: 'green' } })).toMatchObject({ payload: { values: { n: 2 } } });
  });

  it('takes an event that is signed, fresh and new, and refuses everything else', () => {
    const key = createHash('sha256').update('key').digest();
    const verify = functionNode('kiểm chữ ký / verify', `whsec_${key.toString('base64')}\n`);
    const body = Buffer.from('{"type":"machine.state"}');
    const now = Math.floor(Date.now() / 1000);
    const sent = (id: string, at = now, signedBody = body) => {
      const signature = createHmac('sha256', key).update(`${id}.${at}.`).update(signedBody).digest('base64');
      const headers = { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,AAAA v1,${signature}` };
      return verify({ payload: body, req: { headers } });
    };
    expect(sent('a')).toMatchObject([{ payload: { type: 'machine.state' } }, { statusCode: 204 }]);
    expect(sent('a')).toMatchObject([null, { statusCode: 204 }]);
    expect(sent('b', now - 301)).toMatchObject([null, { statusCode: 401 }]);
    expect(sent('c', now, Buffer.from('{}'))).toMatchObject([null, { statusCode: 401 }]);
    expect(verify({ payload: body, req: { headers: {} } })).toMatchObject([null, { statusCode: 401 }]);
    const withoutSecret = functionNode('kiểm chữ ký / verify');
    expect(withoutSecret({ payload: body, req: { headers: {} } })).toMatchObject([null, { statusCode: 401 }]);
  });

  it('brings what Tasmota says into the names and units of Nhịp', () => {
    const bring = functionNode('Tasmota → Nhịp');
    const payload = { Time: '2026-01-05T08:00:00', ENERGY: { Total: 3.185, Power: 128 }, DS18B20: { Temperature: 20.6 } };
    expect(bring({ topic: 'tele/plug/SENSOR', payload })).toEqual({
      topic: 'json/nhamay/nodered/plug',
      payload: { values: { 'Power/Active': 0.128, 'Energy/Import': 3.185, DS18B20: { Temperature: 20.6 } } },
    });
  });
});
