import { connect, type Socket } from 'node:net';
import mqttPacket from 'mqtt-packet';
import { finish, givenTask } from './run-apart.ts';

/**
 * A publisher made to be cheaper than any broker: every slot of the window has its PUBLISH ready in memory, with a message
 * id of its own that is used again once it was acknowledged; acknowledgements are read by hand.
 */
export interface LoadTask {
  readonly port: number;
  /** Anonymous when absent. */
  readonly login?: { readonly username: string; readonly password: string } | undefined;
  readonly topic: string;
  readonly connections: number;
  readonly window: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly forMs: number;
}

export interface LoadMeasured {
  readonly acknowledged: number;
  readonly seconds: number;
  /** Share of one core that this process took, 0–1: near 1 the publisher is what was measured. */
  readonly cpuShare: number;
}

/** The PUBLISH of every slot, one after the other: QoS 1, slot i has message id i + 1. */
function publishBuffer(topic: string, payloadBytes: number, window: number): { readonly all: Buffer; readonly size: number } {
  const packets = Array.from({ length: window }, (_, slot) =>
    mqttPacket.generate({
      cmd: 'publish',
      topic,
      qos: 1,
      dup: false,
      retain: false,
      messageId: slot + 1,
      payload: Buffer.alloc(payloadBytes, `${slot} of a telemetry payload `),
    }),
  );
  return { all: Buffer.concat(packets), size: packets[0]?.length ?? 0 };
}

let acknowledged = 0;

/** Keeps `window` messages in flight until the socket is closed. Both brokers acknowledge in order. */
function publishForEver(socket: Socket, { topic, payloadBytes, window }: LoadTask): void {
  const { all, size } = publishBuffer(topic, payloadBytes, window);
  let next = 0;
  let rest = 0;
  socket.write(all);
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest + chunk.length;
    rest = bytes % 4;
    const count = (bytes - rest) / 4;
    if (count === 0) return;
    acknowledged += count;
    for (let left = count; left > 0; ) {
      const run = Math.min(left, window - next);
      socket.write(all.subarray(next * size, (next + run) * size));
      next = (next + run) % window;
      left -= run;
    }
  });
}

function open(task: LoadTask, i: number): Promise<Socket> {
  const socket = connect({ port: task.port, host: '127.0.0.1', noDelay: true });
  const login = task.login === undefined ? {} : { username: task.login.username, password: Buffer.from(task.login.password) };
  socket.write(
    mqttPacket.generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: `load${i}`,
      keepalive: 60,
      ...login,
    }),
  );
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the broker closed the connection')));
    socket.once('data', (chunk: Buffer) => {
      if (chunk.length === 4 && chunk[0] === 0x20 && chunk[3] === 0) resolve(socket);
      else reject(new Error(`the broker refused the connection: ${chunk.toString('hex')}`));
    });
  });
}

const task = givenTask<LoadTask>();
const sockets = await Promise.all(Array.from({ length: task.connections }, (_, i) => open(task, i)));
for (const socket of sockets) {
  socket.once('close', () => process.exit(1));
  publishForEver(socket, task);
}
await new Promise((resolve) => setTimeout(resolve, task.warmUpMs));
const before = { acknowledged, at: performance.now(), cpu: process.cpuUsage() };
await new Promise((resolve) => setTimeout(resolve, task.forMs));
const seconds = (performance.now() - before.at) / 1000;
const { user, system } = process.cpuUsage(before.cpu);
finish({ acknowledged: acknowledged - before.acknowledged, seconds, cpuShare: (user + system) / 1e6 / seconds } satisfies LoadMeasured);
