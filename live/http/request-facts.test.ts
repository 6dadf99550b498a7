import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createRequestFacts, subnetOf } from './request-facts.ts';

const from = (remoteAddress: string, headers: Readonly<Record<string, string>>): IncomingMessage =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

const addressOf = (trusted: readonly string[], peer: string, forwarded: string): string =>
  createRequestFacts(trusted)(from(peer, { 'x-forwarded-for': forwarded })).address;

describe('where a request comes from', () => {
  it('is its peer, whatever a stranger writes', () => {
    expect(addressOf([], '127.0.0.1', '1.2.3.4')).toBe('127.0.0.1');
    expect(addressOf(['10.0.0.1'], '10.0.0.2', '1.2.3.4')).toBe('10.0.0.2');
    const { isEncrypted } = createRequestFacts([])(from('127.0.0.1', { 'x-forwarded-proto': 'https' }));
    expect(isEncrypted).toBe(false);
  });

  it('is whom trusted proxies name, from the right as far as they reach', () => {
    expect(addressOf(['127.0.0.1'], '127.0.0.1', '192.168.1.7')).toBe('192.168.1.7');
    expect(addressOf(['127.0.0.1'], '::ffff:127.0.0.1', '192.168.1.7')).toBe('192.168.1.7');
    expect(addressOf(['127.0.0.1', '10.0.0.0/24'], '127.0.0.1', '9.9.9.9, 192.168.1.7, 10.0.0.8')).toBe('192.168.1.7');
    expect(addressOf(['::1'], '::1', '[2001:db8::5]:4711')).toBe('2001:db8::5');
    expect(addressOf(['127.0.0.1'], '127.0.0.1', '192.168.1.7:4711')).toBe('192.168.1.7');
    const { isEncrypted } = createRequestFacts(['127.0.0.1'])(from('127.0.0.1', { 'x-forwarded-proto': 'http, https' }));
    expect(isEncrypted).toBe(true);
  });

  it('is the last proxy when what it names is none', () => {
    for (const forwarded of ['', 'unknown', '_hidden', '192.168.1.7, ', 'x'.repeat(10_000)]) {
      expect(addressOf(['127.0.0.1'], '127.0.0.1', forwarded), forwarded.slice(0, 20)).toBe('127.0.0.1');
    }
    expect(addressOf(['0.0.0.0/0'], '127.0.0.1', Array.from({ length: 1000 }, () => '10.0.0.1').join(','))).toBe('10.0.0.1');
  });
});

it('knows addresses and subnets', () => {
  expect(subnetOf('10.0.0.0/24')).toEqual({ address: '10.0.0.0', bits: 24, family: 'ipv4' });
  expect(subnetOf('2001:db8::/32')).toEqual({ address: '2001:db8::', bits: 32, family: 'ipv6' });
  expect(subnetOf('127.0.0.1')).toEqual({ address: '127.0.0.1', bits: 32, family: 'ipv4' });
  for (const wrong of ['', 'nginx', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', '10.0.0.0/1e1']) {
    expect(subnetOf(wrong), wrong).toBeUndefined();
  }
});
