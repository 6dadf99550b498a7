import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { checkout, startProcess } from './nhip.ts';

const executable = '/usr/sbin/nginx';

/** Whether Debian's nginx is here (`apt-get install nginx-light`); a test without it is skipped by name. */
export const hasNginx = existsSync(executable);

export interface Nginx {
  /** Of 127.0.0.1. */
  readonly port: number;
  stop(): Promise<void>;
}

/** nginx with packaging/nginx/nhip.conf in front of a server on `httpPort`; only names, ports and files differ. Keeps its files in `dir`. */
export async function startNginx(
  dir: string,
  httpPort: number,
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
): Promise<Nginx> {
  mkdirSync(dir, { recursive: true });
  const [plain, port] = [await freePort(), await freePort()];
  const site = readFileSync(join(checkout, 'packaging/nginx/nhip.conf'), 'utf8')
    .replace('listen 80;', `listen 127.0.0.1:${plain};`)
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
    .replace('/etc/letsencrypt/live/nhip.example.vn/fullchain.pem', certFile)
    .replace('/etc/letsencrypt/live/nhip.example.vn/privkey.pem', keyFile)
    .replace('http://127.0.0.1:8080', `http://127.0.0.1:${httpPort}`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(dir, name)};`).join('\n');
  const main = `daemon off;\nmaster_process off;\npid ${join(dir, 'pid')};\nerror_log ${join(dir, 'error.log')};\nevents {}\nhttp {\naccess_log off;\n${paths}\n${site}\n}\n`;
  const config = join(dir, 'nginx.conf');
  writeFileSync(config, main);
  const running = startProcess([executable, '-e', join(dir, 'error.log'), '-p', dir, '-c', config]);
  return {
    port,
    async stop() {
      running.signal('SIGTERM');
      await running.ended;
    },
  };
}
