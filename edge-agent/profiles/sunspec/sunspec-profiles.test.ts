import { afterEach, describe, expect, it } from 'vitest';
import { createImage, type ModbusDevice, startModbusDevice } from '../testing/modbus-device.ts';
import { readModbusDevice } from '../testing/read-device.ts';
import { modelRegisters, sunspecImage } from '../testing/sunspec-device.ts';

let device: ModbusDevice | undefined;
afterEach(async () => {
  await device?.stop();
  device = undefined;
});

// Offsets are those of the published tables of each model, counted from the register with its id.
describe('SunSpec profiles', () => {
  it('103: integers with scale factors; what is produced is negative power', async () => {
    const registers = modelRegisters(50, 0x8000, {
      ...{ 2: 183, 3: 61, 4: 61, 5: 61, 6: -1 },
      ...{ 7: 0xffff, 8: 0xffff, 9: 0xffff, 10: 2301, 11: 2302, 12: 2303, 13: -1 },
      ...{ 14: 421, 15: 1, 16: 5002, 17: -2, 18: 4300, 19: 0 },
      ...{ 24: 1, 25: 0, 26: 0 },
      ...{ 27: 0xffff, 28: -2, 29: 6005, 30: -1, 31: 4400, 32: 0 },
      ...{ 33: 415, 34: 0x8000, 35: 0x8000, 36: 0x8000, 37: -1, 38: 4 },
    });
    const { image, bases } = sunspecImage(40_000, [{ id: 103, registers }]);
    device = await startModbusDevice('holding', image);
    expect(await readModbusDevice(device.port, { profile: 'sunspec-103@1', base: bases[0] })).toEqual({
      'Current/Sum': [18.3, 'A'],
      'Current/L1': [6.1, 'A'],
      'Current/L2': [6.1, 'A'],
      'Current/L3': [6.1, 'A'],
      'Voltage/L1-L2': 'bad',
      'Voltage/L2-L3': 'bad',
      'Voltage/L3-L1': 'bad',
      'Voltage/L1-N': [230.1, 'V'],
      'Voltage/L2-N': [230.2, 'V'],
      'Voltage/L3-N': [230.3, 'V'],
      'Power/Active': [-4.21, 'kW'],
      Frequency: [50.02, 'Hz'],
      'Power/Apparent': [4.3, 'kVA'],
      'Energy/Export': [65.536, 'kWh'],
      'DC/Current': 'bad',
      'DC/Voltage': [600.5, 'V'],
      'DC/Power': [4.4, 'kW'],
      'Temperature/Cabinet': [41.5, '°C'],
      'Temperature/HeatSink': 'bad',
      'Temperature/Transformer': 'bad',
      'Temperature/Other': 'bad',
      State: ['running', undefined],
    });
  });

  it('203: a meter, import and export apart', async () => {
    const registers = modelRegisters(105, 0, {
      ...{ 2: 300, 3: 100, 4: 100, 5: 100, 6: -1, 7: 2300, 8: 2299, 9: 2300, 10: 2301, 11: 3990, 12: 3989, 13: 3990, 14: 3991, 15: -1 },
      ...{ 16: 4998, 17: -2, 18: -650, 19: -200, 20: -225, 21: -225, 22: 1, 23: 700, 27: 1, 28: 90, 32: 1 },
      // TotWhExp 38, by phase 40, 42, 44; TotWhImp 46, by phase 48, 50, 52; factor 54.
      ...{ 38: 0, 39: 500, 41: 100, 43: 150, 45: 250, 46: 1, 47: 0, 49: 20, 51: 30, 53: 40, 54: 1 },
    });
    const { image, bases } = sunspecImage(50_000, [{ id: 203, registers }]);
    device = await startModbusDevice('holding', image);
    expect(await readModbusDevice(device.port, { profile: 'sunspec-203', base: bases[0] })).toEqual({
      'Current/Sum': [30, 'A'],
      'Current/L1': [10, 'A'],
      'Current/L2': [10, 'A'],
      'Current/L3': [10, 'A'],
      'Voltage/L-N': [230, 'V'],
      'Voltage/L1-N': [229.9, 'V'],
      'Voltage/L2-N': [230, 'V'],
      'Voltage/L3-N': [230.1, 'V'],
      'Voltage/L-L': [399, 'V'],
      'Voltage/L1-L2': [398.9, 'V'],
      'Voltage/L2-L3': [399, 'V'],
      'Voltage/L3-L1': [399.1, 'V'],
      Frequency: [49.98, 'Hz'],
      'Power/Active': [-6.5, 'kW'],
      'Power/Active/L1': [-2, 'kW'],
      'Power/Active/L2': [-2.25, 'kW'],
      'Power/Active/L3': [-2.25, 'kW'],
      'Power/Apparent': [7, 'kVA'],
      'Power/Reactive': [0.9, 'kvar'],
      'Energy/Export': [5, 'kWh'],
      'Energy/Export/L1': [1, 'kWh'],
      'Energy/Export/L2': [1.5, 'kWh'],
      'Energy/Export/L3': [2.5, 'kWh'],
      'Energy/Import': [655.36, 'kWh'],
      'Energy/Import/L1': [0.2, 'kWh'],
      'Energy/Import/L2': [0.3, 'kWh'],
      'Energy/Import/L3': [0.4, 'kWh'],
    });
  });

  it('113 and 213: floats', async () => {
    // Model 113: W 22, Hz 24, WH 32, DCW 38, St 48. Model 213: W 28, TotWhExp 60, TotWhImp 68.
    const image = createImage()
      .float32(100 + 22, 5000)
      .float32(100 + 24, 50.5)
      .float32(100 + 32, 1_500_000)
      .float32(100 + 38, 5200);
    image.uint16(100 + 48, 7);
    image
      .float32(1000 + 28, 12_500)
      .float32(1000 + 60, 2000)
      .float32(1000 + 68, 4000);
    device = await startModbusDevice('holding', image);
    const only = ['Power/Active', 'Frequency', 'Energy/Export', 'DC/Power', 'State'];
    expect(await readModbusDevice(device.port, { profile: 'sunspec-113', base: 100, only })).toEqual({
      'Power/Active': [-5, 'kW'],
      Frequency: [50.5, 'Hz'],
      'Energy/Export': [1500, 'kWh'],
      'DC/Power': [5.2, 'kW'],
      State: ['fault', undefined],
    });
    const meter = ['Power/Active', 'Energy/Export', 'Energy/Import'];
    expect(await readModbusDevice(device.port, { profile: 'sunspec-213', base: 1000, only: meter })).toEqual({
      'Power/Active': [12.5, 'kW'],
      'Energy/Export': [2, 'kWh'],
      'Energy/Import': [4, 'kWh'],
    });
  });
});
