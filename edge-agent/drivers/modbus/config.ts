import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { checkDevices, checkTags, connectionFields, deviceFields, intervalMs } from '../fields.ts';
import { parseAddress } from './address.ts';
import { byteOrders } from './byte-order.ts';
import { endpointForms, endpointProblem, parseEndpoint } from './endpoint.ts';
import { modbusTag, tagProblems } from './tag-config.ts';

const device = z
  .strictObject({
    ...deviceFields,
    unit: z.number().int().min(0).max(255).describe('Modbus unit id (slave address).'),
    intervalMs: intervalMs.default(1000).describe('Time between two reads of the device, ms.'),
    byteOrder: z
      .enum(byteOrders)
      .default('ABCD')
      .describe('Byte order of all values whose address names none: ABCD is big endian, CDAB has its words swapped.'),
    writeFunction: z
      .enum(['auto', 'multiple'])
      .default('auto')
      .describe('auto: functions 5 and 6 for single coils and registers; multiple: 15 and 16 for all, for devices that know no others.'),
    tags: z.array(modbusTag).min(1).describe('What to read.'),
  })
  .superRefine((value, context) => {
    checkTags(value.tags, context);
    value.tags.forEach((each, i) => {
      for (const [field, message] of tagProblems(each)) context.addIssue({ code: 'custom', path: ['tags', i, field], message });
    });
  });

export const serialFields = z.strictObject({
  baudRate: z.number().int().min(110).max(4_000_000).default(9600).describe('Bits per second.'),
  dataBits: z
    .union([z.literal(7), z.literal(8)])
    .default(8)
    .describe('Bits per character; RTU needs 8.'),
  parity: z
    .enum(['none', 'even', 'odd'])
    .default('none')
    .describe('Parity bit; the standard says even, most devices leave the works with none.'),
  stopBits: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('Stop bits.'),
});

const endpointText = z.string().superRefine((text, context) => {
  const message = endpointProblem(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

export const modbusConfig = z
  .strictObject({
    ...connectionFields,
    driver: z.literal('modbus').describe('This driver.'),
    endpoint: endpointText.describe(`Where the devices are: ${endpointForms}. With listen-… the device or its modem dials in.`),
    backupEndpoint: endpointText.optional().describe('Tried when the endpoint cannot be reached or nobody answers there.'),
    serial: serialFields
      .default({ baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 })
      .describe('Settings of the serial line, for rtu:// endpoints.'),
    timeoutMs: z.number().int().min(10).max(60_000).default(1000).describe('How long to wait for one answer, ms.'),
    lateAnswerMs: z
      .number()
      .int()
      .min(0)
      .max(60_000)
      .default(200)
      .describe('Serial lines and RTU over TCP: how long a unit that did not answer in time is left alone, ms.'),
    acceptAnyUnit: z
      .boolean()
      .default(false)
      .describe('Modbus TCP: take answers although the gateway wrote another unit id into them, e.g. 0 or 255.'),
    pauseAfterConnectMs: z
      .number()
      .int()
      .min(0)
      .max(60_000)
      .default(0)
      .describe('Wait after connecting, for devices that are not ready at once, ms.'),
    requestSpacingMs: z.number().int().min(0).max(10_000).default(0).describe('Pause between an answer and the next request, ms.'),
    busyRetries: z
      .number()
      .int()
      .min(0)
      .max(10)
      .default(3)
      .describe('How often to ask again when the device says that it is busy (exception 5 or 6).'),
    busyRetryMs: z.number().int().min(0).max(10_000).default(150).describe('Pause before asking a busy device again, ms.'),
    maxWords: z.number().int().min(1).max(125).default(125).describe('Most registers in one request.'),
    maxBits: z.number().int().min(1).max(2000).default(2000).describe('Most coils or discrete inputs in one request.'),
    maxGapWords: z
      .number()
      .int()
      .min(0)
      .max(124)
      .optional()
      .describe('Most unused registers that one request may read along; measured when absent: as many as cost less than another request.'),
    maxGapBits: z.number().int().min(0).max(1999).optional().describe('The same for coils and discrete inputs.'),
    devices: z.array(device).min(1).describe('Devices behind this endpoint.'),
  })
  .superRefine((config, context) => {
    checkDevices(config.devices, context);
    const isSerial = [config.endpoint, config.backupEndpoint].some((text) => parseEndpoint(text ?? '')?.framing === 'rtu');
    const isSerialPort = [config.endpoint, config.backupEndpoint].some((text) => parseEndpoint(text ?? '')?.kind === 'serial');
    const problem = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (isSerial && config.acceptAnyUnit) problem(['acceptAnyUnit'], 'only Modbus TCP can tell answers apart without the unit id');
    if (isSerialPort && config.serial.dataBits === 7) problem(['serial', 'dataBits'], 'RTU sends whole bytes: it needs 8 data bits');
    if (config.backupEndpoint !== undefined && isDeepStrictEqual(parseEndpoint(config.backupEndpoint), parseEndpoint(config.endpoint)))
      problem(['backupEndpoint'], 'is the endpoint itself');
    if (
      config.backupEndpoint !== undefined &&
      [config.endpoint, config.backupEndpoint].some((text) => parseEndpoint(text)?.kind === 'listen')
    ) {
      problem(['backupEndpoint'], 'a device that dials in has no backup endpoint');
    }
    config.devices.forEach((each, d) => {
      if (isSerial && each.unit === 0) problem(['devices', d, 'unit'], 'unit 0 of a serial line means all devices at once: none answers');
      each.tags.forEach((one, t) => {
        const address = parseAddress(one.address);
        if ('problem' in address || address.count <= config.maxWords) return;
        const message = `needs ${address.count} registers in one request, maxWords is ${config.maxWords}`;
        problem(['devices', d, 'tags', t, 'address'], message);
      });
    });
  });

export type ModbusConfig = z.infer<typeof modbusConfig>;
export type ModbusDeviceConfig = ModbusConfig['devices'][number];
