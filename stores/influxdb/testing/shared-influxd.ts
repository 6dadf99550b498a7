import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { whileFrozen } from '../../../test/harness/frozen.ts';
import { hasInfluxd, type Influxd, startInfluxd } from '../../../test/harness/influxd.ts';

export interface SharedInfluxd extends Pick<Influxd, 'url' | 'port' | 'access'> {
  /** Goes with the tests. */
  readonly folder: string;
  /** SIGSTOP, `work`, SIGCONT. */
  whileFrozen<T>(work: () => Promise<T>): Promise<T>;
  /** SIGKILL, then starts it on the same data and port. */
  restart(): Promise<void>;
}

/** One influxd, where it is installed, for all tests of the file that calls this at its top. */
export function shareInfluxd(): SharedInfluxd {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-influx-'));
  let running: Influxd | undefined;
  const started = (): Influxd => {
    if (running === undefined) throw new Error('influxd is not started');
    return running;
  };
  beforeAll(async () => {
    if (hasInfluxd) running = await startInfluxd(folder);
  });
  afterAll(async () => {
    await running?.stop();
    rmSync(folder, { recursive: true });
  });
  return {
    folder,
    get url() {
      return started().url;
    },
    get port() {
      return started().port;
    },
    get access() {
      return started().access;
    },
    whileFrozen: (work) => whileFrozen(started().pid, work),
    async restart() {
      const { port, kill } = started();
      await kill();
      running = await startInfluxd(folder, port);
    },
  };
}
