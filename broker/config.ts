import { isId } from '@nhip/core/wire/topic';
import { z } from 'zod';

export const brokerConfig = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address to listen on; anything but loopback needs TLS or a trusted network'),
  port: z.int().min(0).max(65535).default(1883).describe('MQTT port; 0 takes any free one'),
  webSocketPort: z.int().min(0).max(65535).optional().describe('Port for MQTT over WebSocket; off when absent'),
  tls: z
    .strictObject({
      host: z.string().optional().describe('Address to listen on; default broker.host, which may then stay on loopback'),
      port: z.int().min(0).max(65535).default(8883).describe('MQTT over TLS port'),
      certFile: z
        .string()
        .describe('PEM file with the certificate and those between it and its authority; a new one is taken while the broker runs'),
      keyFile: z.string().describe('PEM file with its private key, without a passphrase'),
    })
    .optional()
    .describe('MQTT over TLS; off when absent'),
  hostId: z
    .string()
    .refine(isId, 'must be 1–64 letters, digits, _ . or -')
    .default('nhip')
    .describe('Sparkplug host id: edges with primaryHostId find this server by its STATE'),
  maxPacketBytes: z.int().min(1024).max(16_777_216).default(1_048_576).describe('Larger packets close the connection'),
  maxConnections: z.int().min(1).default(2000).describe('Clients at once'),
  maxSubscriptions: z.int().min(1).default(32).describe('Subscriptions of one client'),
  connectTimeoutMs: z.int().min(100).default(5000).describe('A connection that sends no CONNECT in this time is closed'),
  drainTimeoutMs: z.int().min(100).default(3000).describe('A subscriber that does not read for this long is disconnected'),
});
export type BrokerConfig = z.infer<typeof brokerConfig>;
