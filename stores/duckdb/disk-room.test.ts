import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { watchRoom } from './disk-room.ts';

it('says when the disk has too little room, and nothing of a folder that is not there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-room-'));
  const calls = { full: 0, empty: 0, gone: 0 };
  const stop = [
    watchRoom(folder, Number.MAX_SAFE_INTEGER, () => calls.full++, 1),
    watchRoom(folder, 0, () => calls.empty++, 1),
    // A rejection that nobody hears would end the program.
    watchRoom(join(folder, 'none'), Number.MAX_SAFE_INTEGER, () => calls.gone++, 1),
  ];
  await vi.waitFor(() => expect(calls.full).toBeGreaterThan(5));
  for (const each of stop) each();
  expect(calls).toMatchObject({ empty: 0, gone: 0 });
  rmSync(folder, { recursive: true });
});
