import { dirname, join, resolve } from 'node:path';
import { checkConfig, loadConfig } from '@nhip/core/process/config';
import { createLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { type PlatformConfig, platformConfig } from '@nhip/sector/platform/config';
import { readServerTls } from '@nhip/sector/platform/tls/server-tls';
import manifest from '../../package.json' with { type: 'json' };
import { type Command, commonFlags, logLevel } from '../arguments.ts';
import { dataFolder, makePrivate } from '../folders.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';

export const serve: Command = {
  name: 'sector serve',
  summary:
    'Runs the sector server: takes signed reports of factories, answers with receipts. Its data lies in the folder `sector` of --data.',
  flags: {
    ...commonFlags,
    host: { summary: 'Address to listen on (default 127.0.0.1)', value: 'HOST', env: 'NHIP_SECTOR_HOST' },
    'http-port': { summary: 'Port (default 8090; 0: any free one)', value: 'PORT', env: 'NHIP_SECTOR_PORT' },
  },
  async run(input) {
    const file = input.text('config');
    const given = file === undefined ? platformConfig.parse({}) : loadConfig(platformConfig, file, process.env);
    const config = checkConfig(
      platformConfig,
      {
        ...given,
        ...(file === undefined ? {} : filesBeside(given, file)),
        host: input.text('host') ?? given.host,
        port: input.port('http-port') ?? given.port,
      },
      file ?? 'nhip sector serve',
    );
    if (input.isSet('check')) {
      readServerTls(config);
      process.stdout.write('The configuration is sound.\n');
      return 0;
    }
    const { root } = dataFolder(input.text('data'));
    makePrivate(root);
    const log = createLog('sector', logLevel(input));
    const endProcess = (err: Error): never => {
      log.fatal({ err }, 'The process ends: going on would break a promise');
      process.exit(1);
    };
    const deps = { clock: createNodeClock(), log, version: manifest.version, endProcess };
    // PostgreSQL in WebAssembly and all: only where it runs.
    const { createSectorServer } = await import('@nhip/sector/platform/server');
    const server = createSectorServer(join(root, 'sector'), config, deps);
    const ready = (): void => {
      const address = `${config.tls === undefined ? 'http' : 'https'}://${config.host}:${server.port()}`;
      const words = `Sector server on ${address}\nLet a factory in: nhip sector enrol TAXCODE --plant ID\n`;
      process.stdout.write(input.isSet('json') ? `${server.readyLine()}\n` : words);
    };
    return runUntilStopped([server], log, { ready, fatal: createFatal().fatal });
  },
};

/** The files of TLS lie beside the configuration that names them. */
function filesBeside({ tls }: PlatformConfig, configFile: string): Partial<PlatformConfig> {
  if (tls === undefined) return {};
  const at = (file: string): string => resolve(dirname(configFile), file);
  const { certFile, keyFile, clientCaFile } = tls;
  const files = { certFile: at(certFile), keyFile: at(keyFile) };
  return { tls: { ...tls, ...files, ...(clientCaFile === undefined ? {} : { clientCaFile: at(clientCaFile) }) } };
}
