import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { z } from 'zod';
import type { DataFolder } from '../folders.ts';
import { type FactoryIdentity, simulatedFactories } from '../sector/factory/factories.ts';
import { simulatedAgreement, simulatedPurposes } from '../sector/factory/factory-policy.ts';
import type { Children, RunOnce } from './children.ts';
import { demoEnterprise, demoRecipient, writeServerConfig, writeSharingPolicy } from './sector-files.ts';

const notes = z.strictObject({ sectorPort: z.int() });
const joined = z.looseObject({ clientId: z.string() });
const code = z.looseObject({ code: z.string() });

/** The port of the demo's sector server: it stands in an approved policy, so it stays what it was at the first start. */
export async function sectorPort(folder: DataFolder, freePort: () => Promise<number>): Promise<number> {
  const file = join(folder.root, 'demo.json');
  if (existsSync(file)) return notes.parse(JSON.parse(readFileSync(file, 'utf8'))).sectorPort;
  const port = await freePort();
  writeFileSync(file, JSON.stringify({ sectorPort: port } satisfies z.infer<typeof notes>));
  return port;
}

/** Lets an enterprise in at the running sector server; resolves with the one-time code of its factory. */
async function enrolled(folder: DataFolder, run: RunOnce, sectorUrl: string, enterprise: string, plant: string): Promise<string> {
  const args = ['sector', 'enrol', enterprise, '--plant', plant, '--url', sectorUrl, '--data', folder.root];
  return code.parse(await run('enrol', args).ready).code;
}

/** Records the agreement that the policy of a simulated factory names; one that is recorded, or revoked, stays as it is. */
async function agreed(folder: DataFolder, run: RunOnce, sectorUrl: string, factory: FactoryIdentity): Promise<void> {
  const purposes = simulatedPurposes.flatMap((purpose) => ['--purpose', purpose]);
  const args = ['add', factory.enterpriseId, simulatedAgreement(factory), ...purposes, '--from', '2025-12-01T00:00:00+07:00'];
  await run('agreement', ['sector', 'agreement', ...args, '--url', sectorUrl, '--data', folder.root]).ready;
}

/** Starts the two further simulated factories, which report to the same sector server by themselves. */
export async function startFactories(folder: DataFolder, { run, start }: Children, sectorUrl: string): Promise<void> {
  const data = join(folder.root, 'factories');
  await Promise.all(
    simulatedFactories.map(async (factory) => {
      const { id, enterpriseId, establishmentId } = factory;
      const hasJoined = existsSync(join(data, id, 'enrolment.json'));
      const given = hasJoined ? [] : ['--code', await enrolled(folder, run, sectorUrl, enterpriseId, establishmentId)];
      await agreed(folder, run, sectorUrl, factory);
      await start(`factory-${id}`, ['sector', 'factory', id, '--sector-url', sectorUrl, ...given], data).ready;
    }),
  );
}

/** Writes the configuration and the policy of the simulated plant, and joins it to the sector server, once; resolves with the configuration. */
export async function joinSector(folder: DataFolder, run: RunOnce, sectorUrl: string): Promise<string> {
  const file = join(folder.root, 'server.yaml');
  if (existsSync(join(folder.root, 'sector-platform-key.json'))) return file;
  writeSharingPolicy(folder, sectorUrl);
  writeServerConfig(folder, '');
  const given = await enrolled(folder, run, sectorUrl, demoEnterprise, `${hoaLac.id}=${hoaLac.site.vi}`);
  const args = ['sector', 'join', '--config', file, '--recipient', demoRecipient, '--url', `${sectorUrl}/v1`, '--code', given];
  const { clientId } = joined.parse(await run('join', args).ready);
  return writeServerConfig(folder, clientId);
}
