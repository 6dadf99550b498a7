import { createServer, type Socket } from 'node:net';
import mqttPacket from 'mqtt-packet';

/** A broker that takes everything, forgets it, and counts the payloads of DDATA. One publisher, no subscribers. */
export interface MqttSink {
  readonly port: number;
  /** Bytes of DDATA payloads since the start. */
  dataBytes(): number;
  close(): Promise<void>;
}

export async function startMqttSink(): Promise<MqttSink> {
  let dataBytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const parser = mqttPacket.parser();
    const send = (packet: mqttPacket.Packet): void => void socket.write(mqttPacket.generate(packet));
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => void parser.parse(chunk));
    parser.on('error', () => socket.destroy());
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
      if (packet.cmd === 'subscribe')
        send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(({ qos }) => qos) });
      if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
      if (packet.cmd !== 'publish') return;
      if (packet.topic.split('/')[2] === 'DDATA') dataBytes += packet.payload.length;
      if (packet.qos === 1) send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    dataBytes: () => dataBytes,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
