import { networkInterfaces } from 'node:os';
import { brokerConfig } from '@nhip/broker/config';
import { liveConfig } from '@nhip/live/config';
import { expect, it } from 'vitest';
import { boardPlaces, mqttPlaces } from './places.ts';

const files = { certFile: 'board.pem', keyFile: 'board.key' };

it('tells addresses that people can type', () => {
  expect(boardPlaces(liveConfig.parse({}), { port: 8080, tlsPort: undefined })).toBe('http://127.0.0.1:8080');
  const ipv6 = liveConfig.parse({ host: '::1', tls: { ...files, host: 'nhip.local' } });
  expect(boardPlaces(ipv6, { port: 8080, tlsPort: 8443 })).toBe('http://[::1]:8080, https://nhip.local:8443');
  const broker = brokerConfig.parse({ tls: files });
  expect(mqttPlaces(broker, { port: 1883, tlsPort: 8883 })).toBe('127.0.0.1:1883, TLS 127.0.0.1:8883');
});

it('tells an address of this computer when it listens on all of them', () => {
  const external = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => `${address}:1883`);
  const places = mqttPlaces(brokerConfig.parse({ host: '0.0.0.0' }), { port: 1883, tlsPort: undefined });
  expect(external.length === 0 ? ['0.0.0.0:1883'] : external).toContain(places);
});
