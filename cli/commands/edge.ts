import { dirname, resolve } from 'node:path';
import { loadConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import { createAgent, mqttCa, mqttPassword, resolveConnections } from '@nhip/edge-agent/agent';
import { agentConfig } from '@nhip/edge-agent/config';
import { type Command, commonFlags, type Input, logLevel } from '../arguments.ts';
import { browseOnce } from '../edge-browse.ts';
import { readOnce } from '../edge-read.ts';
import { dataFolder, makePrivate } from '../folders.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';

export const edge: Command = {
  name: 'edge',
  usage: 'run | check | read modbus-tcp://HOST[:PORT]/UNIT --register ADDRESS … | browse opc.tcp://HOST:PORT',
  summary:
    'The edge agent: reads machines and publishes them as Sparkplug B. `read` and `browse` ask a device once, without any configuration.',
  flags: { ...commonFlags, register: { summary: 'read: <table>:<number>:<type>[:<order>], may be repeated', value: 'ADDRESS' } },
  async run(input) {
    const [action, target] = input.positionals;
    switch (action) {
      case 'run':
        return runAgent(input, input.isSet('check'));
      case 'check':
        return runAgent(input, true);
      case 'read':
        return readOnce(target ?? '', input.all('register'), input.isSet('json'));
      case 'browse':
        return browseOnce(target ?? '', input.isSet('json'));
      default:
        throw new ConfigError('nhip edge', ['say run, check, read or browse; nhip edge --help']);
    }
  },
};

async function runAgent(input: Input, isCheck: boolean): Promise<number> {
  const file = input.text('config');
  if (file === undefined) throw new ConfigError('nhip edge', ['--config FILE is missing']);
  const config = loadConfig(agentConfig, file, process.env);
  const connections = resolveConnections(config, file);
  // Relative file names in the config are relative to it, wherever the agent is started.
  const beside = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(dirname(file), path));
  const { passwordFile, caFile } = config.mqtt;
  const settled = { ...config, mqtt: { ...config.mqtt, passwordFile: beside(passwordFile), caFile: beside(caFile) } };
  mqttPassword(settled, file);
  mqttCa(settled, file);
  if (isCheck) {
    const devices = connections.reduce((sum, connection) => sum + connection.config.devices.length, 0);
    process.stdout.write(`${file}: ${connections.length} connection(s), ${devices} device(s), no problems\n`);
    return 0;
  }
  const dataDir = dataFolder(input.text('data')).edge(config.edge);
  const log = createLog(config.edge, logLevel(input));
  makePrivate(dataDir);
  await lockFolder(dataDir);
  const { fatal, onFatal } = createFatal();
  const agent = createAgent(settled, file, { env: createNodeEnv(dataDir), log, dataDir, onFatal });
  const ready = (): void => {
    if (input.isSet('json')) process.stdout.write(`${JSON.stringify({ ready: true, edge: `${config.group}/${config.edge}` })}\n`);
  };
  return runUntilStopped([{ name: 'agent', start: () => agent.start(), stop: () => agent.stop() }], log, { ready, fatal });
}
