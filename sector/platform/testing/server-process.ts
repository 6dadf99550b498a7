import { createLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { platformConfig } from '../config.ts';
import { createSectorServer } from '../server.ts';

/** The sector server as a process for tests: data folder and configuration (JSON) as arguments, one line of JSON when it listens. */
const [, , folder = '', config = '{}'] = process.argv;
const server = createSectorServer(folder, platformConfig.parse(JSON.parse(config)), {
  clock: createNodeClock(),
  log: createLog('sector', 'warn'),
  version: '0.0.0',
  endProcess: () => process.exit(1),
});
await server.start();
process.stdout.write(`${server.readyLine()}\n`);
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
