import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startModbusSerialPeer } from '@nhip/edge-agent/testing/modbus-serial-peer';
import { describe, expect, it } from 'vitest';

const edgeMain = new URL('../edge-main.ts', import.meta.url);
/** Debian's nobody: any user but root. */
const owner = 65_534;

function runAsRoot(args: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
  const program = `const { main } = await import(${JSON.stringify(edgeMain.href)}); await main(process.argv.slice(1));`;
  const node = ['--import', 'tsx', '--input-type=module', '--eval', program, '--', ...args];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said.push(String(text)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, said: said.join('') })));
}

describe.skipIf(process.getuid?.() !== 0)('a tool that root runs', () => {
  it('leaves nothing in the data folder of the agent that is not the agent’s', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nhip-owner-'));
    const peer = await startModbusSerialPeer(1, new Map([[0, 5]]));
    try {
      // The user must get to its folder.
      chmodSync(folder, 0o755);
      const data = join(folder, 'data');
      mkdirSync(data, { mode: 0o700 });
      chownSync(data, owner, owner);
      const file = join(folder, 'edge.yaml');
      const tag = '{ metric: S, address: "holding:0:uint16", writable: true, max: 100 }';
      writeFileSync(
        file,
        `group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:1" }\nconnections:\n  - { id: plc, driver: modbus, endpoint: "tcp://127.0.0.1:${peer.port}", devices: [{ id: D, unit: 1, tags: [${tag}] }] }\n`,
        // Root's: the configuration is read before.
        { mode: 0o600 },
      );
      const write = (value: string) => runAsRoot(['write', 'D', 'S', value, '--config', file, '--data', data, '--confirm']);
      expect(await write('7')).toEqual({ code: 0, said: 'Wrote D S = 7; the device says 7 now.\n' });
      expect(await write('101')).toMatchObject({ code: 78, said: expect.stringContaining('101 is above 100') });
      const made = readdirSync(data, { recursive: true }).map(String);
      expect(made).toEqual(expect.arrayContaining(['edge/e/audit.ndjson', 'edge/e/audit-refused.ndjson']));
      for (const name of made) expect([name, statSync(join(data, name)).uid]).toEqual([name, owner]);
      expect(readFileSync(join(data, 'edge/e/audit.ndjson'), 'utf8')).toContain('"written"');
    } finally {
      await peer.stop();
      rmSync(folder, { recursive: true });
    }
  }, 120_000);

  it('does not follow a link of the agent into a folder of root', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nhip-owner-'));
    try {
      chmodSync(folder, 0o755);
      const [data, roots] = [join(folder, 'data'), join(folder, 'roots')];
      for (const each of [join(data, 'edge'), roots]) mkdirSync(each, { recursive: true, mode: 0o755 });
      symlinkSync(roots, join(data, 'edge', 'e'));
      for (const each of [data, join(data, 'edge')]) chownSync(each, owner, owner);
      lchownSync(join(data, 'edge', 'e'), owner, owner);
      const file = join(folder, 'edge.yaml');
      writeFileSync(file, 'group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:1" }\nconnections: []\n');
      const { code, said } = await runAsRoot(['write', 'D', 'S', '1', '--config', file, '--data', data, '--confirm']);
      expect([code, said]).toEqual([78, expect.stringContaining('EACCES')]);
      expect(readdirSync(roots)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 120_000);
});
