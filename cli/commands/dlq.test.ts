import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parseInput } from '../arguments.ts';
import { dlq } from './dlq.ts';

let folder: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-dlq-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** A server that gives these answers one after the other; the list grows by what it is asked. */
async function serverOf(answers: readonly object[]): Promise<{ readonly url: string; readonly asked: unknown[] }> {
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    asked.push(await json(request));
    const answer = answers[asked.length - 1];
    response.writeHead(answer === undefined ? 500 : 200).end(JSON.stringify(answer ?? { detail: 'one question too many' }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function replay(url: string): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await dlq.run(parseInput(dlq, ['replay', '--reason', 'storeRefused', '--url', url, '--data', folder], {}));
  return text;
}

it('replays page by page up to where the letters ended at the first one', async () => {
  const { url, asked } = await serverOf([
    { replayed: 2000, samples: 2000, stored: 5, next: 2000, until: 2500 },
    { replayed: 500, samples: 500, stored: 0, next: null },
  ]);
  const text = await replay(url);
  expect(asked).toEqual([
    { reason: 'storeRefused', force: false, from: 0 },
    { reason: 'storeRefused', force: false, from: 2000, until: 2500 },
  ]);
  expect(text).toMatch(/^2500 letter\(s\) with 2500 sample\(s\) are put back; 5 sample\(s\) are stored now\. The rest can still not/);
});
