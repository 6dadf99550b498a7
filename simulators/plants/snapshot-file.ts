import type { Disk } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import type { PlantSnapshot } from './plant.ts';

/** The plant snapshot on disk: one JSON file that is replaced as a whole, so that a crash leaves the old one or the new one. */

const folder = '.';
const fileName = 'plant.json';

/** The last snapshot; undefined when there is none or it cannot be read (which is logged). */
export async function readSnapshot(disk: Disk, log: Log): Promise<PlantSnapshot | undefined> {
  try {
    const bytes = await readSmallFile(disk, folder, fileName);
    return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as PlantSnapshot);
  } catch (err) {
    log.warn({ err, file: fileName }, 'The plant snapshot cannot be read; the plant starts anew');
    return undefined;
  }
}

export function writeSnapshot(disk: Disk, snapshot: PlantSnapshot): Promise<void> {
  return replaceSmallFile(disk, folder, fileName, new TextEncoder().encode(JSON.stringify(snapshot)));
}
