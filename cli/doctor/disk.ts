import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, type Finding, note, ok, sizeText, wrong } from './finding.ts';

export interface DiskFacts {
  readonly folder: string;
  readonly freeBytes: number;
  readonly freeFiles: number;
  /** Time of one small fsync, ms; a text says why nothing could be written. */
  readonly fsyncMs: number | string;
}

/** A queue on this disk: how large it may become and how large it is. */
export interface DiskQuota {
  readonly what: string;
  readonly setting: string;
  readonly maxBytes: number;
  readonly usedBytes: number;
}

const slowFsyncMs = 50;
const fewFiles = 1000;
/** The history and everything else on the disk need some, too. */
const reserveBytes = 1_000_000_000;

export function diskFindings({ folder, freeBytes, freeFiles, fsyncMs }: DiskFacts, quotas: readonly DiskQuota[]): readonly Finding[] {
  if (typeof fsyncMs === 'string') {
    const todo =
      fsyncMs === 'EROFS'
        ? 'The disk is read-only: `mount -o remount,rw` after you know why, worn-out SD cards do this.'
        : 'Check the folder, its owner and the disk.';
    return [wrong('disk', `Nothing can be written to ${folder} (${fsyncMs}).`, todo)];
  }
  const findings: Finding[] = [];
  const growth = quotas.reduce((sum, { maxBytes, usedBytes }) => sum + Math.max(0, maxBytes - usedBytes), 0);
  const names = quotas.map(({ what }) => what).join(', ');
  if (freeBytes < 100_000_000) {
    findings.push(
      wrong('disk', `${folder} has only ${sizeText(freeBytes)} free.`, 'Make room now: when the disk is full nothing can be kept.'),
    );
  } else if (freeBytes < growth) {
    const settings = quotas.map(({ setting }) => setting).join(', ');
    const says = `${folder} has ${sizeText(freeBytes)} free, but ${names} may still grow by ${sizeText(growth)}.`;
    findings.push(wrong('disk', says, `Make room or lower ${settings}: a quota that the disk cannot hold keeps no outage.`));
  } else if (freeBytes < growth + reserveBytes) {
    const says = `${folder} has ${sizeText(freeBytes)} free; when ${names} are full little remains.`;
    findings.push(note('disk', says, 'Plan for a larger disk.'));
  } else findings.push(ok('disk', `${folder} has ${sizeText(freeBytes)} free, enough for ${names} at their quotas.`));
  if (freeFiles < fewFiles) {
    findings.push(
      wrong('disk', `Only ${freeFiles} more files fit on the disk of ${folder} (inodes).`, 'Delete small files that nobody needs.'),
    );
  }
  if (fsyncMs > slowFsyncMs) {
    const says = `One fsync takes ${fsyncMs.toFixed(0)} ms: every acknowledgement waits for one.`;
    findings.push(note('disk', says, 'Normal for an SD card or a disk under load; an SSD takes 1 ms.'));
  } else findings.push(ok('disk', `One fsync takes ${fsyncMs.toFixed(1)} ms.`));
  return findings;
}

const probes = 5;

/** Looks at the disk and writes a small file into the folder, which it removes again. */
export async function diskFacts(folder: string): Promise<DiskFacts> {
  const { bavail, bsize, ffree, files } = await statfs(folder);
  // Some file systems (btrfs) have no limit and say 0 of 0.
  const freeFiles = files === 0 ? Number.POSITIVE_INFINITY : ffree;
  return { folder, freeBytes: bavail * bsize, freeFiles, fsyncMs: await measureFsync(join(folder, `.doctor-${process.pid}`)) };
}

async function measureFsync(file: string): Promise<number | string> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      const times: number[] = [];
      for (let i = 0; i < probes; i++) {
        await handle.write(Buffer.alloc(4096, i), 0, 4096, i * 4096);
        const began = performance.now();
        await handle.datasync();
        times.push(performance.now() - began);
      }
      return times.sort((a, b) => a - b)[Math.floor(probes / 2)] ?? 0;
    } finally {
      await handle.close();
      await rm(file, { force: true });
    }
  } catch (error) {
    return codeOf(error);
  }
}
