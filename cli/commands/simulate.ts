import { loadConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { simulationConfig } from '@nhip/simulators/config';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { createSimulation } from '@nhip/simulators/simulation';
import { type Command, commonFlags, type Input, listenFlags, logLevel } from '../arguments.ts';
import { writeEdges, writePlant } from '../demo/prepare.ts';
import { dataFolder, makePrivate } from '../folders.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';

export const simulate: Command = {
  name: 'simulate',
  summary: 'Runs the simulated plant of Hòa Lạc: CNC, moulding and robot on OPC UA, packaging and meters on Modbus TCP.',
  flags: {
    ...commonFlags,
    host: listenFlags.host,
    'modbus-port': { summary: 'Modbus TCP port (default 1502; 0: any free one)', value: 'PORT' },
    'opcua-port': { summary: 'OPC UA port (default 4840; 0: any free one)', value: 'PORT' },
    'write-edges': {
      summary: 'Write plant.yaml and, for each edge agent of the plant, credentials and a configuration, then exit; --host: the machines',
      value: 'MQTT_URL',
    },
    'write-history': { summary: 'Write the last DAYS into the store of the data folder, then exit', value: 'DAYS' },
  },
  async run(input) {
    const folder = dataFolder(input.text('data'));
    const days = input.text('write-history');
    if (days !== undefined) return writeHistoryOnce(input, days);
    const mqttUrl = input.text('write-edges');
    if (mqttUrl !== undefined) return writeEdgesOnce(input, mqttUrl);
    const file = input.text('config');
    const fromFile =
      file === undefined ? simulationConfig.parse({ dataDir: folder.simulator }) : loadConfig(simulationConfig, file, process.env);
    const config = {
      ...fromFile,
      host: input.text('host') ?? fromFile.host,
      modbusPort: input.port('modbus-port') ?? fromFile.modbusPort,
      opcuaPort: input.port('opcua-port') ?? fromFile.opcuaPort,
    };
    if (input.isSet('check')) return 0;
    const log = createLog('simulate', logLevel(input));
    makePrivate(config.dataDir);
    const env = createNodeEnv(config.dataDir);
    const simulation = createSimulation(hoaLac, config, { clock: env.clock, disk: env.disk, log });
    const ready = (): void => {
      const ports = simulation.ports();
      if (input.isSet('json')) process.stdout.write(`${JSON.stringify({ ready: true, ...ports })}\n`);
      else process.stdout.write(`Modbus TCP on ${config.host}:${ports.modbus}, OPC UA on opc.tcp://${config.host}:${ports.opcua}\n`);
    };
    return runUntilStopped([{ name: 'simulation', start: () => simulation.start(), stop: () => simulation.stop() }], log, {
      ready,
      fatal: createFatal().fatal,
    });
  },
};

async function writeHistoryOnce(input: Input, text: string): Promise<number> {
  const days = Number(text);
  if (!(days > 0 && days <= 400)) throw new ConfigError('--write-history', [`"${text}" is not a number of days (1–400)`]);
  const { writeHistory } = await import('../write-history.ts');
  const samples = await writeHistory(dataFolder(input.text('data')), hoaLac, days);
  process.stdout.write(input.isSet('json') ? `${JSON.stringify({ samples })}\n` : `${samples} samples written\n`);
  return 0;
}

function writeEdgesOnce(input: Input, mqttUrl: string): number {
  if (!/^mqtts?:\/\/[^/]+$/.test(mqttUrl))
    throw new ConfigError('--write-edges', [`"${mqttUrl}" is not the address of a broker, e.g. mqtt://broker:1883`]);
  const folder = dataFolder(input.text('data'));
  makePrivate(folder.root);
  makePrivate(folder.server);
  const machines = {
    host: input.text('host') ?? '127.0.0.1',
    modbusPort: input.port('modbus-port') ?? 1502,
    opcuaPort: input.port('opcua-port') ?? 4840,
  };
  const plant = writePlant(folder);
  const edges = writeEdges(folder, machines, mqttUrl).map(({ edge, config }) => ({ edge, config }));
  process.stdout.write(
    input.isSet('json') ? `${JSON.stringify({ plant, edges })}\n` : `${[plant, ...edges.map(({ config }) => config)].join('\n')}\n`,
  );
  return 0;
}
