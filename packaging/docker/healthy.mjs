// Health check for images without curl: exits 0 when every address answers. http: with a 2xx, tcp: when a connection is accepted.
//   node healthy.mjs http://127.0.0.1:8080/health/ready tcp://127.0.0.1:1883
import { get } from 'node:http';
import { connect } from 'node:net';

const timeoutMs = 4000;

/** Without fetch, which takes longer to load than to ask: this runs every ten seconds, on small gateways too. */
async function check(address) {
  const url = new URL(address);
  if (url.protocol !== 'tcp:') {
    const status = await new Promise((resolve, reject) => {
      get(url, { signal: AbortSignal.timeout(timeoutMs) }, (response) => resolve(response.resume().statusCode)).once('error', reject);
    });
    if (status < 200 || status > 299) throw new Error(`answers ${status}`);
    return;
  }
  await new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), timeout: timeoutMs });
    socket.once('connect', () => resolve(socket.end()));
    socket.once('timeout', () => reject(socket.destroy() && new Error('no answer')));
    socket.once('error', reject);
  });
}

const addresses = process.argv.slice(2);
if (addresses.length === 0) throw new Error('say at least one address: http://… or tcp://…');
for (const address of addresses) {
  try {
    await check(address);
  } catch (error) {
    console.error(`${address}: ${error.message}`);
    process.exitCode = 1;
  }
}
