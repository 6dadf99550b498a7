import { afterEach, describe, expect, it } from 'vitest';
import { createImage, type ModbusDevice, type RegisterImage, startModbusDevice } from './testing/modbus-device.ts';
import { readModbusDevice } from './testing/read-device.ts';

let device: ModbusDevice | undefined;
afterEach(async () => {
  await device?.stop();
  device = undefined;
});

const isOdd = (number: number): boolean => number % 2 === 1;

describe('profiles of meters read what the documents say', () => {
  it('Eastron SDM120: floats in input registers by the hex addresses of the protocol document', async () => {
    const image = createImage()
      .float32(0x0000, 230.2)
      .float32(0x0006, 4.5)
      .float32(0x000c, 1012.5)
      .float32(0x0012, 1035)
      .float32(0x0018, -214)
      .float32(0x001e, 0.978)
      .float32(0x0046, 50.02)
      .float32(0x0048, 1234.5)
      .float32(0x004a, 6.25)
      .float32(0x004c, 77.5)
      .float32(0x004e, 8.5);
    // "Starting address and number of points must be even", and at most 30 parameters.
    device = await startModbusDevice('input', image, (start, count) => isOdd(start) || isOdd(count) || count > 60);
    expect(await readModbusDevice(device.port, { profile: 'eastron-sdm120' })).toEqual({
      'Power/Active': [1.0125, 'kW'],
      'Energy/Import': [1234.5, 'kWh'],
      'Energy/Export': [6.25, 'kWh'],
      'Voltage/L1-N': [230.2, 'V'],
      'Current/L1': [4.5, 'A'],
      'Power/Apparent': [1.035, 'kVA'],
      'Power/Reactive': [-0.214, 'kvar'],
      PowerFactor: [0.978, undefined],
      Frequency: [50.02, 'Hz'],
      'EnergyReactive/Import': [77.5, 'kvarh'],
      'EnergyReactive/Export': [8.5, 'kvarh'],
    });
    expect(device.requests.filter(([start, count]) => isOdd(start) || count > 60)).toEqual([]);
  });

  it('Eastron SDM230: the register numbers of AGG and mbmd', async () => {
    const image = createImage().float32(12, -500).float32(72, 10).float32(74, 20).float32(342, 30).float32(0, 231).float32(6, 2.25);
    image.float32(18, 510).float32(24, 100).float32(30, -0.98).float32(70, 49.98).float32(76, 1.5).float32(78, 2.5);
    device = await startModbusDevice('input', image);
    expect(
      await readModbusDevice(device.port, { profile: 'eastron-sdm230@1', only: ['Power/Active', 'Energy/Import', 'Energy/Export'] }),
    ).toEqual({
      'Power/Active': [-0.5, 'kW'],
      'Energy/Import': [10, 'kWh'],
      'Energy/Export': [20, 'kWh'],
    });
  });

  it('Eastron SDM630: 3X register numbers of the manual', async () => {
    const image = createImage();
    const at = (register: number, value: number): void => void image.float32(register - 30_001, value);
    const row = (registers: readonly number[], first: number, step = 1): void => {
      for (const [i, register] of registers.entries()) at(register, first + i * step);
    };
    row([30_001, 30_003, 30_005], 230);
    row([30_007, 30_009, 30_011], 10);
    row([30_013, 30_015, 30_017], 2000, 100);
    at(30_043, 231);
    at(30_047, 11);
    at(30_049, 33);
    at(30_053, 6300);
    at(30_057, 7000);
    at(30_061, 900);
    at(30_063, 0.9);
    at(30_071, 50);
    at(30_073, 5000.5);
    at(30_075, 12);
    at(30_077, 700);
    at(30_079, 7);
    row([30_201, 30_203, 30_205], 400);
    at(30_225, 0.5);
    row([30_347, 30_349, 30_351], 1000);
    row([30_353, 30_355, 30_357], 1);
    device = await startModbusDevice('input', image, (start, count) => isOdd(start) || count > 80);
    expect(await readModbusDevice(device.port, { profile: 'eastron-sdm630' })).toEqual({
      'Power/Active': [6.3, 'kW'],
      'Energy/Import': [5000.5, 'kWh'],
      'Energy/Export': [12, 'kWh'],
      'Voltage/L1-N': [230, 'V'],
      'Voltage/L2-N': [231, 'V'],
      'Voltage/L3-N': [232, 'V'],
      'Current/L1': [10, 'A'],
      'Current/L2': [11, 'A'],
      'Current/L3': [12, 'A'],
      'Power/Active/L1': [2, 'kW'],
      'Power/Active/L2': [2.1, 'kW'],
      'Power/Active/L3': [2.2, 'kW'],
      'Power/Apparent': [7, 'kVA'],
      'Power/Reactive': [0.9, 'kvar'],
      PowerFactor: [0.9, undefined],
      Frequency: [50, 'Hz'],
      'EnergyReactive/Import': [700, 'kvarh'],
      'EnergyReactive/Export': [7, 'kvarh'],
      'Energy/Import/L1': [1000, 'kWh'],
      'Energy/Import/L2': [1001, 'kWh'],
      'Energy/Import/L3': [1002, 'kWh'],
      'Energy/Export/L1': [1, 'kWh'],
      'Energy/Export/L2': [2, 'kWh'],
      'Energy/Export/L3': [3, 'kWh'],
      'Voltage/L1-L2': [400, 'V'],
      'Voltage/L2-L3': [401, 'V'],
      'Voltage/L3-L1': [402, 'V'],
      'Voltage/L-N': [231, 'V'],
      Current: [11, 'A'],
      'Current/Sum': [33, 'A'],
      'Current/N': [0.5, 'A'],
    });
    expect(device.requests.filter(([, count]) => count > 80)).toEqual([]);
  });

  /** What iEM3000 and PM5000 have in common, by Schneider's register numbers (address + 1). */
  function schneider(powerFactor: number): RegisterImage {
    const image = createImage();
    const at = (register: number, value: number): void => void image.float32(register - 1, value);
    const row = (registers: readonly number[], first: number): void => {
      for (const [i, register] of registers.entries()) at(register, first + i);
    };
    row([3000, 3002, 3004], 2.5);
    at(3006, 0.25);
    at(3010, 3.5);
    row([3020, 3022, 3024], 416);
    at(3026, 417);
    row([3028, 3030, 3032], 239);
    at(3036, 240);
    row([3054, 3056, 3058], 0.5);
    at(3060, 4.5);
    at(3068, 1.25);
    at(3076, 5);
    at(3084, powerFactor);
    at(3110, 50.0625);
    return image.int64(3203, 82_872_323n).int64(3207, 1_043_100n).int64(3219, 6_526_500n).int64(3223, 262_513n);
  }

  const schneiderValues = {
    'Power/Active': [4.5, 'kW'],
    'Energy/Import': [82_872.32, 'kWh'],
    'Energy/Export': [1043.1, 'kWh'],
    'Voltage/L1-N': [239, 'V'],
    'Voltage/L2-N': [240, 'V'],
    'Voltage/L3-N': [241, 'V'],
    'Current/L1': [2.5, 'A'],
    'Current/L2': [3.5, 'A'],
    'Current/L3': [4.5, 'A'],
    'Power/Active/L1': [0.5, 'kW'],
    'Power/Active/L2': [1.5, 'kW'],
    'Power/Active/L3': [2.5, 'kW'],
    'Power/Reactive': [1.25, 'kvar'],
    'Power/Apparent': [5, 'kVA'],
    Frequency: [50.0625, 'Hz'],
    'EnergyReactive/Import': [6526.5, 'kvarh'],
    'EnergyReactive/Export': [262.513, 'kvarh'],
    'Voltage/L1-L2': [416, 'V'],
    'Voltage/L2-L3': [417, 'V'],
    'Voltage/L3-L1': [418, 'V'],
    'Voltage/L-L': [417, 'V'],
    'Voltage/L-N': [240, 'V'],
    Current: [3.5, 'A'],
  };

  it('Schneider iEM3000: kW, energy in Wh as int64, a power factor above 1 in the fourth quadrant', async () => {
    const image = schneider(1.25).int64(3517, 1000n).int64(3521, 2000n).int64(3525, 3500n);
    device = await startModbusDevice('holding', image);
    expect(await readModbusDevice(device.port, { profile: 'schneider-iem3000' })).toEqual({
      ...schneiderValues,
      'Energy/Import/L1': [1, 'kWh'],
      'Energy/Import/L2': [2, 'kWh'],
      'Energy/Import/L3': [3.5, 'kWh'],
      PowerFactor: [0.75, undefined],
    });
  });

  it('Schneider PM5000: the same registers, and the neutral conductor', async () => {
    device = await startModbusDevice('holding', schneider(-1.25));
    expect(await readModbusDevice(device.port, { profile: 'schneider-pm5000' })).toEqual({
      ...schneiderValues,
      'Current/N': [0.25, 'A'],
      PowerFactor: [-0.75, undefined],
    });
  });

  it('a phase that is not connected is NaN, an energy that does not exist is negative: both are bad, the rest stays good', async () => {
    const image = schneider(0.5)
      .float32(3029, Number.NaN)
      .int64(3207, -(2n ** 63n));
    device = await startModbusDevice('holding', image);
    const shown = await readModbusDevice(device.port, { profile: 'schneider-pm5000' });
    expect([shown['Voltage/L2-N'], shown['Energy/Export'], shown['Voltage/L1-N'], shown.PowerFactor]).toEqual([
      'bad',
      'bad',
      [239, 'V'],
      [0.5, undefined],
    ]);
  });

  /** Offsets of the PAC manuals are the numbers in the frame. */
  function pac(): RegisterImage {
    const image = createImage();
    for (const [first, value] of [
      [1, 230],
      [7, 400],
      [13, 10],
      [25, 2000],
      [31, 300],
      [37, 0.5],
    ] as const) {
      for (const i of [0, 1, 2]) image.float32(first + 2 * i, value + i / 4);
    }
    image.float32(55, 50.125).float32(57, 231).float32(59, 401).float32(61, 11).float32(63, 7000).float32(65, 6250).float32(67, 900);
    image.float32(69, 0.875);
    for (const [i, wattHours] of [1_000_000, 250_000, 4000, 500, 20_000, 3000, 100, 25].entries()) image.float64(801 + 4 * i, wattHours);
    return image;
  }

  const pacValues = {
    'Power/Active': [6.25, 'kW'],
    'Voltage/L1-N': [230, 'V'],
    'Voltage/L2-N': [230.25, 'V'],
    'Voltage/L3-N': [230.5, 'V'],
    'Current/L1': [10, 'A'],
    'Current/L2': [10.25, 'A'],
    'Current/L3': [10.5, 'A'],
    'Power/Active/L1': [2, 'kW'],
    'Power/Active/L2': [2.00025, 'kW'],
    'Power/Active/L3': [2.0005, 'kW'],
    'Power/Apparent': [7, 'kVA'],
    'Power/Reactive': [0.9, 'kvar'],
    PowerFactor: [0.875, undefined],
    Frequency: [50.125, 'Hz'],
    'Energy/Import': [1250, 'kWh'],
    'Energy/Export': [4.5, 'kWh'],
  };

  it('Siemens PAC2200: both tariffs together, values are never cut', async () => {
    // A value begins at an odd address; from 801 on it has four registers.
    device = await startModbusDevice('holding', pac(), (start) => start % 2 === 0 || (start > 801 && (start - 801) % 4 !== 0));
    expect(await readModbusDevice(device.port, { profile: 'siemens-pac2200' })).toEqual(pacValues);
  });

  it('Siemens PAC3200: the same offsets and more', async () => {
    device = await startModbusDevice('holding', pac());
    expect(await readModbusDevice(device.port, { profile: 'siemens-pac3200' })).toEqual({
      ...pacValues,
      'EnergyReactive/Import': [23, 'kvarh'],
      'EnergyReactive/Export': [0.125, 'kvarh'],
      'Voltage/L1-L2': [400, 'V'],
      'Voltage/L2-L3': [400.25, 'V'],
      'Voltage/L3-L1': [400.5, 'V'],
      'Voltage/L-N': [231, 'V'],
      'Voltage/L-L': [401, 'V'],
      Current: [11, 'A'],
      'Power/Reactive/L1': [0.3, 'kvar'],
      'Power/Reactive/L2': [0.30025, 'kvar'],
      'Power/Reactive/L3': [0.3005, 'kvar'],
      'PowerFactor/L1': [0.5, undefined],
      'PowerFactor/L2': [0.75, undefined],
      'PowerFactor/L3': [1, undefined],
    });
  });
});
