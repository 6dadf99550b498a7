import { describe, expect, it } from 'vitest';
import { endpointProblem, parseEndpoint } from './endpoint.ts';

describe('an endpoint', () => {
  it.each([
    ['tcp://10.0.0.5', { kind: 'tcp', framing: 'tcp', host: '10.0.0.5', port: 502 }],
    ['tcp://[fe80::1]:1502', { kind: 'tcp', framing: 'tcp', host: 'fe80::1', port: 1502 }],
    ['rtu-over-tcp://h:4001', { kind: 'tcp', framing: 'rtu', host: 'h', port: 4001 }],
    ['rtu:///dev/ttyUSB0', { kind: 'serial', framing: 'rtu', path: '/dev/ttyUSB0' }],
  ])('%s is understood as it stands in the configuration, and as the tools write it', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
    expect(parseEndpoint(`modbus-${text}`)).toEqual(endpoint);
    expect(endpointProblem(`modbus-${text}`)).toBeUndefined();
  });

  it.each([
    ['modbus-tcp://10.0.0.5:502/1', 'the unit stands with each device (unit: 1), the endpoint ends before it: modbus-tcp://10.0.0.5:502'],
    ['rtu-over-tcp://h:4001/12', '(unit: 12)'],
    ['modbus-listen-tcp://0.0.0.0:502', 'is no endpoint: use tcp://host:port'],
    ['modbus://h:502', 'is no endpoint'],
    ['opc.tcp://h:4840', 'is no endpoint'],
    ['h:502', 'is no endpoint'],
    ['', 'is no endpoint'],
  ])('%s is refused: %s', (text, problem) => {
    expect(parseEndpoint(text)).toBeUndefined();
    expect(endpointProblem(text)).toContain(problem);
  });
});
