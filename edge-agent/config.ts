import { ConfigError } from '@nhip/core/process/errors';
import { isId } from '@nhip/core/wire/topic';
import { z } from 'zod';
import { driverPlugin } from './drivers/index.ts';

/** With the rest of the file, so that all problems are told at once. */
function checkByDriver({ value, issues }: z.core.ParsePayload<{ driver: string }>): void {
  try {
    const result = driverPlugin(value.driver).config.safeParse(value, { reportInput: false });
    for (const issue of result.error?.issues ?? []) issues.push({ ...issue, path: [...issue.path], input: value } as z.core.$ZodRawIssue);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const message of error.problems) issues.push({ code: 'custom', path: [], message, input: value });
  }
}

const id = z.string().refine(isId, 'must be 1–64 letters, digits, _ . or -');

export const agentConfig = z.strictObject({
  group: id.describe('Sparkplug group id: the site'),
  edge: id.describe('Sparkplug edge node id: this agent'),
  mqtt: z
    .strictObject({
      url: z.url({ protocol: /^(mqtts?|wss?)$/ }).describe('Broker, e.g. mqtt://127.0.0.1:1883'),
      username: z.string().min(1).optional().describe('User name; default <group>/<edge>'),
      password: z.string().min(1).optional().describe('Password; better passwordFile'),
      passwordFile: z.string().min(1).optional().describe('File whose first line is the password'),
      caFile: z.string().min(1).optional().describe('PEM file with the CA that signed the broker’s certificate'),
      keepaliveS: z.int().min(2).max(3600).default(10).describe('MQTT keep alive, s'),
      maxPacketBytes: z
        .int()
        .min(16_384)
        .max(16_777_216)
        .default(1_048_576)
        .describe('Largest message that the broker takes; data beyond it is split, a device whose birth is larger is left out'),
      window: z.int().min(1).max(1024).default(64).describe('Messages sent and not yet acknowledged'),
    })
    .describe('Where to publish'),
  outbox: z
    .strictObject({
      maxBytes: z
        .int()
        .min(4_194_304)
        .default(536_870_912)
        .describe(
          'Disk quota; beyond it the oldest samples are given up, counted and reported. A sample takes about 22 bytes and its name',
        ),
      commitDelayMs: z.int().min(0).max(10_000).default(100).describe('Samples of this time share one fsync'),
      backlogMessagesPerS: z
        .int()
        .min(1)
        .optional()
        .describe('After an outage: at most this many old messages a second; by default as many as half of the window takes'),
    })
    .prefault({})
    .describe('The disk queue'),
  connections: z
    .array(z.looseObject({ id: z.string(), driver: z.string() }).check(checkByDriver))
    .describe('Connections to machines, each with its driver’s settings'),
});
export type AgentConfig = z.infer<typeof agentConfig>;
