import { expect, it } from 'vitest';
import { isLoopback } from './loopback.ts';

it('knows the addresses that nobody else can reach', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]']) expect(isLoopback(host), host).toBe(true);
  for (const host of ['', '0.0.0.0', '::', '10.0.0.5', '127.0.0.1.example.vn', 'localhost.example.vn', '::ffff:10.0.0.5']) {
    expect(isLoopback(host), host).toBe(false);
  }
});
