import { describe, expect, it } from 'vitest';
import { parseTarget, parseUnits } from './target.ts';

describe('the target of a tool', () => {
  it.each([
    ['modbus-tcp://10.0.0.5', { kind: 'modbus', endpoint: 'tcp://10.0.0.5:502', unit: undefined }],
    ['modbus-tcp://plc.local:1502/7', { kind: 'modbus', endpoint: 'tcp://plc.local:1502', unit: 7 }],
    ['modbus-tcp://[fe80::1]:502/0', { kind: 'modbus', endpoint: 'tcp://[fe80::1]:502', unit: 0 }],
    ['modbus-rtu-over-tcp://10.0.0.6:4001/12', { kind: 'modbus', endpoint: 'rtu-over-tcp://10.0.0.6:4001', unit: 12 }],
    ['modbus-rtu:///dev/ttyUSB0/3', { kind: 'modbus', endpoint: 'rtu:///dev/ttyUSB0', unit: 3 }],
    ['modbus-rtu:///dev/ttyUSB0', { kind: 'modbus', endpoint: 'rtu:///dev/ttyUSB0', unit: undefined }],
    ['modbus-rtu:///dev/serial/by-id/usb-1a86/200', { kind: 'modbus', endpoint: 'rtu:///dev/serial/by-id/usb-1a86', unit: 200 }],
    ['tcp://10.0.0.5', { kind: 'modbus', endpoint: 'tcp://10.0.0.5:502', unit: undefined }],
    ['tcp://plc.local:1502/7', { kind: 'modbus', endpoint: 'tcp://plc.local:1502', unit: 7 }],
    ['rtu-over-tcp://10.0.0.6:4001/12', { kind: 'modbus', endpoint: 'rtu-over-tcp://10.0.0.6:4001', unit: 12 }],
    ['rtu:///dev/ttyUSB0/3', { kind: 'modbus', endpoint: 'rtu:///dev/ttyUSB0', unit: 3 }],
    ['opc.tcp://10.0.0.7:4840/Server', { kind: 'opcua', endpoint: 'opc.tcp://10.0.0.7:4840/Server' }],
  ])('%s', (text, target) => {
    expect(parseTarget(text, 'test')).toEqual(target);
  });

  it.each([
    '',
    '10.0.0.5',
    'modbus-tcp://',
    'modbus-tcp://h:70000',
    'modbus-tcp://h/256',
    'modbus-rtu-over-tcp://h/1',
    'opc.tcp://',
    'http://h',
    'modbus://h:502/1',
    'listen-tcp://0.0.0.0:502',
  ])('"%s" is refused', (text) => {
    expect(() => parseTarget(text, 'test')).toThrow(/test: 1 problem/);
  });

  it('has units as lists and ranges', () => {
    expect(parseUnits('1-3,2,20', 'test')).toEqual([1, 2, 3, 20]);
    for (const text of ['', '5-1', '1-256', 'a', '1,,2']) expect(() => parseUnits(text, 'test')).toThrow(/no list of units/);
  });
});
