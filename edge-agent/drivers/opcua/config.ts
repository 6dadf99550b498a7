import { z } from 'zod';
import { checkDevices, checkTags, connectionFields, deviceFields, intervalMs, tagFields } from '../fields.ts';
import { parseNode } from './namespaces.ts';

/** The Sparkplug types that a tag may have. */
export const tagDataTypes = [
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'UInt8',
  'UInt16',
  'UInt32',
  'UInt64',
  'Float',
  'Double',
  'Boolean',
  'String',
  'DateTime',
] as const;

const nodeText = z.string().superRefine((text, context) => {
  const node = parseNode(text);
  if ('problem' in node) context.addIssue({ code: 'custom', message: `"${text}": ${node.problem}` });
});

const tag = z.strictObject({
  ...tagFields,
  node: nodeText.describe('nsu=<namespace URI>;s=<name> (or i=, g=, b=); i=<number> alone is a node of the OPC UA namespace itself.'),
  dataType: z.enum(tagDataTypes).describe('Type of the metric; String with enum, Float or Double with scale or offset.'),
});

const device = z
  .strictObject({
    ...deviceFields,
    intervalMs: intervalMs.default(500).describe('How often the server samples the values of the device, ms.'),
    tags: z.array(tag).min(1).describe('What to subscribe to.'),
  })
  .superRefine((value, context) => {
    checkTags(value.tags, context);
    value.tags.forEach((each, i) => {
      const problem = (message: string): void => {
        context.addIssue({ code: 'custom', path: ['tags', i, 'dataType'], message });
      };
      const isScaled = each.scale !== 1 || each.offset !== 0;
      if (each.enum !== undefined && each.dataType !== 'String') problem('must be String when enum is given');
      if (isScaled && each.dataType !== 'Float' && each.dataType !== 'Double')
        problem('must be Float or Double when scale or offset is given');
    });
  });

export const opcuaConfig = z
  .strictObject({
    ...connectionFields,
    driver: z.literal('opcua').describe('This driver.'),
    endpoint: z
      .string()
      .regex(/^opc\.tcp:\/\/[^\s/]+(\/\S*)?$/, 'must be opc.tcp://host:port, e.g. opc.tcp://192.168.1.30:4840')
      .describe('opc.tcp://host:port[/path] of the server.'),
    securityMode: z
      .enum(['None', 'Sign', 'SignAndEncrypt'])
      .describe('None sends everything in clear text: say so only on a network that you trust.'),
    securityPolicy: z
      .enum(['Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'])
      .optional()
      .describe('Basic256Sha256 when absent; not with securityMode None.'),
    username: z.string().min(1).optional().describe('User name; anonymous when absent.'),
    password: z.string().optional().meta({ secret: true }).describe('Password of the user.'),
    devices: z.array(device).min(1).describe('Devices on this server.'),
  })
  .superRefine((config, context) => {
    checkDevices(config.devices, context);
    if (config.securityMode === 'None' && config.securityPolicy !== undefined) {
      context.addIssue({ code: 'custom', path: ['securityPolicy'], message: 'has no meaning with securityMode None' });
    }
    if ((config.username === undefined) !== (config.password === undefined)) {
      context.addIssue({ code: 'custom', path: ['username'], message: 'username and password belong together' });
    }
  });

export type OpcuaConfig = z.infer<typeof opcuaConfig>;
export type OpcuaDeviceConfig = OpcuaConfig['devices'][number];
export type OpcuaTagConfig = OpcuaDeviceConfig['tags'][number];
