import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ConfigError, reasonOf } from '@nhip/core/process/errors';
import { type Command, commonFlags, type Input, listenFlags } from '../arguments.ts';
import { approveForDemo, type Login } from '../demo/approvals.ts';
import { type Children, createChildren } from '../demo/children.ts';
import { addSecondApprover } from '../demo/people.ts';
import { writeEdges, writePlant } from '../demo/prepare.ts';
import { joinSector, sectorPort, startFactories } from '../demo/sector.ts';
import { type DataFolder, dataFolder, makePrivate } from '../folders.ts';
import { localUrl } from '../local-access.ts';

/** What the first start puts into the history, so that every view has something to show. */
const historyDays = 7;

export const demo: Command = {
  name: 'demo',
  summary:
    'A simulated factory, live: simulators on real protocols, two edge agents, the server, and a sector server that it reports to, each a process of its own.',
  flags: {
    data: commonFlags.data,
    json: commonFlags.json,
    ...listenFlags,
    'modbus-port': { summary: 'Port of the simulated PLCs (default: any free one)', value: 'PORT' },
    'opcua-port': { summary: 'Port of the simulated OPC UA server (default: any free one)', value: 'PORT' },
  },
  async run(input) {
    const folder = dataFolder(input.text('data'));
    makePrivate(folder.root);
    makePrivate(join(folder.root, 'logs'));
    const children = createChildren(folder);
    const stopped = new Promise<'stop'>((resolve) => {
      process.once('SIGINT', () => resolve('stop'));
      process.once('SIGTERM', () => resolve('stop'));
    });
    let code = 0;
    try {
      const outcome = await Promise.race([startAll(input, folder, children), stopped]);
      if (outcome !== 'stop') {
        announce(input, outcome);
        const dead = await Promise.race([stopped, children.anyEnded()]);
        if (dead !== 'stop')
          throw new Error(`${dead.name} ended with ${dead.exit}. Its log: ${join(folder.root, 'logs', `${dead.name}.log`)}`);
      }
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      code = error instanceof ConfigError ? 78 : 1;
    }
    await stopAll(input, children);
    return code;
  },
};

interface Started {
  readonly http: number;
  readonly mqtt: number;
  readonly modbus: number;
  readonly opcua: number;
  readonly host: string;
  readonly sector: number;
  readonly firstLogin: Login | undefined;
  readonly secondLogin: Login | undefined;
}

async function startAll(input: Input, folder: DataFolder, children: Children): Promise<Started> {
  const { start, run } = children;
  const say = (text: string): void => {
    if (!input.isSet('json')) process.stdout.write(`${text}\n`);
  };
  const timed = async <T>(label: string, work: Promise<T>, describe: (result: T) => string): Promise<T> => {
    const began = performance.now();
    const result = await work;
    say(`  ${label.padEnd(12)} ${describe(result).padEnd(46)} ${String(Math.round(performance.now() - began)).padStart(6)} ms`);
    return result;
  };
  say('\nNhịp, a simulated factory\n');
  const sectorAt = await sectorPort(folder, freePort);
  const sector = start('sector', ['sector', 'serve', '--http-port', String(sectorAt)]);
  if (!existsSync(folder.history)) {
    const history = run('history', ['simulate', '--write-history', String(historyDays), '--data', folder.root]);
    await timed(
      'history',
      history.ready,
      ({ samples }) => `${historyDays} days of the plant, ${Number(samples).toLocaleString('en')} samples`,
    );
    await history.ended;
  }
  const sectorUrl = `http://127.0.0.1:${sectorAt}`;
  const config = await timed(
    'sector',
    sector.ready.then(() => joinSector(folder, run, sectorUrl)),
    () => `sector server :${sectorAt}`,
  );
  const host = input.text('host') ?? '127.0.0.1';
  // The machines' ports are chosen first, so that everything can start side by side: agents try again until a PLC answers.
  const modbus = input.port('modbus-port') || (await freePort());
  const opcua = input.port('opcua-port') || (await freePort());
  const simulator = start('simulator', ['simulate', '--modbus-port', String(modbus), '--opcua-port', String(opcua)]);
  const server = start('server', [
    ...['server', '--config', config, '--demo', '--plant', writePlant(folder), '--host', host],
    ...['--http-port', String(input.port('http-port') ?? 8080), '--mqtt-port', String(input.port('mqtt-port') ?? 1883)],
  ]);
  const edges = timed('server', server.ready, ({ http, mqtt }) => `broker :${mqtt}, ingest, live :${http}`).then((served) =>
    Promise.all(
      writeEdges(folder, { host: '127.0.0.1', modbusPort: modbus, opcuaPort: opcua }, `mqtt://127.0.0.1:${served.mqtt}`).map(
        async ({ edge, config, needsOpcUa }) => {
          // Loading its OPC UA library would only slow the simulated server down that it waits for.
          if (needsOpcUa) await simulator.ready;
          return timed('edge agent', start(edge, ['edge', 'run', '--config', config]).ready, () => edge);
        },
      ),
    ),
  );
  await Promise.all([edges, timed('simulators', simulator.ready, () => `Modbus TCP :${modbus}, OPC UA :${opcua}`)]);
  const served = await server.ready;
  const http = Number(served.http);
  const firstLogin = served.firstLogin as Started['firstLogin'];
  // They are not what a visitor came for: the board does not wait for them.
  const warn = (what: string) => (error: unknown) => {
    if (!children.isStopping()) process.stderr.write(`  ${what}: ${reasonOf(error)}\n`);
  };
  void startFactories(folder, children, sectorUrl).catch(warn('The other factories do not report'));
  const secondLogin = await addSecondApprover(folder);
  const given = process.env.NHIP_ADMIN_PASSWORD;
  const admin = firstLogin ?? (given === undefined ? undefined : { username: 'admin', password: given });
  if (admin !== undefined && secondLogin !== undefined) {
    // Goes on while people look; what is not approved waits on the page.
    void approveForDemo(localUrl(host, http), [admin, secondLogin]).catch(warn('Reports wait for approval'));
  }
  return { modbus, opcua, mqtt: Number(served.mqtt), http, host, sector: sectorAt, firstLogin, secondLogin };
}

/** A port that nothing listens on right now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function announce(input: Input, { firstLogin, secondLogin, ...started }: Started): void {
  const { http, host, sector } = started;
  if (input.isSet('json')) {
    process.stdout.write(
      `${JSON.stringify({ ready: true, ...started, ...(firstLogin ? { firstLogin } : {}), ...(secondLogin ? { secondLogin } : {}) })}\n`,
    );
    return;
  }
  process.stdout.write(`\n  Board        http://${host}:${http}\n`);
  if (firstLogin)
    process.stdout.write(
      `  Login        ${firstLogin.username} / ${firstLogin.password}   (shown once; looking needs none on this computer)\n`,
    );
  if (secondLogin)
    process.stdout.write(`  and          ${secondLogin.username} / ${secondLogin.password}   (what leaves the factory needs two people)\n`);
  process.stdout.write(
    `  Sharing      http://${host}:${http}/sharing\n  Sector       http://127.0.0.1:${sector}   (a platform on this computer; log in with clientId of server.yaml and the text of sector-secret)\n`,
  );
  process.stdout.write('\n  Ctrl-C stops; the next start goes on from here.\n\n');
}

async function stopAll(input: Input, children: Children): Promise<void> {
  const began = performance.now();
  await children.stop();
  if (!input.isSet('json'))
    process.stdout.write(`\n  Stopped in ${Math.round(performance.now() - began)} ms; everything acknowledged is on disk.\n`);
}
