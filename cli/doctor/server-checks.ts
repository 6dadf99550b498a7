import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openCredentials } from '@nhip/broker/auth/credentials';
import { reasonOf } from '@nhip/core/process/errors';
import type { TlsFiles } from '@nhip/core/process/node-tls-files';
import { edgeHealth, pipelineStats } from '@nhip/live/http/schemas';
import { schemaVersion } from '@nhip/stores/duckdb/schema';
import { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import type { DataFolder } from '../folders.ts';
import type { ServerClient } from '../server-client.ts';
import type { ServerConfig } from '../server-config.ts';
import { certificateFindings } from './certificates.ts';
import { clockFindings, clockSkewMs, clockSync } from './clock.ts';
import { diskFacts, diskFindings } from './disk.ts';
import { codeOf, type Finding, note, ok, wrong } from './finding.ts';
import { logFacts } from './outbox.ts';
import { permissionFindings } from './permissions.ts';
import { edgeFindings, pipelineFindings } from './pipeline.ts';
import { portFacts, portFindings, type WantedPort } from './ports.ts';
import { versionFindings } from './versions.ts';

export interface ServerVisit {
  readonly config: ServerConfig;
  readonly folder: DataFolder;
  /** The running server; undefined when none is known. */
  readonly server: ServerClient | undefined;
  /** Of a server on this computer. */
  readonly serverPid: number | undefined;
  now(): number;
}

/** Everything that can be looked at where a server runs or shall run. */
export async function checkServer(visit: ServerVisit): Promise<readonly Finding[]> {
  const { config, folder, server, now } = visit;
  const asked = server === undefined ? undefined : await askServer(server, now());
  const isRunning = asked?.isRunning === true;
  return [
    ...clockFindings({
      nowMs: now(),
      sync: await clockSync(),
      skewMs: isRunning && server ? await clockSkewMs(server.url, now) : undefined,
    }),
    ...versionFindings({ node: process.versions.node, nhip: manifest.version, serverNhip: asked?.version, knownSchema: schemaVersion }),
    ...(await folderFindings(visit)),
    ...(await portsOf(config, isRunning ? visit.serverPid : undefined)),
    ...certificatesOf(config, now()),
    ...(asked?.findings ?? [note('server', 'No server runs on this data folder.', `nhip server --data ${folder.root}`)]),
  ];
}

async function folderFindings({ config, folder }: ServerVisit): Promise<readonly Finding[]> {
  if (!existsSync(folder.server)) {
    return [note('data', `${folder.server} does not exist yet.`, 'The first start makes it. Is --data right?')];
  }
  const log = await logFacts(join(folder.server, 'log'), 'ingest');
  const letters = await logFacts(join(folder.server, 'dead-letters'), '');
  const quotas = [
    { what: 'the log', setting: 'log.maxBytes', maxBytes: config.log.maxBytes, usedBytes: log?.bytes ?? 0 },
    {
      what: 'the dead letters',
      setting: 'ingest.deadLetterMaxBytes',
      maxBytes: config.ingest.deadLetterMaxBytes,
      usedBytes: letters?.bytes ?? 0,
    },
  ];
  const secrets = ['users.json', 'tokens.json', 'sessions.json', 'local-access.json'].map((name) => join(folder.server, name));
  const paths = [
    { path: folder.server, kind: 'folder' as const },
    ...[...secrets, folder.credentials].map((path) => ({ path, kind: 'file' as const })),
  ];
  return [
    ...diskFindings(await diskFacts(folder.server), quotas),
    ...permissionFindings(paths, process.getuid?.()),
    ...credentialFindings(folder),
  ];
}

function credentialFindings({ server, credentials }: DataFolder): readonly Finding[] {
  if (!existsSync(join(server, 'users.json')))
    return [note('credentials', 'There are no users yet.', 'The first start of the server makes admin and shows its password once.')];
  try {
    const count = openCredentials(credentials).list().length;
    if (count === 0) return [note('credentials', 'No device may publish yet.', 'nhip device add <group>/<edge>')];
    return [ok('credentials', `${count} devices may publish.`)];
  } catch (error) {
    return [
      wrong(
        'credentials',
        codeOf(error) === 'device.credentials' ? `${credentials} cannot be read.` : codeOf(error),
        'Restore it from a backup: nhip restore … --accounts',
      ),
    ];
  }
}

async function portsOf({ broker, live }: ServerConfig, serverPid: number | undefined): Promise<readonly Finding[]> {
  const isProxied = live.publicUrl?.startsWith('https:') === true;
  const boardTls = live.tls;
  const wanted: readonly WantedPort[] = [
    { what: 'Board and API', host: live.host, port: live.port, setting: '--http-port', isProtected: isProxied },
    ...(boardTls === undefined
      ? []
      : [{ what: 'Board over TLS', host: boardTls.host ?? live.host, port: boardTls.port, setting: 'live.tls.port', isProtected: true }]),
    { what: 'MQTT', host: broker.host, port: broker.port, setting: '--mqtt-port', isProtected: false },
    ...(broker.tls === undefined
      ? []
      : [
          {
            what: 'MQTT over TLS',
            host: broker.tls.host ?? broker.host,
            port: broker.tls.port,
            setting: 'broker.tls.port',
            isProtected: true,
          },
        ]),
    ...(broker.webSocketPort === undefined
      ? []
      : [
          {
            what: 'MQTT over WebSocket',
            host: broker.host,
            port: broker.webSocketPort,
            setting: 'broker.webSocketPort',
            isProtected: isProxied,
          },
        ]),
  ];
  const found = await Promise.all(wanted.map(async (each) => portFindings(each, await portFacts(each, serverPid))));
  return found.flat();
}

function certificatesOf({ broker, live }: ServerConfig, nowMs: number): readonly Finding[] {
  return [...shownCertificate('broker.tls', broker.tls, nowMs), ...shownCertificate('live.tls', live.tls, nowMs)];
}

function shownCertificate(setting: string, tls: TlsFiles | undefined, nowMs: number): readonly Finding[] {
  if (tls === undefined) return [];
  const { certFile, keyFile } = tls;
  const key = { setting: `${setting}.keyFile`, file: keyFile };
  const isKeyThere = existsSync(keyFile) && statSync(keyFile).isFile();
  return [
    ...certificateFindings({ setting: `${setting}.certFile`, file: certFile, key }, nowMs),
    ...(isKeyThere ? permissionFindings([{ path: keyFile, kind: 'file' }], process.getuid?.()).filter(({ state }) => state !== 'ok') : []),
  ];
}

interface Asked {
  readonly isRunning: boolean;
  readonly version?: string | undefined;
  readonly findings: readonly Finding[];
}

/** Newer servers may say more than this release knows. */
const apiDocument = z.object({ info: z.object({ version: z.string() }) });

async function askServer(server: ServerClient, nowMs: number): Promise<Asked> {
  let version: string | undefined;
  try {
    version = (await server.get('/api/openapi.json', apiDocument)).info.version;
    const stats = await server.get('/api/v1/stats', z.object(pipelineStats.shape));
    const { edges } = await server.get('/api/v1/health/edges', z.object({ edges: z.array(z.object(edgeHealth.shape)) }));
    const answers = ok('server', `The server at ${server.url} answers.`);
    return { isRunning: true, version, findings: [answers, ...pipelineFindings(stats, nowMs), ...edgeFindings(edges, nowMs)] };
  } catch (error) {
    const says = reasonOf(error);
    const todo = version === undefined ? 'Start it, or name its address with --url.' : 'See the log of the server.';
    return { isRunning: version !== undefined, version, findings: [wrong('server', `${says}.`.replace(/\.\.$/, '.'), todo)] };
  }
}
