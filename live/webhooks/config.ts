import { z } from 'zod';

const eventTypes = ['machine.state', 'machine.connection', 'alarm.raised', 'alarm.cleared'] as const;
export type EventType = (typeof eventTypes)[number];

export const webhookConfig = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'small letters, digits and -, at most 32')
    .describe('Its name in figures and logs'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !url.includes('@'), 'no user or password here: the signature proves who sends')
    .describe('Where events are sent by POST; redirects are not followed'),
  secretFile: z
    .string()
    .min(1)
    .describe('File with the secret that signs them: whsec_ and 24 to 64 random bytes in base64, e.g. of `openssl rand -base64 32`'),
  events: z
    .array(z.enum(eventTypes))
    .min(1)
    .default([...eventTypes])
    .describe('Which events'),
  machines: z
    .array(z.string().min(1).max(200))
    .max(1000)
    .default([])
    .describe('Of which machines: ids, or beginnings that end with /, e.g. hoalac/press/; empty: of all'),
  allowPrivateNetwork: z
    .boolean()
    .default(false)
    .describe('The address may be this computer or in a private network (10/8, 172.16/12, 192.168/16, …)'),
});
export type WebhookConfig = z.infer<typeof webhookConfig>;

export const webhooksConfig = z
  .array(webhookConfig)
  .max(20)
  .refine((hooks) => new Set(hooks.map(({ name }) => name)).size === hooks.length, 'each needs a name of its own')
  .default([]);
