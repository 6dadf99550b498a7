import { openCredentials } from '@nhip/broker/auth/credentials';
import { createBroker } from '@nhip/broker/broker';
import type { LogBus } from '@nhip/core/log/log-bus';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import manifest from '../../package.json' with { type: 'json' };
import { type Command, commonFlags, listenFlags, logLevel } from '../arguments.ts';
import { followCommands } from '../command-log.ts';
import { makePrivate } from '../folders.ts';
import { openBrokerLog } from '../log-bus.ts';
import { brokerFamilies, logFamilies, logQuotaFamilies } from '../metrics/broker-metrics.ts';
import { mqttPlaces, type Ports } from '../places.ts';
import { createRoleHttp } from '../role-http.ts';
import { type BrokerStatus, publishStatus } from '../role-status.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';
import { serverSetup } from '../server-config.ts';
import { openTracing } from '../tracing/tracing.ts';

export const broker: Command = {
  name: 'broker',
  summary: 'Runs the MQTT broker alone: every acknowledged message is in the log of the data folder.',
  flags: {
    ...commonFlags,
    ...listenFlags,
    'http-port': { summary: 'Port of /health and /metrics; without it there is none', value: 'PORT', env: 'NHIP_HTTP_PORT' },
  },
  async run(input) {
    const { config, folder } = serverSetup(input, process.env);
    if (input.isSet('check')) {
      process.stdout.write('The configuration is sound.\n');
      return 0;
    }
    const log = createLog('broker', logLevel(input));
    makePrivate(folder.server);
    await lockFolder(folder.server);
    const env = createNodeEnv(folder.server);
    const { fatal, onFatal } = createFatal();
    // Ingest is another process here: it holds the log back by a cursor file of its own.
    const logBus = await openBrokerLog(env, config.log, log, onFatal, []);
    const credentials = openCredentials(folder.credentials, (err) => log.error({ err }, 'MQTT credentials stay as they were'));
    const traced = await openTracing('broker', manifest.version, process.env);
    const role = createBroker(config.broker, { clock: env.clock, log, logBus, credentials, tracing: traced?.tracing });
    let mqtt: Ports = { port: 0, tlsPort: undefined };
    const wantedHttp = input.port('http-port');
    const http =
      wantedHttp === undefined
        ? undefined
        : createRoleHttp(
            { host: config.broker.host, port: wantedHttp },
            {
              problems: () => brokerProblems(mqtt.port, logBus),
              families: () => [...brokerFamilies(role.health()), ...logFamilies(logBus.stats()), ...logQuotaFamilies(logBus.stats())],
            },
          );
    let httpPort: number | undefined;
    const parts = [
      ...(traced === undefined ? [] : [traced.part]),
      {
        name: 'http',
        start: async () => {
          httpPort = await http?.start();
        },
        stop: async () => http?.stop(),
      },
      { name: 'log', start: async () => {}, stop: () => logBus.close() },
      {
        name: 'broker',
        start: async () => {
          mqtt = await role.start();
        },
        stop: () => role.stop(),
      },
      followCommands(createNodeEnv(folder.ingest), log, role.sendNodeCommand),
      followCommands(createNodeEnv(folder.live), log, role.sendNodeCommand),
      publishStatus(folder.server, { clock: env.clock, log, status: () => statusOf(env.clock.now(), logBus) }),
    ];
    const ready = (): void => {
      if (input.isSet('json'))
        process.stdout.write(`${JSON.stringify({ ready: true, mqtt: mqtt.port, mqttTls: mqtt.tlsPort, http: httpPort })}\n`);
      else process.stdout.write(`MQTT on ${mqttPlaces(config.broker, mqtt)}\n`);
    };
    return runUntilStopped(parts, log, { ready, fatal });
  },
};

function brokerProblems(mqttPort: number, logBus: LogBus): readonly string[] {
  const isFull = logBus.stats().fullSinceMs !== null;
  return [...(mqttPort === 0 ? ['starting'] : []), ...(isFull ? ['the log is full: what edges send is refused'] : [])];
}

function statusOf(atMs: number, logBus: LogBus): BrokerStatus {
  const { evictedRecords, fullSinceMs } = logBus.stats();
  return { atMs, evicted: evictedRecords, logFullSinceMs: fullSinceMs };
}
