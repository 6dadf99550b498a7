import { createRequire } from 'node:module';
import type { Server } from 'node:net';
import type { ServerTCP as ServerTcpType } from 'modbus-serial';
import { freePort } from './free-port.ts';

const { ServerTCP } = createRequire(import.meta.url)('modbus-serial') as { ServerTCP: typeof ServerTcpType };

/**
 * A Modbus TCP server that answers for every unit, built on modbus-serial: a stack that the product's driver does not use.
 * Rejects when the port is taken. (modbus-serial takes port 0 for 502, so a free one is chosen here.)
 */
export async function startModbusServer(vector: object, wantedPort = 0): Promise<{ readonly port: number; close(): Promise<void> }> {
  const port = wantedPort || (await freePort());
  const server = new ServerTCP(vector as ConstructorParameters<typeof ServerTcpType>[0], { host: '127.0.0.1', port, unitID: 255 });
  server.on('socketError', () => undefined);
  const raw = (server as unknown as { _server: Server })._server;
  await new Promise<void>((resolve, reject) => {
    server.on('serverError', (error) => reject(error instanceof Error ? error : new Error(String(error))));
    if (raw.listening) resolve();
    else raw.once('listening', () => resolve());
  });
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
