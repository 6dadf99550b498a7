import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { createGate, type Gate } from '../gate.ts';

export const minPasswordLength = 12;

export const passwordHash = z.strictObject({
  algorithm: z.literal('scrypt').describe('Key derivation function'),
  cost: z.number().int().describe('N of scrypt'),
  blockSize: z.number().int().describe('r of scrypt'),
  parallelization: z.number().int().describe('p of scrypt'),
  salt: z.string().describe('base64'),
  hash: z.string().describe('base64'),
});
export type PasswordHash = z.infer<typeof passwordHash>;

/** Hashes and checks passwords: at most two at once (32 MiB each), twenty wait, more are refused with `live.busy`. */
export interface Passwords {
  hash(password: string): Promise<PasswordHash>;
  /** Takes the same time for a user who does not exist (`stored` undefined), who is never let in. */
  matches(password: string, stored: PasswordHash | undefined): Promise<boolean>;
}

const cost = 2 ** 15;
const blockSize = 8;
const parallelization = 1;
const keyBytes = 32;
const maxMemoryBytes = 64 * 1024 * 1024;

export function createPasswords(gate: Gate = createGate('logins', { atOnce: 2, queued: 20 })): Passwords {
  const nobody: PasswordHash = {
    algorithm: 'scrypt',
    cost,
    blockSize,
    parallelization,
    salt: text(randomBytes(16)),
    hash: text(randomBytes(keyBytes)),
  };
  return {
    async hash(password) {
      const salt = randomBytes(16);
      const key = await gate.run(() => derive(password, salt, nobody));
      return { ...nobody, salt: text(salt), hash: text(key) };
    },
    async matches(password, stored) {
      const expected = stored ?? nobody;
      const key = await gate.run(() => derive(password, Buffer.from(expected.salt, 'base64'), expected));
      const hash = Buffer.from(expected.hash, 'base64');
      return key.length === hash.length && timingSafeEqual(key, hash) && stored !== undefined;
    },
  };
}

/** A password that can be read out on the phone: four groups of five characters without look-alikes, about 99 bits. */
export function randomPassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}

function derive(password: string, salt: Buffer, parameters: PasswordHash): Promise<Buffer> {
  const options = { N: parameters.cost, r: parameters.blockSize, p: parameters.parallelization, maxmem: maxMemoryBytes };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, keyBytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function text(bytes: Buffer): string {
  return bytes.toString('base64');
}
