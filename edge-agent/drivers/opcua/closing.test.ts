import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listenLocally } from '../../testing/listen-locally.ts';
import { makeDriver, opcuaDeps } from '../../testing/opcua-follow.ts';
import { startOpcuaServer } from '../../testing/opcua-server.ts';

/** The id of the encoding of CreateSubscriptionResponse as a four-byte node id (OPC UA Part 6 §5.2.2.9). */
const subscriptionCreated = Buffer.from([1, 0, 0x16, 0x03]);

it('may be closed just when the answer to its subscription arrives', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-closing-'));
  const server = await startOpcuaServer({ namespaces: ['urn:p'], nodes: [], pkiFolder: join(folder, 'server') });
  // Both sockets become readable at once: the answer and the wish to close are handled in one turn of the event loop.
  const bell = createServer();
  const ringer = connect(await listenLocally(bell), '127.0.0.1');
  const [rung] = (await once(bell, 'connection')) as [Socket];
  const proxy = createServer((near) => {
    const far = connect(server.port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('close', () => far.destroy());
    near.pipe(far);
    far.on('close', () => near.destroy());
    far.on('data', (bytes) => {
      near.write(bytes);
      if (bytes.includes(subscriptionCreated)) ringer.write('now');
    });
  });
  const endpoint = `opc.tcp://127.0.0.1:${await listenLocally(proxy)}`;
  const tags = [{ metric: 'Level', node: 'nsu=urn:p;s=Level', dataType: 'Double' }];
  const config = { id: 'cell', driver: 'opcua', endpoint, securityMode: 'None', devices: [{ id: 'd', tags }] };
  const driver = await makeDriver(config, opcuaDeps(join(folder, 'agent')));
  const { signal } = new AbortController();
  await driver.connect(signal);
  const closed = once(rung, 'data').then(() => driver.close());
  const subscribed = driver.subscribe?.(
    () => {},
    () => {},
    signal,
  );
  await expect(subscribed).rejects.toThrow('the driver was closed');
  await closed;
  for (const socket of [ringer, rung]) socket.destroy();
  for (const each of [bell, proxy]) await new Promise((resolve) => each.close(resolve));
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);
