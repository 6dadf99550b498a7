import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonModel, modelRegisters, sunspecImage } from '../testing/sunspec-device.ts';
import { sunspecYaml } from './describe.ts';
import { discoverSunspec, type ReadRegisters } from './discover.ts';

const inverter = { id: 103, registers: modelRegisters(50, 0, { 14: 4200, 15: 0 }) };
const meter = { id: 203, registers: modelRegisters(105, 0, {}) };
const unknown = { id: 64_110, registers: [1, 2, 3] };

/** Registers outside of [first, last] are refused. */
function reader(image: { registers(start: number, count: number): readonly number[] }, first: number, last: number) {
  const requests: (readonly [number, number])[] = [];
  const read: ReadRegisters = async (start, count) => {
    requests.push([start, count]);
    return start >= first && start + count - 1 <= last ? image.registers(start, count) : undefined;
  };
  return { read, requests };
}

describe('discoverSunspec', () => {
  it.each([40_000, 50_000, 0])('walks the chain from %i, past models that it does not know', async (base) => {
    const { image, bases, endsAt } = sunspecImage(base, [commonModel('Acme', 'Sun 5', '1.2', 'S-77'), unknown, inverter, meter]);
    const { read, requests } = reader(image, base, endsAt - 1);
    const found = await discoverSunspec(read);
    expect(found).toMatchObject({ base, manufacturer: 'Acme', model: 'Sun 5', version: '1.2', serial: 'S-77', problems: [] });
    expect(found?.models.map((each) => [each.id, each.base, each.length, each.hasProfile])).toEqual([
      [1, bases[0], 66, false],
      [64_110, bases[1], 3, false],
      [103, bases[2], 50, true],
      [203, bases[3], 105, true],
    ]);
    expect(Math.max(...requests.map(([, count]) => count))).toBeLessThanOrEqual(125);
  });

  it('finds nothing where nothing is, and passes on that nobody answers', async () => {
    expect(await discoverSunspec(async () => undefined)).toBeUndefined();
    expect(await discoverSunspec(async (_, count) => Array.from({ length: count }, () => 0))).toBeUndefined();
    await expect(discoverSunspec(async () => Promise.reject(new Error('timeout')))).rejects.toThrow('timeout');
  });

  it('says what the device did not measure: sentinels and missing scale factors', async () => {
    // By the table of model 103: W 14 with its factor 15, Hz 16, DCA 27 with its factor 28, TmpCab 33, St 38.
    const asleep = { id: 103, registers: modelRegisters(50, 0, { 14: 0x8000, 16: 0xffff, 28: 0x8000, 33: 0x8000 }) };
    const { image, endsAt } = sunspecImage(40_000, [commonModel('A', 'B', '', ''), asleep]);
    const found = await discoverSunspec(reader(image, 40_000, endsAt - 1).read);
    expect(found?.models[1]?.notMeasured).toEqual(['Power/Active', 'Frequency', 'DC/Current', 'Temperature/Cabinet']);
    const float = { id: 113, registers: modelRegisters(60, 0, { 22: 0x7fc0, 24: 0xff80, 25: 1, 26: 0x7f80 }) };
    const other = sunspecImage(0, [float]);
    expect((await discoverSunspec(reader(other.image, 0, other.endsAt - 1).read))?.models[0]?.notMeasured).toEqual([
      'Power/Active',
      'Frequency',
    ]);
  });

  it('leaves out a model that says that it is too short, and takes one that is longer', async () => {
    const short = { id: 103, registers: modelRegisters(48, 0, {}) };
    const long = { id: 203, registers: modelRegisters(109, 0, {}) };
    const { image, bases, endsAt } = sunspecImage(40_000, [short, long]);
    const found = await discoverSunspec(reader(image, 40_000, endsAt - 1).read);
    expect(found?.models.map(({ hasProfile }) => hasProfile)).toEqual([false, true]);
    expect(found?.problems).toEqual([`model 103 at ${bases[0]} says that it is 48 registers long; it has 50: it was left out`]);
  });

  it('keeps what it has when the chain breaks off', async () => {
    const { image, bases } = sunspecImage(40_000, [inverter, meter]);
    const second = bases[1] ?? 0;
    const found = await discoverSunspec(reader(image, 40_000, second - 1).read);
    expect(found?.models.map(({ id }) => id)).toEqual([103]);
    expect(found?.problems).toEqual([`the chain breaks off at ${second}: the device does not let that register be read`]);
  });

  it('takes an end of one register, a length beyond the last register and an id of 0 for what they are', async () => {
    const single = sunspecImage(40_000, [inverter], [0xffff]);
    expect((await discoverSunspec(reader(single.image, 40_000, single.endsAt - 1).read))?.problems).toEqual([]);
    const huge = sunspecImage(40_000, [{ ...unknown, length: 40_000 }]);
    expect((await discoverSunspec(reader(huge.image, 0, 65_535).read))?.problems).toEqual([
      'model 64110 at 40002 says that it is 40000 registers long: that is beyond the last register',
    ]);
    const zeros = sunspecImage(40_000, [inverter], [0, 0]);
    expect((await discoverSunspec(reader(zeros.image, 0, 65_535).read))?.problems[0]).toMatch(/no model \(id 0\)/);
  });

  it('ends whatever a device answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.option(fc.integer({ min: 0, max: 0xffff }), { nil: undefined, freq: 20 })), async (answers) => {
        let requests = 0;
        const read: ReadRegisters = async (start, count) => {
          requests++;
          if ([0, 40_000, 50_000].includes(start) && requests <= 3) return [0x5375, 0x6e53];
          const registers = Array.from({ length: count }, () => answers.next().value);
          return registers.every((register) => register !== undefined) ? registers : undefined;
        };
        const found = await discoverSunspec(read);
        expect(found?.models.length).toBeLessThanOrEqual(256);
        expect(requests).toBeLessThan(2000);
      }),
      { numRuns: 50 },
    );
  });

  it('models without length end too', async () => {
    const found = await discoverSunspec(async (start, count) =>
      start === 40_000 ? [0x5375, 0x6e53] : Array.from({ length: count }, (_, i) => (i === 0 ? 7 : 0)),
    );
    expect(found?.models).toHaveLength(256);
    expect(found?.problems).toEqual(['there are more than 256 models: the rest was not looked at']);
  });

  it('is printed as devices to paste', async () => {
    const { image, endsAt } = sunspecImage(40_000, [
      commonModel('Acme\n- id: x', 'Sun 5', '', ''),
      { id: 103, registers: modelRegisters(50, 0, { 33: 0x8000 }) },
      unknown,
    ]);
    const found = await discoverSunspec(reader(image, 40_000, endsAt - 1).read);
    if (found === undefined) throw new Error('nothing was found');
    expect(sunspecYaml(found, 126)).toBe(`# Acme?- id: x, Sun 5
# model 1 at 40002: no profile
- id: sunspec-103-unit126-40070
  displayName: "Acme?- id: x Sun 5"
  profile: sunspec-103@1
  base: 40070
  unit: 126
  # The device had no value for these when it was asked:
  without: [Temperature/Cabinet]
# model 64110 at 40122: no profile
`);
  });
});
