import { readConfigText } from '@nhip/core/process/config';
import { resolveConnections } from '@nhip/edge-agent/agent';
import { type Command, commonFlags } from '../arguments.ts';
import { configFile, parseEdgeConfig } from './edge-config.ts';

export const check: Command = {
  name: 'edge check',
  usage: '--config FILE',
  summary: 'Checks a configuration without connecting to anything: exit code 0, or 78 with every problem and where it is.',
  flags: { config: commonFlags.config, json: { summary: 'The answer as JSON' } },
  run: async (input) => {
    const file = configFile(input);
    const config = parseEdgeConfig(readConfigText(file), file);
    const connections = resolveConnections(config, file);
    const devices = connections.reduce((sum, connection) => sum + connection.config.devices.length, 0);
    const answer = { file, edge: `${config.group}/${config.edge}`, connections: connections.length, devices };
    process.stdout.write(
      input.isSet('json')
        ? `${JSON.stringify(answer)}\n`
        : `${file}: ${answer.connections} connection(s), ${answer.devices} device(s), no problems\n`,
    );
    return 0;
  },
};
