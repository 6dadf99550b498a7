import type { Part } from '@nhip/core/process/lifecycle';
import { createLog } from '@nhip/core/process/log';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import manifest from '../../package.json' with { type: 'json' };
import { adminPassword } from '../admin-password.ts';
import { type Command, commonFlags, listenFlags, logLevel } from '../arguments.ts';
import { requireWholeFolder } from '../backup/restore-backup.ts';
import { makePrivate } from '../folders.ts';
import { createLocalToken, localUrl, publishLocalAccess, removeLocalAccess } from '../local-access.ts';
import { boardPlaces, mqttPlaces } from '../places.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';
import { composeServer } from '../server.ts';
import { serverSetup } from '../server-config.ts';
import { openTracing } from '../tracing/tracing.ts';

export const server: Command = {
  name: 'server',
  summary: 'Runs broker, ingest and live in one process on the embedded store: one box in a factory.',
  flags: {
    ...commonFlags,
    ...listenFlags,
    plant: { summary: 'Plant model (YAML): lines, names, shifts', value: 'FILE' },
    demo: { summary: 'A viewer on this computer may read without logging in' },
  },
  async run(input) {
    const setup = serverSetup(input, process.env);
    if (input.isSet('check')) {
      process.stdout.write('The configuration is sound.\n');
      return 0;
    }
    const log = createLog('server', logLevel(input));
    makePrivate(setup.folder.server);
    await lockFolder(setup.folder.server);
    requireWholeFolder(setup.folder.server);
    const { fatal, onFatal } = createFatal();
    const localToken = createLocalToken();
    const traced = await openTracing('server', manifest.version, process.env);
    const { parts, started } = await composeServer(setup, {
      log,
      tracing: traced?.tracing,
      localToken,
      version: manifest.version,
      adminPassword: adminPassword(process.env),
      onFatal,
    });
    const ready = (): void => {
      const { mqtt, live } = started;
      const { firstLogin } = live;
      if (input.isSet('json')) {
        const ports = { http: live.port, https: live.tlsPort, mqtt: mqtt.port, mqttTls: mqtt.tlsPort };
        process.stdout.write(`${JSON.stringify({ ready: true, ...ports, firstLogin })}\n`);
      } else {
        process.stdout.write(`Board  ${boardPlaces(setup.config.live, live)}\nMQTT   ${mqttPlaces(setup.config.broker, mqtt)}\n`);
        if (firstLogin) process.stdout.write(`Login  ${firstLogin.username} / ${firstLogin.password}  (shown once)\n`);
      }
    };
    const localAccess: Part = {
      name: 'local access',
      start: () => {
        const url = localUrl(setup.config.live.host, started.live.port);
        return publishLocalAccess(setup.folder.server, { url, token: localToken, pid: process.pid });
      },
      stop: async () => removeLocalAccess(setup.folder.server),
    };
    return runUntilStopped([...(traced === undefined ? [] : [traced.part]), ...parts, localAccess], log, { ready, fatal });
  },
};
