import { z } from 'zod';
import { subnetOf } from './http/request-facts.ts';
import { webhooksConfig } from './webhooks/config.ts';

/** Configuration of the live role. Secrets and folders of the process come in the deps. */
export const liveConfig = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for every network of this computer'),
  port: z.number().int().min(0).max(65_535).default(8080).describe('TCP port of HTTP and Socket.io; 0: any free port'),
  tls: z
    .strictObject({
      host: z.string().min(1).optional().describe('Address to listen on; default live.host, which may then stay on loopback'),
      port: z.int().min(0).max(65_535).default(8443).describe('TCP port of HTTPS'),
      certFile: z
        .string()
        .min(1)
        .describe('PEM file with the certificate and those between it and its authority; a new one is taken while the server runs'),
      keyFile: z.string().min(1).describe('PEM file with its private key, without a passphrase'),
    })
    .optional()
    .describe('The board and the API over TLS, beside the plain port; off when absent'),
  trustedProxies: z
    .array(z.string().refine((text) => subnetOf(text) !== undefined, 'must be an address or a subnet, e.g. 127.0.0.1 or 10.0.0.0/24'))
    .max(100)
    .default([])
    .describe(
      'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: failed logins and rate limits then count per visitor, not for all together',
    ),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address under which browsers reach the server when a proxy (for TLS) stands before it, e.g. https://nhip.example.vn'),
  allowedHosts: z
    .array(z.string().min(1))
    .default([])
    .describe('Host names under which browsers may reach the server, besides localhost, IP addresses and publicUrl'),
  rememberDays: z
    .int()
    .min(0)
    .max(365)
    .default(90)
    .describe('Days without use after which a device that stays logged in has to log in again; 0: none stays'),
  demo: z
    .boolean()
    .default(false)
    .describe(
      'A viewer on this computer may read without a login, unless a proxy stands before it (publicUrl, trustedProxies); changes always need one',
    ),
  tickMs: z.number().int().min(20).max(5000).default(100).describe('Shortest time between two live frames, ms'),
  maxViewers: z.number().int().min(1).default(500).describe('Live connections (Socket.io and SSE) at the same time'),
  unknownAfterMs: z
    .number()
    .int()
    .min(1000)
    .default(15 * 60_000)
    .describe('Silence of a machine after which its time counts as unknown, ms; longer than the heartbeat of its metrics'),
  rateLimit: z
    .strictObject({
      perSecond: z.number().min(1).max(100_000).default(50).describe('Requests per second that come back to a caller'),
      burst: z.int().min(10).max(1_000_000).default(500).describe('Requests that a caller may make at once'),
    })
    .prefault({})
    .describe('Requests to the API, per session, token or user, else per address; live connections and the pages are not counted'),
  grafanaUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Address of Grafana as browsers reach it, e.g. https://grafana.example.vn; the page of a machine then links to its dashboard',
    ),
  webhooks: webhooksConfig.describe('Programs elsewhere that are told of states and alarms; see docs/api.md'),
});

export type LiveConfig = z.infer<typeof liveConfig>;
