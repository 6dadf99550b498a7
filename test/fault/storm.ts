import type { Factory } from '../harness/factory.ts';
import type { Role } from '../harness/role.ts';
import type { Cell } from './cell.ts';

export interface StormOptions {
  /** kill -9 of any role but the PLC. */
  readonly kills: number;
  readonly edges: number;
  readonly shape?: 'one' | 'apart';
  /** Called after each kill. */
  progress?(kills: number, factory: Factory): void;
}

/** What a storm does next, in tenths. */
const shares = { kill: 7, pair: 1, plc: 1 } as const;
/** So often it waits until values of all edges are live: a storm in which nothing flows proves little. */
const calmEvery = 10;
const calmDeadlineMs = 120_000;

/**
 * kill -9 over all roles at random, in every phase of their lives, singly and in pairs, with links cut and the PLC restarted in
 * between. Judged as one cell. The same seed makes the same choices; when they hit is up to the machine.
 */
export function stormCell({ kills, edges, shape = 'one', progress }: StormOptions): Cell {
  return {
    id: shape === 'one' ? `storm-${kills}` : `storm-apart-${kills}`,
    fault: `${shape === 'one' ? 'edge agents and server' : 'edge agents, broker, ingest, live and InfluxDB'} at random: ${kills} × kill -9, links cut and the PLC restarted in between`,
    expectation: 'each kill of an edge agent costs at most its commit window; nothing else is missing',
    factory: { edges, shape },
    needs: shape === 'one' ? [] : ['nhip ingest', 'nhip live', 'program influxd'],
    maxRecoveryMs: 45_000,
    run: (factory) => storm(factory, kills, progress),
  };
}

async function storm(factory: Factory, kills: number, progress: StormOptions['progress']): Promise<void> {
  const { random, lasts, live, plc, edges } = factory;
  const victims = [...factory.roles.values()].filter((role) => role !== plc);
  const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let killed = 0;

  /** Half of the time it is started at once; a start may be hit by the next kill. */
  async function killAndStart(role: Role): Promise<void> {
    await role.kill();
    killed++;
    progress?.(killed, factory);
    if (random() < 0.5) await lasts(random() * 1500);
    const started = role.start().catch(() => undefined);
    if (random() < 0.7) await started;
  }

  let calmAt = calmEvery;
  while (killed < kills) {
    const choice = random() * 10;
    if (choice < shares.kill) await killAndStart(any(victims));
    else if (choice < shares.kill + shares.pair) {
      const first = any(victims);
      const second = any(victims.filter((role) => role !== first));
      await Promise.all([killAndStart(first), killAndStart(second)]);
    } else if (choice < shares.kill + shares.pair + shares.plc) await plc.crash();
    else if (random() < 0.5) await any(edges).breakBrokerLink({ kind: 'refuse' }, random() * 1500);
    else await any(edges).breakPlcLink({ kind: 'refuse' }, random() * 500);
    await lasts(random() * 1200);
    if (killed >= calmAt) {
      calmAt += calmEvery;
      await allReady(victims, lasts);
      await live(calmDeadlineMs);
    }
  }
  await allReady(victims, lasts);
}

/** A role that was hit in the middle of its start is being started again by nobody: that is done here. */
async function allReady(roles: readonly Role[], lasts: (ms: number) => Promise<void>): Promise<void> {
  for (const role of roles) {
    if (!role.isRunning) await role.start();
    while (!role.isReady) await lasts(20);
  }
}
