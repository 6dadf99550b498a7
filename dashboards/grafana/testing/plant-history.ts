import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Loss } from '@nhip/core/wire/loss';
import { generateHistory } from '@nhip/simulators/history';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { createPlant } from '@nhip/simulators/plants/plant';
import type { HistoryStore } from '@nhip/stores/history-store';
import { storeWrite } from '@nhip/stores/testing/store-write';
import { pushEdgeHistory } from './edge-history.ts';

/** From 06:00 on a Tuesday, Asia/Ho_Chi_Minh: the morning shift and the change to the next. */
export const fromMs = Date.UTC(2026, 0, 5, 23);
export const toMs = fromMs + 10 * 3_600_000;
const agentSeconds = 600;
/** The agent of the packing line is out of reach from here to the end: what its machines do then waits in its outbox. */
const cutFromS = 420;
export const cutFromMs = toMs - (agentSeconds - cutFromS) * 1000;

/**
 * Ten hours of the Hòa Lạc plant in `store`, through the store's own writer: machines from the simulators, the edges' own figures from
 * real edge agents, and two losses, which no simulator makes.
 */
export async function writePlantHistory(store: HistoryStore): Promise<void> {
  await store.open();
  const batch = new SampleBatch(new SeriesTable());
  let samples = 0;
  let writes = 0;
  const write = async (losses: readonly Loss[] = []): Promise<void> => {
    const checkpoint = { nextIndex: ++writes, decoder: Uint8Array.of(1), repeats: Uint8Array.of(1) };
    await store.write(storeWrite(batch, checkpoint, losses));
    batch.clear();
  };
  const plant = createPlant(hoaLac, 1);
  await generateHistory(
    plant,
    fromMs,
    toMs,
    (machine, metric, timestampMs, value) => {
      if (machine.includes('/edge-pack/') && timestampMs >= cutFromMs) return;
      // A meter that is read badly for a while.
      const isBad = machine.endsWith('CT-L3') && metric === 'Voltage/L1';
      batch.push(batch.series.id(machine, metric), timestampMs, samples++ % 1_000_000, value, isBad ? 0 : 192, false);
    },
    () => write(),
  );
  for (const edge of new Set(hoaLac.machines.map((spec) => spec.edge))) {
    const devices = hoaLac.machines.filter((spec) => spec.edge === edge).map(({ id }) => id);
    const cuts = [[180, 240] as const, ...(edge === 'edge-pack' ? [[cutFromS, agentSeconds] as const] : [])];
    await pushEdgeHistory(batch, { group: hoaLac.group, edge, devices, fromMs: toMs - agentSeconds * 1000, seconds: agentSeconds, cuts });
  }
  await write([
    loss({ reason: 'outboxQuota', samples: 120, atMs: toMs - 40 * 60_000 }),
    loss({ reason: 'deadLettered', samples: 3, detail: 'tooFarInFuture', atMs: toMs - 60_000 }),
  ]);
}

function loss(change: Partial<Loss>): Loss {
  const place = { edge: 'hoalac/edge-pack', machine: 'hoalac/edge-pack/CHI-01', metric: 'Count/Good' };
  const numbers = { stream: '', seqFrom: 0, seqTo: 0, fromMs, toMs: fromMs + 1000, atMs: toMs, samples: 1 };
  return { ...place, ...numbers, reason: 'outboxQuota', detail: '', ...change };
}
