import { ConfigError } from '@nhip/core/process/errors';
import type { Command, Input } from '../arguments.ts';
import { edgeProgram } from './program.ts';
import { type ModbusScan, type ScannedUnit, scanModbus, scannedUnitText } from './scan-modbus.ts';
import { connectionYaml, type SunspecScan, type SunspecUnit, scanSunspec, sunspecUnitText } from './scan-sunspec.ts';
import { serialFlags, serialSettings } from './serial-flags.ts';
import { parseTarget, parseUnits } from './target.ts';

const source = `${edgeProgram} scan`;

export const scan: Command = {
  name: 'edge scan',
  usage: 'modbus-tcp://HOST[:PORT][/UNIT] [--units 1-247] [--registers | --sunspec] | opc.tcp://HOST:PORT',
  summary:
    'Looks around on an endpoint, reading only. Modbus: which units answer, what they say they are, with --registers which addresses they have, with --sunspec which SunSpec models, as YAML for the configuration. OPC UA: which endpoints, security and logins the server offers.',
  flags: {
    units: { summary: 'Modbus: units to ask, e.g. 1-5,20 (default: the unit of the target, else 1-247)', value: 'UNITS' },
    registers: { summary: 'Modbus: find which addresses answer, in all four tables' },
    addresses: { summary: 'Modbus: with --registers, from where to where (default 0-999)', value: 'FROM-TO' },
    sunspec: { summary: 'Modbus: walk the chain of SunSpec models (inverters, meters) and print the devices to paste' },
    timeout: { summary: 'Modbus: how long to wait for an answer, ms (default 500)', value: 'MS' },
    ...serialFlags,
    json: { summary: 'One JSON object a line, per unit or endpoint' },
  },
  run: async (input) => {
    const target = parseTarget(input.positionals[0], source);
    if (target.kind === 'opcua') {
      // Loads the OPC UA library, which the rest does without.
      const { scanOpcua } = await import('./scan-opcua.ts');
      return scanOpcua(target.endpoint, input.isSet('json'));
    }
    const all = target.unit === undefined ? '1-247' : String(target.unit);
    const plan = {
      endpoint: target.endpoint,
      serial: serialSettings(input),
      units: parseUnits(input.text('units') ?? all, source),
      timeoutMs: timeoutMs(input),
    };
    if (input.isSet('sunspec') && input.isSet('registers')) throw new ConfigError(source, ['give one of --registers and --sunspec']);
    const stop = new AbortController();
    const interrupt = (): void => stop.abort(new Error('stopped'));
    process.once('SIGINT', interrupt);
    try {
      const isJson = input.isSet('json');
      // Of units that somebody named it is worth a line that they are not there.
      const isNamed = target.unit !== undefined || input.text('units') !== undefined;
      if (input.isSet('sunspec')) return await printSunspec(plan, { isJson, isNamed }, stop.signal);
      return await printUnits({ ...plan, addresses: input.isSet('registers') ? addresses(input) : undefined }, isJson, stop.signal);
    } finally {
      process.off('SIGINT', interrupt);
    }
  },
};

async function printUnits(plan: ModbusScan, isJson: boolean, signal: AbortSignal): Promise<number> {
  let answering = 0;
  const say = (unit: ScannedUnit): void => {
    answering++;
    process.stdout.write(`${isJson ? JSON.stringify(unit) : scannedUnitText(unit)}\n`);
  };
  const asked = await scanModbus(plan, source, say, signal);
  if (!isJson) process.stdout.write(`${answering} of ${asked} unit(s) answer\n`);
  return answering > 0 ? 0 : 1;
}

interface SunspecPrint {
  readonly isJson: boolean;
  readonly isNamed: boolean;
}

async function printSunspec(plan: SunspecScan, { isJson, isNamed }: SunspecPrint, signal: AbortSignal): Promise<number> {
  const found: SunspecUnit[] = [];
  const say = (unit: SunspecUnit): void => {
    if (!unit.isThere && !isNamed) return;
    found.push(unit);
    process.stdout.write(`${isJson ? JSON.stringify(unit) : sunspecUnitText(unit)}\n`);
  };
  await scanSunspec(plan, source, say, signal);
  const yaml = connectionYaml(plan, found);
  if (!isJson) process.stdout.write(`${yaml ?? '# no SunSpec device with a profile was found'}\n`);
  return yaml === undefined ? 1 : 0;
}

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
