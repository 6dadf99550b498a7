import type { EdgeHealth, FurtherStore, PipelineStats } from '@nhip/core/wire/live';
import { durationText, type Finding, note, ok, sizeText, wrong } from './finding.ts';

/** A store that is further behind than this does not keep up. */
const lagLimitMs = 60_000;
const fullShare = 0.8;

/** What the server says of its data path. */
export function pipelineFindings(stats: PipelineStats, nowMs: number): readonly Finding[] {
  const findings: Finding[] = [];
  const since = (ms: number): string => durationText(nowMs - ms);
  if (stats.logFullSinceMs !== null) {
    const says = `The log is full for ${since(stats.logFullSinceMs)}: edges keep what they read on their own disks.`;
    findings.push(wrong('pipeline', says, 'Mend the store first; then the log empties by itself. Or raise log.maxBytes.'));
  } else if (stats.logBytes > fullShare * stats.logQuotaBytes && stats.logRecordsBehind > 0) {
    const says = `The log has ${sizeText(stats.logBytes)} of ${sizeText(stats.logQuotaBytes)}, ${stats.logRecordsBehind} records are not stored.`;
    findings.push(note('pipeline', says, 'See why the store is behind.'));
  }
  if (stats.storeDownSinceMs !== null) {
    const says = `The store takes nothing for ${since(stats.storeDownSinceMs)}; the log keeps what comes.`;
    const why = stats.storeProblem?.text ?? 'The log of the server says why: usually a full disk, or a database that is down.';
    findings.push(wrong('pipeline', says, why));
  } else if (stats.lagMs > lagLimitMs) {
    findings.push(
      note(
        'pipeline',
        `The store is ${durationText(stats.lagMs)} behind (${stats.logRecordsBehind} records).`,
        'It catches up by itself; see that this falls.',
      ),
    );
  }
  for (const store of stats.furtherStores) findings.push(...furtherStoreFindings(store, since));
  if (stats.deadLettered > 0) {
    const reasons = Object.entries(stats.deadLetteredByReason).map(([reason, samples]) => `${reason} ${samples}`);
    const says = `${stats.deadLettered} samples became dead letters since the server started (${reasons.join(', ')}).`;
    findings.push(note('pipeline', says, 'See them: nhip dlq list --summary'));
  }
  if (stats.lost > 0) {
    const reasons = Object.entries(stats.lostByReason).map(([reason, samples]) => `${reason} ${samples}`);
    findings.push(
      note(
        'pipeline',
        `${stats.lost} samples were reported lost since the server started (${reasons.join(', ')}).`,
        'See docs/dead-letters-and-losses.md',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('pipeline', `Everything that came is stored (${stats.stored} samples since the start).`)];
}

function furtherStoreFindings(
  { name, downSinceMs, problem, missedRecords, upkeepProblem }: FurtherStore,
  since: (ms: number) => string,
): readonly Finding[] {
  const findings: Finding[] = [];
  if (downSinceMs !== null) {
    const says = `The further store ${name} takes nothing for ${since(downSinceMs)}; the first store is not concerned.`;
    findings.push(wrong('pipeline', says, problem?.text ?? 'The log of the server says why.'));
  }
  if (upkeepProblem !== null) {
    findings.push(
      wrong('pipeline', `Closed days of the further store ${name} cannot be moved to files; they stay in its database.`, upkeepProblem),
    );
  }
  if (missedRecords > 0) {
    const says = `${missedRecords} records were gone from the log before the further store ${name} could take them.`;
    findings.push(note('pipeline', says, 'The first store has them. A larger log.maxBytes keeps more for the others.'));
  }
  return findings;
}

/** A live value that is later than this, or from the future, tells of a wrong clock. */
const skewLimitMs = 30_000;

/** What the server says of its edges. */
export function edgeFindings(edges: readonly EdgeHealth[], nowMs: number): readonly Finding[] {
  if (edges.length === 0)
    return [note('edges', 'No edge agent has connected yet.', 'nhip device add <group>/<edge>, then docs/add-a-device.md')];
  const findings = edges.flatMap((edge) => oneEdge(edge, nowMs));
  return findings.length > 0 ? findings : [ok('edges', `${edges.length} edges are online, nothing waits on their disks.`)];
}

function oneEdge({ id, online, lastSeen, lagMs, outboxRecords, lastLoss }: EdgeHealth, nowMs: number): readonly Finding[] {
  const findings: Finding[] = [];
  if (!online) {
    const seen = lastSeen === null ? 'never seen' : `last seen ${durationText(nowMs - lastSeen)} ago`;
    findings.push(wrong('edges', `${id} is offline, ${seen}.`, `On its gateway: nhip doctor --config edge.yaml`));
  } else if (lagMs !== null && Math.abs(lagMs) > skewLimitMs) {
    const says = `Live values of ${id} are ${durationText(Math.abs(lagMs))} ${lagMs > 0 ? 'old' : 'in the future'} when they arrive.`;
    findings.push(wrong('edges', says, 'Its clock is wrong, or its line is slow. On the gateway: nhip doctor --config edge.yaml'));
  }
  if (outboxRecords !== null && outboxRecords > 0 && online) {
    findings.push(note('edges', `${outboxRecords} samples wait on the disk of ${id}.`, 'They come by themselves; see that this falls.'));
  }
  if (lastLoss !== null) {
    const count = lastLoss.samples > 0 ? `${lastLoss.samples} samples` : 'an unknown number of samples';
    findings.push(
      note(
        'edges',
        `${id} last lost ${count} ${durationText(nowMs - lastLoss.atMs)} ago (${lastLoss.reason}).`,
        'See docs/dead-letters-and-losses.md',
      ),
    );
  }
  return findings;
}
