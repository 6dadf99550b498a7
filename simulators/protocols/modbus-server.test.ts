import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { silentLog } from '@nhip/core/process/log';
import modbusSerial from 'modbus-serial';
import { afterEach, describe, expect, it } from 'vitest';
import { machineKinds } from '../machines/index.ts';
import { labellingPoints } from '../machines/labelling/points.ts';
import { powerMeterPoints } from '../machines/power-meter/points.ts';
import { addressText, isRegister, type RegisterPoint } from '../points.ts';
import { answer } from './modbus-frame.ts';
import { createModbusServer, type ModbusServer } from './modbus-server.ts';
import { createRegisterImage } from './register-image.ts';

const values = {
  State: 'running',
  'State/Reason': '',
  'Count/Good': 0x0001_0002,
  'Count/Reject': 3,
  'Temp/Glue': -12.3,
  'Speed/Actual': 600.5,
  'Alarm/LabelTorn': true,
  'Power/Active': 12.34,
  Frequency: 50.02,
  'Energy/Import': 1234.5,
};

const { default: ModbusClient } = modbusSerial;
const open: { server?: ModbusServer; client?: InstanceType<typeof ModbusClient> } = {};

async function serve() {
  const units = [
    { unit: 2, points: labellingPoints, values: () => values },
    { unit: 10, points: powerMeterPoints, values: () => values },
  ];
  const server = createModbusServer({ host: '127.0.0.1', port: 0, units }, { log: silentLog() });
  const port = await server.start();
  const client = new ModbusClient();
  client.setTimeout(500);
  await client.connectTCP('127.0.0.1', { port });
  Object.assign(open, { server, client });
  return { server, client, port };
}

afterEach(async () => {
  open.client?.destroy(() => {});
  await open.server?.stop();
});

describe('the Modbus server, read by modbus-serial', () => {
  it('serves words, counters with swapped words, scaled and negative numbers, floats and coils', async () => {
    const { client } = await serve();
    client.setID(2);
    expect((await client.readHoldingRegisters(100, 3)).data).toEqual([6, 0, 0]);
    expect((await client.readHoldingRegisters(110, 4)).data).toEqual([2, 1, 3, 0]);
    expect((await client.readHoldingRegisters(121, 1)).buffer.readInt16BE(0)).toBe(-123);
    const speed = (await client.readHoldingRegisters(122, 2)).buffer;
    expect(Buffer.concat([speed.subarray(2), speed.subarray(0, 2)]).readFloatBE(0)).toBe(600.5);
    expect((await client.readCoils(0, 3)).data.slice(0, 3)).toEqual([true, false, false]);
  });

  it('serves a meter as an SDM630: float32, high word first, power in W', async () => {
    const { client } = await serve();
    client.setID(10);
    expect((await client.readInputRegisters(0x34, 2)).buffer.readFloatBE(0)).toBeCloseTo(12_340, 2);
    expect((await client.readInputRegisters(0x46, 4)).buffer.readFloatBE(0)).toBeCloseTo(50.02, 4);
    expect((await client.readInputRegisters(0x46, 4)).buffer.readFloatBE(4)).toBeCloseTo(1234.5, 3);
  });

  it('answers a hole with exception 2, too many with 3, an unknown function with 1', async () => {
    const { client } = await serve();
    client.setID(2);
    await expect(client.readHoldingRegisters(99, 2)).rejects.toMatchObject({ modbusCode: 2 });
    await expect(client.readHoldingRegisters(103, 10)).rejects.toMatchObject({ modbusCode: 2 });
    await expect(client.readHoldingRegisters(100, 126)).rejects.toMatchObject({ modbusCode: 3 });
    await expect(client.maskWriteRegister(100, 1, 2)).rejects.toMatchObject({ modbusCode: 1 });
  });

  it('stays silent for a unit that does not exist and goes on with the others', async () => {
    const { client } = await serve();
    client.setID(77);
    await expect(client.readHoldingRegisters(100, 1)).rejects.toMatchObject({ errno: 'ETIMEDOUT' });
    client.setID(2);
    expect((await client.readHoldingRegisters(100, 1)).data).toEqual([6]);
  });

  it('reads the values at the moment of the request', async () => {
    const { client } = await serve();
    client.setID(2);
    values['Count/Reject'] = 44;
    expect((await client.readHoldingRegisters(112, 2)).data).toEqual([44, 0]);
    values['Count/Reject'] = 3;
  });

  it('holds what a test forces and what a client writes until it is released', async () => {
    const { client, server } = await serve();
    client.setID(2);
    server.setRegister(2, 'holding', 100, 9);
    await client.writeRegisters(110, [7, 8]);
    await client.writeCoil(1, true);
    expect((await client.readHoldingRegisters(100, 1)).data).toEqual([9]);
    expect((await client.readHoldingRegisters(110, 2)).data).toEqual([7, 8]);
    expect((await client.readCoils(1, 1)).data[0]).toBe(true);
    server.release();
    expect((await client.readHoldingRegisters(100, 1)).data).toEqual([6]);
    expect(() => server.setRegister(2, 'holding', 99, 1)).toThrow(/unit 2 has no holding register 99/);
    expect(() => server.setRegister(5, 'holding', 100, 1)).toThrow(RangeError);
    await expect(client.writeRegisters(126, [1, 2, 3])).rejects.toMatchObject({ modbusCode: 2 });
    expect((await client.readHoldingRegisters(126, 2)).data).toEqual([12_345, 0]);
  });

  it('drops a connection that does not speak Modbus and keeps the others', async () => {
    const { client, port } = await serve();
    const closed = new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\n\r\n'));
      socket.on('close', () => resolve());
      socket.resume();
    });
    await closed;
    client.setID(2);
    expect((await client.readHoldingRegisters(100, 1)).data).toEqual([6]);
  });

  it('answers requests that come in pieces or many in one packet', async () => {
    const { port } = await serve();
    const request = Buffer.from([0, 1, 0, 0, 0, 6, 2, 3, 0, 100, 0, 1]);
    const got = await new Promise<Buffer>((resolve) => {
      let data = Buffer.alloc(0);
      const socket = connect(port, '127.0.0.1', () => {
        socket.setNoDelay(true);
        socket.write(Buffer.concat([request, request, request.subarray(0, 5)]), () => socket.write(request.subarray(5)));
      });
      socket.on('data', (chunk) => {
        data = Buffer.concat([data, chunk]);
        if (data.length < 33) return;
        socket.destroy();
        resolve(data);
      });
    });
    expect(got.toString('hex')).toBe('0001000000050203020006'.repeat(3));
  });
});

describe('the Modbus server, read by mbpoll', () => {
  const hasMbpoll = spawnSync('mbpoll', ['-V']).error === undefined;

  it.skipIf(!hasMbpoll)('answers a foreign client (skipped when mbpoll is not installed: apt install mbpoll)', async () => {
    const { port } = await serve();
    const poll = async (...options: string[]): Promise<string> => {
      const child = spawn('mbpoll', ['-m', 'tcp', '-p', String(port), '-1', '-q', '-0', ...options, '127.0.0.1']);
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += String(chunk);
      });
      await new Promise((resolve) => child.on('close', resolve));
      return text;
    };
    expect(await poll('-a', '10', '-t', '3:float', '-B', '-r', '52', '-c', '1')).toMatch(/\[52\]:\s+12340/);
    expect(await poll('-a', '2', '-t', '4:hex', '-r', '110', '-c', '2')).toMatch(/\[110\]:\s+0x0002[\s\S]*\[111\]:\s+0x0001/);
    expect(await poll('-a', '2', '-t', '0', '-r', '0', '-c', '2')).toMatch(/\[0\]:\s+1[\s\S]*\[1\]:\s+0/);
  });
});

describe('register maps', () => {
  it.each(
    machineKinds.filter((kind) => kind.protocol === 'modbus').map((kind) => [kind.id, kind] as const),
  )('of %s have no overlaps and every byte order says what it needs', (_, kind) => {
    const points = kind.points.filter(isRegister);
    expect(() => createRegisterImage(points, () => ({}))).not.toThrow();
    expect(new Set(points.map(addressText)).size).toBe(points.length);
  });

  it('refuse two values in one register', () => {
    const point = (address: number, metric: string): RegisterPoint => ({
      protocol: 'modbus',
      metric,
      table: 'holding',
      address,
      type: 'uint32',
    });
    expect(() => createRegisterImage([point(0, 'a'), point(1, 'b')], () => ({}))).toThrow(/holding:1 belongs to a and to b/);
  });

  it('answer any bytes without throwing', () => {
    const image = createRegisterImage(labellingPoints, () => values);
    for (let code = 0; code < 256; code++) {
      for (const length of [0, 1, 4, 5, 6, 9]) {
        const reply = answer(image, Buffer.concat([Buffer.from([code]), Buffer.alloc(length, 0xff)]));
        expect(reply.length).toBeGreaterThan(1);
      }
    }
  });
});
