/**
 * Builds that are broken on purpose: each breaks one promise in one place. A simulation that does not notice them proves nothing.
 */
export interface Sabotage {
  readonly name: string;
  /** Relative to the checkout. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

export const sabotages: readonly Sabotage[] = [
  {
    name: 'skip fdatasync',
    file: 'core/log/segment-writer.ts',
    find: `    await this.mustWork(file.sync(), 'sync');
    this.syncs++;`,
    replace: '    this.syncs++;',
  },
  {
    name: 'acknowledge before the message is on disk',
    file: 'broker/gate.ts',
    find: 'log.append(message).then(',
    replace: 'Promise.resolve(void log.append(message).catch(() => undefined)).then(',
  },
  {
    name: 'edge gives up a sample when it is sent, not when it is acknowledged',
    file: 'edge-agent/publisher/publisher.ts',
    find: 'await link.publish(record.device, (seq) => encodeDeviceData(record, declared, { seq, timestampMs: clock.now(), isHistorical }));',
    replace:
      'link.publish(record.device, (seq) => encodeDeviceData(record, declared, { seq, timestampMs: clock.now(), isHistorical })).catch(() => undefined);',
  },
  {
    name: 'evict before the loss is on disk',
    file: 'edge-agent/outbox/outbox.ts',
    find: `      await ledger.sync();
      evictedBelow = toIndex;`,
    replace: '      evictedBelow = toIndex;',
  },
  {
    name: 'store repeats',
    file: 'ingest/repeat-filter.ts',
    find: 'const overlap = seen.overlap(seq, seq + count);',
    replace: 'const overlap = 0;',
  },
  {
    name: 'checkpoint one record too far',
    file: 'ingest/ingest.ts',
    find: 'const checkpoint = { nextIndex, decoder',
    replace: 'const checkpoint = { nextIndex: nextIndex + 1, decoder',
  },
  {
    name: 'swallow a full disk',
    file: 'core/log/segment-writer.ts',
    find: `    for (const { reject } of refused) {
      reject(reason);
    }`,
    replace: `    for (const { resolve, reject } of refused) {
      if (reason instanceof FatalError) reject(reason);
      else resolve(this.nextIndex);
    }`,
  },
  {
    name: 'sync again after a failed sync',
    file: 'core/log/segment-writer.ts',
    find: `    await this.mustWork(file.sync(), 'sync');
    this.syncs++;`,
    replace: `    await file.sync().catch(() => file.sync());
    this.syncs++;`,
  },
  {
    name: 'drop a batch that the store refused',
    file: 'ingest/work-writer.ts',
    find: 'if (signal.aborted) return false;',
    replace: 'return true;',
  },
  {
    name: 'number from 0 again after a restart',
    file: 'edge-agent/outbox/outbox.ts',
    find: 'const firstSeq = goesOn ? Math.max(',
    replace: 'const firstSeq = goesOn ? Math.min(0, ',
  },
  {
    name: 'a new stream at every start',
    file: 'edge-agent/outbox/outbox.ts',
    find: 'const goesOn = current !== undefined &&',
    replace: 'const goesOn = current === undefined &&',
  },
  {
    name: 'no bound on what is in flight',
    file: 'edge-agent/publisher/window.ts',
    find: 'return inside.live + inside.backlog < size && inside[lane] < limits[lane];',
    replace: 'return inside.live + inside.backlog < size * 1000 + limits[lane];',
  },
  {
    name: 'order by the wall clock',
    file: 'core/telemetry/sparkplug-data.ts',
    find: 'const tick = (outcome.firstTick + place++) % tickModulus;',
    replace: 'const tick = (Math.floor(receivedMs) + place++) % tickModulus;',
  },
  {
    name: 'never report a loss',
    file: 'edge-agent/publisher/loss-reporter.ts',
    find: `        const { reason, seqFrom, seqTo } = report;
`,
    replace: `        const { reason, seqFrom, seqTo } = report;
        outbox.acknowledgeReport(report.no);
        if (seqTo > 0) continue;
`,
  },
  {
    name: 'call released what was only sent',
    file: 'edge-agent/outbox/released.ts',
    find: 'const index = Math.max(durableCursor(), firstIndex);',
    replace: 'const index = log.stats().nextIndex;',
  },
  {
    name: 'measure a wait with the wall clock',
    file: 'ingest/ingest.ts',
    find: `    const until = clock.monotonic() + config.commitIntervalMs;
    while (!isFull(work) && !abort.signal.aborted) {
      const isEmpty = work.nextIndex === work.fromIndex;
      const waitMs = isEmpty ? 1000 : Math.max(0, until - clock.monotonic());
      const records = await read(work.nextIndex, waitMs);
      if (records.length === 0) {
        if (isEmpty) continue;
        return;
      }
      for (const record of records) take(record, work);
      if (clock.monotonic() >= until) return;`,
    replace: `    const until = clock.now() + config.commitIntervalMs;
    while (!isFull(work) && !abort.signal.aborted) {
      const isEmpty = work.nextIndex === work.fromIndex;
      const waitMs = isEmpty ? 1000 : Math.max(0, until - clock.now());
      const records = await read(work.nextIndex, waitMs);
      if (records.length === 0) {
        if (isEmpty) continue;
        return;
      }
      for (const record of records) take(record, work);
      if (clock.now() >= until) return;`,
  },
];
