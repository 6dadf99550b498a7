import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { encodeLossReport } from '@nhip/core/wire/loss';
import { outboxLossMetric } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { Outbox } from '../outbox/outbox.ts';
import type { SessionLink } from '../session/session-link.ts';

const lookMs = 1000;

/**
 * Reports losses, one at a time, until the session ends. A report is sent until it is acknowledged, in this session or a later one;
 * with `holdMs` the session must also live on for so long, as with DATA.
 */
export async function reportLosses(
  link: SessionLink,
  deps: { readonly clock: Clock; readonly log: Log; readonly outbox: Outbox; readonly holdMs?: number | undefined },
): Promise<void> {
  const { clock, log, outbox, holdMs } = deps;
  let isStuck = false;
  while (!link.signal.aborted) {
    try {
      const report = await outbox.nextReport();
      if (report !== undefined && !link.signal.aborted) {
        const { reason, seqFrom, seqTo } = report;
        await link.publishNode([
          { name: outboxLossMetric, timestampMs: clock.now(), dataType: dataType.String, value: encodeLossReport(report) },
        ]);
        if (holdMs !== undefined) {
          await clock.sleep(holdMs, link.signal);
          await link.alive();
        }
        outbox.acknowledgeReport(report.no);
        isStuck = false;
        log.info({ reason, seqFrom, seqTo }, 'A loss was reported');
        continue;
      }
    } catch (error) {
      if (!isStuck && !link.signal.aborted) log.warn({ err: error }, 'A loss could not be reported, trying until it can');
      isStuck = true;
    }
    await clock.sleep(lookMs, link.signal).catch(() => undefined);
  }
}
