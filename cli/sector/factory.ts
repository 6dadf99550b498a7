import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { ConfigError } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import manifest from '../../package.json' with { type: 'json' };
import { type Command, commonFlags, logLevel } from '../arguments.ts';
import { makePrivate } from '../folders.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';
import { findFactory, simulatedFactories } from './factory/factories.ts';
import { createSimulatedFactory, type ReportCounts } from './factory/simulated-factory.ts';

const defaultUrl = 'http://127.0.0.1:8090';
const usualDays = 7;
const mostDays = 60;

export const factory: Command = {
  name: 'sector factory',
  usage: 'ID',
  summary: `Runs a simulated factory that reports to a sector server, for the demo and for trying a platform. The server must know its agreement (nhip sector agreement add). ID: ${simulatedFactories
    .map(({ id }) => id)
    .join(' or ')}.`,
  flags: {
    'sector-url': { summary: `Sector server (default ${defaultUrl})`, value: 'URL', env: 'NHIP_SECTOR_URL' },
    code: { summary: 'One-time code that nhip sector enrol printed; the first start needs it', value: 'CODE', env: 'NHIP_SECTOR_CODE' },
    data: { summary: 'Folder; the factory lies in a folder ID of it (default ./data/factories)', value: 'DIR' },
    days: {
      summary: `Closed days that the first start reports at once, 0–${mostDays} (default ${usualDays})`,
      value: 'N',
    },
    json: commonFlags.json,
    'log-level': commonFlags['log-level'],
  },
  async run(input) {
    const [id, ...more] = input.positionals;
    const identity = findFactory(id);
    if (more.length > 0) throw new ConfigError('nhip sector factory', ['say one factory']);
    const folder = join(resolve(input.text('data') ?? 'data/factories'), identity.id);
    const options = {
      folder,
      sectorUrl: sectorUrl(input.text('sector-url') ?? defaultUrl),
      code: input.text('code'),
      days: daysOf(input.text('days')),
    };
    const log = createLog('factory', logLevel(input));
    keepHeapSmall();
    makePrivate(folder);
    await lockFolder(folder);
    const part = createSimulatedFactory(identity, options, { env: createNodeEnv(join(folder, 'gateway')), log, version: manifest.version });
    let counts: ReportCounts = { accepted: 0, waiting: 0, refused: 0 };
    const counted = {
      name: part.name,
      async start(): Promise<void> {
        await part.start();
        counts = await part.counts();
      },
      stop: () => part.stop(),
    };
    const ready = (): void => {
      const { enterpriseId, establishmentId } = identity;
      const line = { ready: true, factory: identity.id, enterpriseId, establishmentId, reports: counts };
      const words = `${identity.definition.enterprise.vi}: ${counts.accepted} reports accepted, ${counts.waiting} waiting, ${counts.refused} refused\n`;
      process.stdout.write(input.isSet('json') ? `${JSON.stringify(line)}\n` : words);
    };
    return runUntilStopped([counted], log, { ready, fatal: createFatal().fatal });
  },
};

/** Simulated days are garbage soon; several factories share a computer with a demo. */
function keepHeapSmall(): void {
  for (const flag of ['--max-semi-space-size=2', '--semi-space-growth-factor=1', '--heap-growing-percent=20']) setFlagsFromString(flag);
}

function sectorUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url?.protocol === 'https:' || isHere) return text;
  throw new ConfigError('--sector-url', [`"${text}" is no address https://host (http:// only on this computer)`]);
}

function daysOf(text: string | undefined): number {
  const days = text === undefined ? usualDays : /^\d{1,3}$/.test(text) ? Number(text) : -1;
  if (days < 0 || days > mostDays) throw new ConfigError('--days', [`"${text}" is not a number of days (0–${mostDays})`]);
  return days;
}
