import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError, reasonOf } from '@nhip/core/process/errors';

const minBytes = 24;
const maxBytes = 64;

/** The key in a secret file (Standard Webhooks 1.0: `whsec_` and base64 of 24 to 64 bytes). Throws ConfigError. */
export function readSigningKey(name: string, file: string): Buffer {
  const place = `live.webhooks ${name}`;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(place, [`secretFile ${file} cannot be read: ${reasonOf(error)}`]);
  }
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const key = Buffer.from(base64, 'base64');
  if (key.length >= minBytes && key.length <= maxBytes) return key;
  const advice = `echo "whsec_$(openssl rand -base64 32)" > ${file}`;
  throw new ConfigError(place, [`secretFile ${file} must hold whsec_ and ${minBytes} to ${maxBytes} bytes in base64, e.g. ${advice}`]);
}

/** Headers of one attempt. The time is that of the attempt: a receiver refuses old ones, so that none can be sent again by others. */
export function signedHeaders(key: Buffer, id: string, atMs: number, body: string): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
