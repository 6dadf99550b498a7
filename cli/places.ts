import { networkInterfaces } from 'node:os';
import type { BrokerConfig } from '@nhip/broker/config';
import type { LiveConfig } from '@nhip/live/config';

/** The ports that a role took. */
export interface Ports {
  readonly port: number;
  /** undefined: no TLS. */
  readonly tlsPort: number | undefined;
}

/** Where clients find the broker, for people: `127.0.0.1:1883, TLS 192.168.1.5:8883`. */
export function mqttPlaces({ host, tls }: BrokerConfig, { port, tlsPort }: Ports): string {
  return `${address(host)}:${port}${tlsPort === undefined ? '' : `, TLS ${address(tls?.host ?? host)}:${tlsPort}`}`;
}

/** Where browsers find the board, for people: `http://127.0.0.1:8080, https://192.168.1.5:8443`. */
export function boardPlaces({ host, tls }: LiveConfig, { port, tlsPort }: Ports): string {
  return `http://${address(host)}:${port}${tlsPort === undefined ? '' : `, https://${address(tls?.host ?? host)}:${tlsPort}`}`;
}

/** An address to type: for a server that listens on all of them, one under which other computers reach this one. */
function address(host: string): string {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const reachable =
    host === '0.0.0.0' || host === '::' ? own.find(({ internal, family }) => !internal && family === 'IPv4')?.address : host;
  const text = reachable ?? host;
  return text.includes(':') ? `[${text}]` : text;
}
