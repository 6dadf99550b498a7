import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../harness/free-port.ts';
import { until } from '../harness/until.ts';

const command = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto'].find((path) => existsSync(path));

export interface Mosquitto {
  readonly pid: number;
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

/** mosquitto without persistence, on loopback, with its files in `dir`. Throws when it is not installed. */
export async function startMosquitto(dir: string): Promise<Mosquitto> {
  if (command === undefined) throw new Error('mosquitto is not installed: apt-get install mosquitto');
  const port = await freePort();
  const config = join(dir, 'mosquitto.conf');
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false', 'set_tcp_nodelay true', 'log_type error'];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawn(command, ['-c', config], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  process.once('exit', () => child.kill('SIGKILL'));
  await until('mosquitto accepts connections', () => accepts(port));
  const version = /version (\S+)/.exec(spawnSync(command, ['-h']).stdout.toString())?.[1] ?? '?';
  return {
    pid: child.pid ?? 0,
    port,
    version,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
