import { afterEach, describe, expect, it } from 'vitest';
import { createImage, type ModbusDevice, startModbusDevice } from './testing/modbus-device.ts';
import { readModbusDevice } from './testing/read-device.ts';

let device: ModbusDevice | undefined;
afterEach(async () => {
  await device?.stop();
  device = undefined;
});

describe('profiles of drives and PLCs', () => {
  it.each([
    [0b1010_0111, 'idle', false, true],
    [0b1000_0000_0111, 'running', false, false],
    [0b1000_0000_1111, 'fault', true, false],
  ])('Danfoss FC 51 with the status word %i is %s', async (word, state, isAlarm, isWarning) => {
    // Parameter a-b is at (100a + b) × 10 − 1: 16-13 is 16129.
    const image = createImage().uint16(50_199, word).uint16(16_129, 485).uint16(16_139, 325).uint16(16_179, 40).uint16(16_339, 36);
    image.uint32(15_019, 70_000).uint32(14_999, 12_000).uint32(15_009, 9000);
    // Registers between two parameters are none.
    const parameters = new Map([50_199, 16_129, 16_139, 16_179, 16_339].map((at) => [at, 1]));
    for (const at of [15_019, 14_999, 15_009]) parameters.set(at, 2);
    device = await startModbusDevice('holding', image, (start, count) => parameters.get(start) !== count);
    expect(await readModbusDevice(device.port, { profile: 'danfoss-fc51' })).toEqual({
      'Drive/StatusWord': [word, undefined],
      'Motor/Frequency': [48.5, 'Hz'],
      'Motor/Current': [3.25, 'A'],
      'Motor/ThermalLoad': [40, '%'],
      'Temperature/HeatSink': [36, '°C'],
      'Motor/Energy': [70_000, 'kWh'],
      'Hours/PoweredOn': [12_000, 'h'],
      'Hours/Running': [9000, 'h'],
      State: [state, undefined],
      'Alarm/Drive': [isAlarm, undefined],
      'Alarm/DriveWarning': [isWarning, undefined],
    });
    // No request reads over a gap, from the first one on.
    expect(device.requests.filter(([, count]) => count > 2)).toEqual([]);
  });

  const plcValues = {
    State: ['running', undefined],
    Mode: ['automatic', undefined],
    'State/Reason': ['17', undefined],
    'Alarm/EmergencyStop': [false, undefined],
    'Alarm/GuardOpen': [true, undefined],
    'Alarm/Drive': [false, undefined],
    'Alarm/Jam': [false, undefined],
    'Alarm/NoMaterial': [false, undefined],
    'Alarm/AirPressure': [true, undefined],
    'Count/Good': [70_001, undefined],
    'Count/Reject': [12, undefined],
    'Count/Total': [70_013, undefined],
    'Speed/Actual': [42.5, undefined],
    'Speed/Set': [45, undefined],
    'Job/Product': ['Bottle 0.5 l', undefined],
  };

  it('the template of a line’s PLC, high word first', async () => {
    const image = createImage()
      .uint16(0, 2)
      .uint16(1, 1)
      .uint16(2, 17)
      .uint16(3, 0b10_0010)
      .uint32(4, 70_001)
      .uint32(6, 12)
      .uint32(8, 70_013);
    image.float32(10, 42.5).float32(12, 45).text(16, 'Bottle 0.5 l', 8);
    device = await startModbusDevice('holding', image);
    expect(await readModbusDevice(device.port, { profile: 'line-plc' })).toEqual(plcValues);
  });

  it('the same in another data block, low word first as Mitsubishi does', async () => {
    const image = createImage().uint16(500, 2).uint16(501, 1).uint16(502, 17).uint16(503, 0b10_0010);
    const lowFirst = (address: number, fill: (bytes: Buffer) => void): void => {
      const bytes = Buffer.alloc(4);
      fill(bytes);
      image.uint16(address, bytes.readUInt16BE(2)).uint16(address + 1, bytes.readUInt16BE(0));
    };
    lowFirst(504, (bytes) => bytes.writeUInt32BE(70_001));
    lowFirst(506, (bytes) => bytes.writeUInt32BE(12));
    lowFirst(508, (bytes) => bytes.writeUInt32BE(70_013));
    lowFirst(510, (bytes) => bytes.writeFloatBE(42.5));
    lowFirst(512, (bytes) => bytes.writeFloatBE(45));
    image.text(516, 'Bottle 0.5 l', 8);
    device = await startModbusDevice('holding', image);
    expect(await readModbusDevice(device.port, { profile: 'line-plc@1', base: 500, byteOrder: 'CDAB' })).toEqual(plcValues);
  });
});
