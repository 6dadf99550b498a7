import { createLog } from '@nhip/core/process/log';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import manifest from '../../package.json' with { type: 'json' };
import { adminPassword } from '../admin-password.ts';
import { type Command, commonFlags, listenFlags, logLevel } from '../arguments.ts';
import { makePrivate } from '../folders.ts';
import { composeLive } from '../live-role.ts';
import { boardPlaces } from '../places.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';
import { serverSetup } from '../server-config.ts';

const { 'mqtt-port': _, ...liveListenFlags } = listenFlags;

export const live: Command = {
  name: 'live',
  summary:
    'Runs the web board and API alone: reads the log of the broker in the same data folder and a store that is a server. Waits for both.',
  flags: {
    ...commonFlags,
    ...liveListenFlags,
    plant: { summary: 'Plant model (YAML): lines, names, shifts', value: 'FILE' },
    demo: { summary: 'A viewer on this computer may read without logging in' },
  },
  async run(input) {
    const setup = serverSetup(input, process.env);
    const log = createLog('live', logLevel(input));
    const { fatal, onFatal } = createFatal();
    const { parts, started } = composeLive(setup, {
      log,
      version: manifest.version,
      adminPassword: adminPassword(process.env),
      onFatal,
    });
    if (input.isSet('check')) {
      process.stdout.write('The configuration is sound.\n');
      return 0;
    }
    makePrivate(setup.folder.live);
    await lockFolder(setup.folder.live);
    const ready = (): void => {
      const { port, tlsPort, firstLogin } = started;
      if (input.isSet('json')) process.stdout.write(`${JSON.stringify({ ready: true, http: port, https: tlsPort, firstLogin })}\n`);
      else {
        process.stdout.write(`Board  ${boardPlaces(setup.config.live, started)}\n`);
        if (firstLogin) process.stdout.write(`Login  ${firstLogin.username} / ${firstLogin.password}  (shown once)\n`);
      }
    };
    return runUntilStopped(parts, log, { ready, fatal });
  },
};
