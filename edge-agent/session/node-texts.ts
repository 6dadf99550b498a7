import type { Clock } from '@nhip/core/process/env';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';

/** Name and text of a metric of the node. */
export type NodeText = readonly [name: string, text: string];

/** Metrics of the node that are long and seldom change: every birth tells them, data only what is news. */
export interface NodeTexts {
  /** Asks for them; to be called before the first birth of a session. */
  refresh(): Promise<void>;
  /** As they were last asked for, for a birth. */
  all(): readonly Metric[];
  /** Asks again: those that a host was not told since. undefined: one is there that no birth has declared, so a new one must tell all. */
  news(): Promise<readonly Metric[] | undefined>;
}

/** `read` must not reject. */
export function createNodeTexts(clock: Clock, read: () => Promise<readonly NodeText[]>): NodeTexts {
  let known: readonly Metric[] = [];
  const told = new Map<string, Metric['value']>();

  async function refresh(): Promise<void> {
    const texts = await read();
    const timestampMs = clock.now();
    known = texts.map(([name, value]) => ({ name, timestampMs, dataType: dataType.String, value }));
  }

  function telling(metrics: readonly Metric[]): readonly Metric[] {
    for (const { name = '', value } of metrics) told.set(name, value);
    return metrics;
  }

  return {
    refresh,
    all: () => telling(known),
    async news() {
      await refresh();
      if (known.some(({ name = '' }) => !told.has(name))) return undefined;
      return telling(known.filter(({ name = '', value }) => told.get(name) !== value));
    },
  };
}
