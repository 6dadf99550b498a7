import { z } from 'zod';
import { checkDevices, checkTags, connectionFields, deviceFields, intervalMs, tagFields } from '../fields.ts';
import { parseAddress } from './address.ts';

const addressText = z.string().superRefine((text, context) => {
  const address = parseAddress(text);
  if ('problem' in address) context.addIssue({ code: 'custom', message: `"${text}": ${address.problem}` });
});

const tag = z.strictObject({
  ...tagFields,
  address: addressText.describe('<coil|discrete|input|holding>:<number>[.<bit>]:<type>[:<byte order>]; the number is zero-based.'),
});

const device = z
  .strictObject({
    ...deviceFields,
    unit: z.number().int().min(0).max(255).describe('Modbus unit id (slave address).'),
    intervalMs: intervalMs.default(1000).describe('Time between two reads of the device, ms.'),
    tags: z.array(tag).min(1).describe('What to read.'),
  })
  .superRefine((value, context) => {
    checkTags(value.tags, context);
    value.tags.forEach((each, i) => {
      const address = parseAddress(each.address);
      if ('problem' in address) return;
      const isNumber = address.type !== 'bool' && address.type !== 'string';
      if (!isNumber && (each.scale !== 1 || each.offset !== 0)) {
        context.addIssue({ code: 'custom', path: ['tags', i, 'scale'], message: `a ${address.type} cannot be scaled` });
      }
    });
  });

export const modbusConfig = z
  .strictObject({
    ...connectionFields,
    driver: z.literal('modbus').describe('This driver.'),
    endpoint: z
      .string()
      .refine((text) => parseEndpoint(text) !== undefined, 'must be tcp://host:port, e.g. tcp://192.168.1.20:502')
      .describe('tcp://host:port of the device or gateway.'),
    timeoutMs: z.number().int().min(10).max(60_000).default(1000).describe('How long to wait for one answer, ms.'),
    pauseAfterConnectMs: z
      .number()
      .int()
      .min(0)
      .max(60_000)
      .default(0)
      .describe('Wait after connecting, for devices that are not ready at once, ms.'),
    requestSpacingMs: z.number().int().min(0).max(10_000).default(0).describe('Pause between an answer and the next request, ms.'),
    maxWords: z.number().int().min(1).max(125).default(125).describe('Most registers in one request.'),
    maxBits: z.number().int().min(1).max(2000).default(2000).describe('Most coils or discrete inputs in one request.'),
    maxGapWords: z
      .number()
      .int()
      .min(0)
      .max(124)
      .default(32)
      .describe('Unused registers that one request may read along to save another request.'),
    maxGapBits: z.number().int().min(0).max(1999).default(512).describe('The same for coils and discrete inputs.'),
    devices: z.array(device).min(1).describe('Devices behind this endpoint.'),
  })
  .superRefine((config, context) => {
    checkDevices(config.devices, context);
    config.devices.forEach((each, d) => {
      each.tags.forEach((one, t) => {
        const address = parseAddress(one.address);
        if ('problem' in address || address.count <= config.maxWords) return;
        const message = `needs ${address.count} registers in one request, maxWords is ${config.maxWords}`;
        context.addIssue({ code: 'custom', path: ['devices', d, 'tags', t, 'address'], message });
      });
    });
  });

export type ModbusConfig = z.infer<typeof modbusConfig>;
export type ModbusDeviceConfig = ModbusConfig['devices'][number];
export type ModbusTagConfig = ModbusDeviceConfig['tags'][number];

/** Host and port of `tcp://host:port` (port 502 when absent); undefined when the text is none. IPv6 hosts stand in brackets. */
export function parseEndpoint(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?\/?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 502);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}
