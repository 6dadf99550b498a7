import { connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { makeAuthority } from './authority.ts';

/** TLS in front of a plain TCP server, with a certificate for 127.0.0.1 of an authority made for it. Needs openssl. */
export interface TlsProxy {
  readonly url: string;
  /** PEM file of the authority. */
  readonly caFile: string;
  close(): Promise<void>;
}

export async function startTlsProxy(dir: string, targetPort: number): Promise<TlsProxy> {
  const authority = makeAuthority(dir);
  const { cert, key } = authority.issue('store', 'server');
  const sockets = new Set<TLSSocket>();
  const server = createServer({ key, cert }, (near) => {
    const far = connect(targetPort, '127.0.0.1');
    sockets.add(near);
    near.once('close', () => {
      sockets.delete(near);
      far.destroy();
    });
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    caFile: authority.caFile,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
