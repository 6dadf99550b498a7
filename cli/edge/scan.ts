import { ConfigError } from '@nhip/core/process/errors';
import type { Command, Input } from '../arguments.ts';
import { edgeProgram } from './program.ts';
import { scanModbus, scannedUnitText } from './scan-modbus.ts';
import { serialFlags, serialSettings } from './serial-flags.ts';
import { parseTarget, parseUnits } from './target.ts';

const source = `${edgeProgram} scan`;

export const scan: Command = {
  name: 'edge scan',
  usage: 'modbus-tcp://HOST[:PORT] [--units 1-247] [--registers] | opc.tcp://HOST:PORT',
  summary:
    'Looks around on an endpoint, reading only. Modbus: which units answer, what they say they are, with --registers which addresses they have. OPC UA: which endpoints, security and logins the server offers.',
  flags: {
    units: { summary: 'Modbus: units to ask, e.g. 1-5,20 (default: the unit of the target, else 1-247)', value: 'UNITS' },
    registers: { summary: 'Modbus: find which addresses answer, in all four tables' },
    addresses: { summary: 'Modbus: with --registers, from where to where (default 0-999)', value: 'FROM-TO' },
    timeout: { summary: 'Modbus: how long to wait for an answer, ms (default 500)', value: 'MS' },
    ...serialFlags,
    json: { summary: 'One JSON object per unit or endpoint' },
  },
  run: async (input) => {
    const target = parseTarget(input.positionals[0], source);
    if (target.kind === 'opcua') {
      // Loads the OPC UA library, which the rest does without.
      const { scanOpcua } = await import('./scan-opcua.ts');
      return scanOpcua(target.endpoint, input.isSet('json'));
    }
    const found = { units: 0 };
    const all = target.unit === undefined ? '1-247' : String(target.unit);
    const plan = {
      endpoint: target.endpoint,
      serial: serialSettings(input),
      units: parseUnits(input.text('units') ?? all, source),
      timeoutMs: timeoutMs(input),
      addresses: input.isSet('registers') ? addresses(input) : undefined,
    };
    const stop = new AbortController();
    const interrupt = (): void => stop.abort(new Error('stopped'));
    process.once('SIGINT', interrupt);
    try {
      const asked = await scanModbus(
        plan,
        source,
        (unit) => {
          found.units++;
          process.stdout.write(`${input.isSet('json') ? JSON.stringify(unit) : scannedUnitText(unit)}\n`);
        },
        stop.signal,
      );
      if (!input.isSet('json')) process.stdout.write(`${found.units} of ${asked} unit(s) answer\n`);
    } finally {
      process.off('SIGINT', interrupt);
    }
    return found.units > 0 ? 0 : 1;
  },
};

function timeoutMs(input: Input): number {
  const text = input.text('timeout') ?? '500';
  const ms = Number(text);
  if (!/^\d+$/.test(text) || ms < 10 || ms > 60_000) throw new ConfigError('--timeout', [`"${text}" is not 10–60000 ms`]);
  return ms;
}

function addresses(input: Input): readonly [number, number] {
  const text = input.text('addresses') ?? '0-999';
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || from > to || to > 65_535) throw new ConfigError('--addresses', [`"${text}" is not FROM-TO, e.g. 0-999 (0–65535)`]);
  return [from, to];
}
