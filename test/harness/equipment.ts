import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createFailingCalls, type FailingCalls } from './failing-calls.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import type { Surroundings } from './nhip.ts';
import { createOwnNetwork, type OwnNetwork } from './own-network.ts';
import type { DataFolder } from './plant.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

/** What the kernel and libraries are asked to break, beside what proxies and signals can. */
export interface EquipmentOptions {
  /** A small file system under: all edge agents' data, the server's data, the broker's log alone, the history alone. */
  readonly disk?: { readonly of: 'edge' | 'server' | 'log' | 'history'; readonly megabytes: number };
  /** Whose wall clock can be set. */
  readonly clock?: 'edge' | 'server';
  /** Whose system calls can fail. */
  readonly failing?: 'edge' | 'server';
  /** Edge agents have a network of their own. */
  readonly ownNetwork?: boolean;
}

export interface Equipment {
  readonly edge: Surroundings;
  readonly server: Surroundings;
  /** Where proxies between edge and the rest listen. */
  readonly linkHost: string;
  readonly historyFile: string;
  /** Each throws when it was not asked for. */
  disk(): SmallDisk;
  clock(): FakeClock;
  failing(): FailingCalls;
  network(): OwnNetwork;
  remove(): void;
}

/** Before anything is started. */
export function prepareEquipment(data: DataFolder, options: EquipmentOptions): Equipment {
  const places = {
    edge: join(data.path, 'edge'),
    server: join(data.path, 'server'),
    log: join(data.path, 'server/log'),
    history: join(data.path, 'history'),
  } as const;
  const historyFile = options.disk?.of === 'history' ? join(places.history, 'history.duckdb') : join(places.server, 'history.duckdb');
  if (options.disk?.of === 'log') mkdirSync(places.server, { mode: 0o700 });
  const disk = options.disk === undefined ? undefined : mountSmallDisk(places[options.disk.of], options.disk.megabytes);
  const clock = options.clock === undefined ? undefined : createFakeClock(data.path);
  const failing = options.failing === undefined ? undefined : createFailingCalls(data.path);
  const network = options.ownNetwork === true ? createOwnNetwork() : undefined;
  const surroundings = (who: 'edge' | 'server'): Surroundings => ({
    env: {
      ...(options.clock === who ? clock?.surroundings.env : {}),
      ...(options.failing === who ? failing?.surroundings.env : {}),
    },
    ...(who === 'edge' && network?.surroundings.wrapper !== undefined ? { wrapper: network.surroundings.wrapper } : {}),
  });
  const given = <T>(thing: T | undefined, what: string): T => {
    if (thing === undefined) throw new Error(`the cell did not ask for ${what}`);
    return thing;
  };
  return {
    edge: surroundings('edge'),
    server: surroundings('server'),
    linkHost: network?.host ?? '127.0.0.1',
    historyFile,
    disk: () => given(disk, 'a disk'),
    clock: () => given(clock, 'a clock'),
    failing: () => given(failing, 'failing calls'),
    network: () => given(network, 'a network'),
    remove() {
      disk?.remove();
      network?.remove();
    },
  };
}
