import { ConfigError } from '@nhip/core/process/errors';
import { type ModbusConfig, modbusConfig } from '@nhip/edge-agent/drivers/modbus/config';
import { explainPlan, type PlanReport } from '@nhip/edge-agent/drivers/modbus/explain-plan';
import { type Command, commonFlags } from '../arguments.ts';
import { configFile, readConnections } from './edge-config.ts';
import { edgeProgram } from './program.ts';

export const plan: Command = {
  name: 'edge plan',
  usage: '--config FILE',
  summary:
    'How Modbus devices will be read: requests per cycle, registers read along unused, expected cycle time, and what simpler plans would need. From the configuration alone: nothing is connected. Exit code 1 when an interval cannot be kept.',
  flags: {
    config: commonFlags.config,
    requests: { summary: 'Every request' },
    json: { summary: 'One JSON array, a connection each' },
  },
  run: async (input) => {
    const { connections } = readConnections(configFile(input));
    const modbus = connections.filter(({ plugin }) => plugin.name === 'modbus');
    if (modbus.length === 0) throw new ConfigError(`${edgeProgram} plan`, ['there is no connection with driver modbus']);
    const reports = modbus.map(({ config }) => explainPlan(modbusConfig.parse(config) satisfies ModbusConfig));
    if (input.isSet('json')) process.stdout.write(`${JSON.stringify(reports)}\n`);
    else process.stdout.write(`${reports.map((report) => reportText(report, input.isSet('requests'))).join('\n\n')}\n`);
    return reports.some(({ busyShare, warnings }) => busyShare > 1 || warnings.length > 0) ? 1 : 0;
  },
};

const heads = ['device', 'unit', 'every', 'tags', 'requests', 'per tag', 'adjacent', 'registers', 'unused', 'bits', 'cycle'];

function reportText(report: PlanReport, withRequests: boolean): string {
  const rows = report.devices.map((device) => [
    device.device,
    String(device.unit),
    `${device.intervalMs} ms`,
    String(device.tags),
    String(device.requests.length),
    String(device.oneRequestPerTag.requests),
    String(device.adjacentOnly.requests),
    String(device.registersRead),
    String(device.registersWasted),
    String(device.bitsRead),
    `${round(device.cycleMs)} ms`,
  ]);
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  const requests = withRequests
    ? report.devices.flatMap(({ device, requests: all }) =>
        all.map(({ table, start, count, wasted }) => `  ${device}  ${table} ${start}–${start + count - 1}  (${count}, ${wasted} unused)`),
      )
    : [];
  return [
    `${report.connection}  ${report.endpoint}  busy ${round(report.busyShare * 100)} % of the time`,
    line(heads),
    ...rows.map(line),
    ...requests,
    ...report.warnings.map((warning) => `! ${warning}`),
  ].join('\n');
}

function round(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
