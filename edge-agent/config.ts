import { checkConfig, parseYaml } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { isId } from '@nhip/core/wire/topic';
import { z } from 'zod';
import { driverPlugin } from './drivers/index.ts';
import { fillProfiles } from './profiles/expand.ts';
import { ruleProblems } from './rules/derived-problems.ts';

/** With the rest of the file, so that all problems are told at once. */
function checkByDriver({ value, issues }: z.core.ParsePayload<{ driver: string }>): void {
  try {
    const plugin = driverPlugin(value.driver);
    const result = plugin.config.safeParse(value, { reportInput: false });
    for (const issue of result.error?.issues ?? []) issues.push({ ...issue, path: [...issue.path], input: value } as z.core.$ZodRawIssue);
    if (!result.success) return;
    for (const { path, message } of ruleProblems(plugin, result.data))
      issues.push({ code: 'custom', path: [...path], message, input: value });
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
      backupUrls: z
        .array(z.url({ protocol: /^(mqtts?|wss?)$/ }))
        .max(8)
        .default([])
        .describe(
          'Further brokers, tried in this order when the first cannot be reached or its primary host is offline; never two at once',
        ),
      primaryHostId: id.optional().describe('Sparkplug host that must be online (its STATE) before anything is published; without it none'),
      strictSparkplug: z
        .boolean()
        .default(false)
        .describe(
          'DATA at QoS 0 as Sparkplug demands, for hosts other than Nhịp; the last 1.5 × keepaliveS before a loss of connection are sent again',
        ),
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
  commands: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Whether hosts may write values to machines over MQTT (Sparkplug DCMD); only tags that are writable'),
    })
    .prefault({})
    .describe(
      'Writing to machines: off unless said otherwise. What was written, or may have been, is kept in audit.ndjson in the data folder; what was refused in audit-refused.ndjson, repetitions as one line a minute',
    ),
  remote: z
    .strictObject({
      certificates: z
        .boolean()
        .default(false)
        .describe(
          'Whether an administrator of the server may trust or refuse OPC UA server certificates; trust only while no value can be written and no password would be shown to a server',
        ),
      configKeyFile: z
        .string()
        .min(1)
        .optional()
        .describe(
          'PEM file with the public key (Ed25519) of who may push connections through the server, signed; made by `nhip edge config keygen`. Without it nothing is taken',
        ),
      writable: z
        .boolean()
        .default(false)
        .describe('Whether a pushed configuration may have writable tags other than in connections that are as in this file'),
    })
    .prefault({})
    .describe('What the server may ask of this agent beside data: nothing unless said otherwise'),
  connections: z
    .array(z.looseObject({ id: z.string(), driver: z.string() }).check(checkByDriver))
    .describe('Connections to machines, each with its driver’s settings'),
});
export type AgentConfig = z.infer<typeof agentConfig>;

/**
 * The agent's configuration from YAML text; `source` names it in errors. Throws ConfigError with all problems. Profiles of
 * devices are filled in between: what comes out of it is checked as if a person had written it.
 */
export function parseAgentConfig(text: string, source: string, env: Readonly<Record<string, string | undefined>>): AgentConfig {
  return agentConfigOf(parseYaml(text, source, env), source);
}

/** The same for a document that is no text any more. */
export function agentConfigOf(document: unknown, source: string): AgentConfig {
  const { raw, problems } = fillProfiles(document);
  if (problems.length === 0) return checkConfig(agentConfig, raw, source);
  const devices = new Set(problems.map(({ device }) => device));
  const others = problemsOf(raw, source).filter((problem) => ![...devices].some((device) => problem.startsWith(device)));
  throw new ConfigError(source, [...problems.map(({ device, problem }) => `${device}${problem}`), ...others]);
}

function problemsOf(raw: unknown, source: string): readonly string[] {
  try {
    checkConfig(agentConfig, raw, source);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
