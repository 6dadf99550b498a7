import { z } from 'zod';
import { checkDevices, checkTags, connectionFields, deviceFields, intervalMs, metricDataTypes, tagFields } from '../fields.ts';
import { parseNode } from './namespaces.ts';
import { serverProfileNames } from './profiles.ts';
import { conditionMetrics, maxElements, metricsOf, parseElements } from './tags.ts';

const nodeText = z.string().superRefine((text, context) => {
  const node = parseNode(text);
  if ('problem' in node) context.addIssue({ code: 'custom', message: `"${text}": ${node.problem}` });
});

const tag = z.strictObject({
  ...tagFields,
  node: nodeText.describe(
    'nsu=<namespace URI>;s=<name> (or i=, g=, b=); i=<number> alone is a node of the OPC UA namespace itself; or path:/Objects/{<namespace URI>}<name>/… by browse names.',
  ),
  dataType: z.enum(metricDataTypes).describe('Type of the metric; String with enum, Float or Double with scale or offset.'),
  intervalMs: intervalMs.optional().describe('How often the server samples this value, ms; that of the device when absent.'),
  element: z.number().int().nonnegative().max(999_999).optional().describe('One element of an array, from 0.'),
  elements: z
    .string()
    .refine((text) => parseElements(text) !== undefined, `write first-last, e.g. 0-7, at most ${maxElements} elements`)
    .optional()
    .describe('Several elements of an array, e.g. 0-7: each becomes a metric <metric>/<index>.'),
  field: z
    .string()
    .regex(/^[^.]+(\.[^.]+){0,9}$/, 'write names with dots between, e.g. axis.position; a number is an index of an array')
    .optional()
    .describe(
      'A field of a structure, e.g. axis.position, or axes.2.position of an array in it. With element or elements: of each element.',
    ),
  notActive: z
    .string()
    .max(64)
    .optional()
    .describe('Text for the state of a sub-state machine that is not active now (BadStateNotActive); bad quality when absent.'),
  history: z
    .union([z.boolean(), z.literal('auto')])
    .default('auto')
    .describe('Whether values that the server kept during an outage are read afterwards; auto: when the server says that it keeps them.'),
  writable: z.boolean().default(false).describe('Commands may write this value, when the configuration of the agent allows commands.'),
  min: z.number().optional().describe('The least value that may be written, in the unit of the metric.'),
  max: z.number().optional().describe('The greatest value that may be written, in the unit of the metric.'),
});

const condition = z.strictObject({
  condition: z.string().min(1).max(128).describe('ConditionName of the condition at the server.'),
  source: z.string().min(1).max(256).optional().describe('SourceName, when several sources have a condition of this name.'),
  metric: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Metric that says whether it is active, Alarm/<condition> when absent; with /Message and /Severity beside it.'),
});

const notifier = z.strictObject({
  node: nodeText.default('i=2253').describe('Object whose events are followed; the server itself (all events) when absent.'),
  conditions: z.array(condition).min(1).max(1_000).describe('The alarms and conditions to report; others are ignored.'),
});

const device = z
  .strictObject({
    ...deviceFields,
    intervalMs: intervalMs.default(500).describe('How often the server samples the values of the device, ms.'),
    tags: z.array(tag).default([]).describe('What to subscribe to.'),
    events: z.array(notifier).max(100).default([]).describe('Alarms and conditions to follow.'),
  })
  .superRefine((value, context) => {
    if (value.tags.length === 0 && value.events.length === 0) {
      context.addIssue({ code: 'custom', path: ['tags'], message: 'the device has neither tags nor events' });
    }
    checkTags(value.tags, context);
    checkMetrics(value, context);
    value.tags.forEach((each, i) => {
      for (const [field, message] of tagProblems(each)) context.addIssue({ code: 'custom', path: ['tags', i, field], message });
    });
  });

const history = z.strictObject({
  maxAgeMs: z.number().int().min(1_000).max(31_622_400_000).default(86_400_000).describe('How far back to read at most, ms.'),
  maxValuesPerNode: z.number().int().min(1).max(10_000_000).default(100_000).describe('Values to read of one node after one outage.'),
  maxValues: z.number().int().min(1).max(100_000_000).default(2_000_000).describe('Values to read of all nodes after one outage.'),
  maxValuesPerS: z
    .number()
    .int()
    .min(10)
    .max(100_000)
    .default(2_000)
    .describe('How fast to read: the server and the outbox go on with live values meanwhile.'),
});

export const opcuaConfig = z
  .strictObject({
    ...connectionFields,
    driver: z.literal('opcua').describe('This driver.'),
    endpoint: z
      .string()
      .regex(/^opc\.tcp:\/\/[^\s/]+(\/\S*)?$/, 'must be opc.tcp://host:port, e.g. opc.tcp://192.168.1.30:4840')
      .describe('opc.tcp://host:port[/path] of the server.'),
    profile: z.enum(serverProfileNames).default('generic').describe('What the server is: sizes of requests and what not to try.'),
    securityMode: z
      .enum(['None', 'Sign', 'SignAndEncrypt'])
      .describe('None sends everything in clear text: say so only on a network that you trust.'),
    securityPolicy: z
      .enum(['Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'])
      .optional()
      .describe('Basic256Sha256 when absent; not with securityMode None.'),
    username: z.string().min(1).optional().describe('User name; anonymous when neither this nor userCertificateFile is there.'),
    password: z.string().optional().meta({ secret: true }).describe('Password of the user.'),
    passwordFile: z.string().min(1).optional().describe('File whose first line is the password, instead of password.'),
    userCertificateFile: z.string().min(1).optional().describe('Certificate of the user, PEM or DER, instead of a user name.'),
    userKeyFile: z.string().min(1).optional().describe('Private key of the user certificate, PEM without a passphrase.'),
    history: history.prefault({}).describe('Limits for reading what the server kept during an outage.'),
    devices: z.array(device).min(1).describe('Devices on this server.'),
  })
  .superRefine((config, context) => {
    checkDevices(config.devices, context);
    const problem = (field: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [field], message });
    };
    const { username, password, passwordFile, userCertificateFile, userKeyFile } = config;
    if (config.securityMode === 'None' && config.securityPolicy !== undefined)
      problem('securityPolicy', 'has no meaning with securityMode None');
    if (password !== undefined && passwordFile !== undefined) problem('passwordFile', 'give password or passwordFile, not both');
    if ((username === undefined) !== (password === undefined && passwordFile === undefined))
      problem('username', 'username and password (or passwordFile) belong together');
    if ((userCertificateFile === undefined) !== (userKeyFile === undefined))
      problem('userCertificateFile', 'userCertificateFile and userKeyFile belong together');
    if (username !== undefined && userCertificateFile !== undefined)
      problem('userCertificateFile', 'the user has a name or a certificate, not both');
  });

export type OpcuaConfig = z.infer<typeof opcuaConfig>;
export type OpcuaDeviceConfig = z.infer<typeof device>;
export type OpcuaTagConfig = z.infer<typeof tag>;

/** Names that `elements` and `events` make must not meet other metrics of the device. */
function checkMetrics({ tags, events }: { tags: OpcuaTagConfig[]; events: z.infer<typeof notifier>[] }, context: z.RefinementCtx): void {
  const seen = new Set(tags.filter((each) => each.elements === undefined).map((each) => each.metric.toLowerCase()));
  const take = (metric: string, path: (string | number)[]): void => {
    if (seen.has(metric.toLowerCase()))
      context.addIssue({ code: 'custom', path, message: `the metric "${metric}" is there twice (case does not count)` });
    seen.add(metric.toLowerCase());
  };
  tags.forEach((each, i) => {
    if (each.elements !== undefined) for (const { metric } of metricsOf(each)) take(metric, ['tags', i, 'elements']);
  });
  events.forEach(({ conditions }, i) => {
    conditions.forEach((each, k) => {
      for (const metric of Object.values(conditionMetrics(each))) take(metric, ['events', i, 'conditions', k, 'metric']);
    });
  });
}

function tagProblems(tag: OpcuaTagConfig): readonly (readonly [field: string, message: string])[] {
  const problems: (readonly [string, string])[] = [];
  const isScaled = tag.scale !== 1 || tag.offset !== 0;
  const isPart = tag.element !== undefined || tag.elements !== undefined || tag.field !== undefined;
  if (tag.enum !== undefined && tag.dataType !== 'String') problems.push(['dataType', 'must be String when enum is given']);
  if (isScaled && tag.dataType !== 'Float' && tag.dataType !== 'Double')
    problems.push(['dataType', 'must be Float or Double when scale or offset is given']);
  if (tag.element !== undefined && tag.elements !== undefined) problems.push(['elements', 'give element or elements, not both']);
  if (tag.notActive !== undefined && tag.dataType !== 'String') problems.push(['notActive', 'is a text: dataType must be String']);
  if (tag.writable && isPart) problems.push(['writable', 'an element or a field cannot be written']);
  if (!tag.writable && (tag.min !== undefined || tag.max !== undefined)) problems.push(['writable', 'min and max are for writable tags']);
  if (tag.min !== undefined && tag.max !== undefined && tag.min > tag.max) problems.push(['max', 'is less than min']);
  return problems;
}
