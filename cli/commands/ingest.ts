import { createLog } from '@nhip/core/process/log';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import manifest from '../../package.json' with { type: 'json' };
import { type Command, commonFlags, listenFlags, logLevel } from '../arguments.ts';
import { makePrivate } from '../folders.ts';
import { composeIngest } from '../ingest-role.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';
import { serverSetup } from '../server-config.ts';
import { openTracing } from '../tracing/tracing.ts';

export const ingest: Command = {
  name: 'ingest',
  summary:
    'Runs ingest alone: reads the log of the broker in the same data folder and writes the store. Waits for both. Commands to edges go through the broker.',
  flags: {
    ...commonFlags,
    host: listenFlags.host,
    'http-port': { summary: 'Port of /health and /metrics; without it there is none', value: 'PORT', env: 'NHIP_HTTP_PORT' },
  },
  async run(input) {
    const setup = serverSetup(input, process.env);
    if (input.isSet('check')) {
      process.stdout.write('The configuration is sound.\n');
      return 0;
    }
    const log = createLog('ingest', logLevel(input));
    makePrivate(setup.folder.ingest);
    await lockFolder(setup.folder.ingest);
    const { fatal, onFatal } = createFatal();
    const http = input.port('http-port');
    const traced = await openTracing('ingest', manifest.version, process.env);
    const { parts, started } = composeIngest(setup, {
      log,
      tracing: traced?.tracing,
      onFatal,
      listen: http === undefined ? undefined : { host: setup.config.live.host, port: http },
    });
    const ready = (): void => {
      const { httpPort } = started;
      if (input.isSet('json'))
        process.stdout.write(`${JSON.stringify({ ready: true, ...(httpPort === undefined ? {} : { http: httpPort }) })}\n`);
      else process.stdout.write(`Storing into ${setup.config.store.type}${httpPort === undefined ? '' : `, health on port ${httpPort}`}\n`);
    };
    return runUntilStopped([...(traced === undefined ? [] : [traced.part]), ...parts], log, { ready, fatal });
  },
};
