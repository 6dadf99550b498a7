import type { Disk } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { PlantSnapshot } from './plant.ts';

/** The plant snapshot on disk: one JSON file that is replaced as a whole, so that a crash leaves the old one or the new one. */

const fileName = 'plant.json';
const temporaryName = 'plant.json.new';

/** The last snapshot; undefined when there is none or it cannot be read (which is logged). */
export async function readSnapshot(disk: Disk, log: Log): Promise<PlantSnapshot | undefined> {
  try {
    const file = await disk.open(fileName, 'read');
    try {
      const bytes = new Uint8Array(await file.size());
      await file.read(bytes, 0);
      return JSON.parse(new TextDecoder().decode(bytes)) as PlantSnapshot;
    } finally {
      await file.close();
    }
  } catch (err) {
    const isAbsent = err instanceof Error && 'code' in err && err.code === 'ENOENT';
    if (!isAbsent) log.warn({ err, file: fileName }, 'The plant snapshot cannot be read; the plant starts anew');
    return undefined;
  }
}

export async function writeSnapshot(disk: Disk, snapshot: PlantSnapshot): Promise<void> {
  const file = await disk.open(temporaryName, 'create');
  try {
    await file.write(new TextEncoder().encode(JSON.stringify(snapshot)), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporaryName, fileName);
  await disk.syncDir('.');
}
