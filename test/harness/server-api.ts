/** The server's public API, as far as the harness asks it: how far the samples have come. */
export interface ServerApi {
  /** Current value of a metric; undefined while nobody knows it. */
  value(machine: string, metric: string): Promise<number | undefined>;
  stats(): Promise<Stats>;
  edge(id: string): Promise<EdgeRow | undefined>;
  /** Samples of a machine that are stored, lost or dead-lettered, of the last hours. */
  accounted(machine: string): Promise<number>;
}

export interface Stats {
  readonly stored: number;
  readonly repeated: number;
  readonly deadLettered: number;
  readonly lagMs: number;
  readonly logRecordsBehind: number;
}

export interface EdgeRow {
  readonly id: string;
  readonly online: boolean;
  readonly lastSeen: number | null;
  readonly outboxRecords: number | null;
}

interface Totals {
  readonly stored?: number;
  readonly lost?: number;
  readonly deadLettered?: number;
}

const timeoutMs = 3000;
const rangeMs = 6 * 3_600_000;

/** `port` is asked at each call: a server that was started again may be elsewhere. */
export function createServerApi(port: () => number): ServerApi {
  async function get<T>(path: string): Promise<T | undefined> {
    const response = await fetch(`http://127.0.0.1:${port()}/api/v1${path}`, { signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
  return {
    async value(machine, metric) {
      const answer = await get<{ metrics: { name: string; v: unknown }[] }>(`/machines/${encodeURIComponent(machine)}/metrics`);
      const value = answer?.metrics.find(({ name }) => name === metric)?.v;
      return typeof value === 'number' ? value : undefined;
    },
    async stats() {
      const stats = await get<Stats>('/stats');
      if (stats === undefined) throw new Error('the server has no stats');
      return stats;
    },
    async edge(id) {
      const answer = await get<{ edges: EdgeRow[] }>('/health/edges');
      return answer?.edges.find((edge) => edge.id === id);
    },
    async accounted(machine) {
      const range = `from=${Date.now() - rangeMs}&to=${Date.now() + rangeMs}`;
      const answer = await get<{ totals: Totals; unattributed: number }>(`/completeness?machine=${encodeURIComponent(machine)}&${range}`);
      const { stored = 0, lost = 0, deadLettered = 0 } = answer?.totals ?? {};
      return stored + lost + deadLettered;
    },
  };
}
