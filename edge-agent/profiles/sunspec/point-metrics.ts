/** Which points of the SunSpec models are which metrics. What is in no list is left out. */

export interface PointMetric {
  readonly metric: string;
  readonly unit?: string | undefined;
  /** From the point's unit to ours; 1 when absent. */
  readonly scale?: number | undefined;
  /** Text for each number of an enumeration. */
  readonly enum?: Readonly<Record<string, string>> | undefined;
}

const inverterIds = [101, 102, 103, 111, 112, 113] as const;
const meterIds = [201, 202, 203, 204, 211, 212, 213, 214] as const;

/** Inverters and meters, whose values are integers with scale factors (x0x) or floats (x1x). */
export const sunspecModelIds: readonly number[] = [...inverterIds, ...meterIds];

const phases = ['A', 'B', 'C'].map((letter, i) => ({
  letter,
  name: `L${i + 1}`,
  next: `L${((i + 1) % 3) + 1}`,
  nextLetter: 'ABC'[(i + 1) % 3],
}));

const common: Readonly<Record<string, PointMetric>> = {
  Hz: { metric: 'Frequency', unit: 'Hz' },
  VA: { metric: 'Power/Apparent', unit: 'kVA', scale: 0.001 },
  ...Object.fromEntries(phases.map(({ letter, name }) => [`Aph${letter}`, { metric: `Current/${name}`, unit: 'A' }])),
  ...Object.fromEntries(phases.map(({ letter, name }) => [`PhVph${letter}`, { metric: `Voltage/${name}-N`, unit: 'V' }])),
  ...Object.fromEntries(
    phases.flatMap(({ letter, name, next, nextLetter }) =>
      // The models 202 to 204 write PhVphAB for what is PPVphAB elsewhere.
      ['PPVph', 'PhVph'].map((stem) => [`${stem}${letter}${nextLetter}`, { metric: `Voltage/${name}-${next}`, unit: 'V' }]),
    ),
  ),
};

/** An inverter gives: what it produces is negative power, and energy that is exported. */
const inverter: Readonly<Record<string, PointMetric>> = {
  ...common,
  W: { metric: 'Power/Active', unit: 'kW', scale: -0.001 },
  WH: { metric: 'Energy/Export', unit: 'kWh', scale: 0.001 },
  A: { metric: 'Current/Sum', unit: 'A' },
  DCA: { metric: 'DC/Current', unit: 'A' },
  DCV: { metric: 'DC/Voltage', unit: 'V' },
  DCW: { metric: 'DC/Power', unit: 'kW', scale: 0.001 },
  TmpCab: { metric: 'Temperature/Cabinet', unit: '°C' },
  TmpSnk: { metric: 'Temperature/HeatSink', unit: '°C' },
  TmpTrns: { metric: 'Temperature/Transformer', unit: '°C' },
  TmpOt: { metric: 'Temperature/Other', unit: '°C' },
  // OFF, SLEEPING, STARTING, MPPT, THROTTLED, SHUTTING_DOWN, FAULT, STANDBY.
  St: {
    metric: 'State',
    enum: { 1: 'stopped', 2: 'idle', 3: 'idle', 4: 'running', 5: 'running', 6: 'stopped', 7: 'fault', 8: 'idle' },
  },
};

/** A meter at the connection to the grid: import is positive. */
const meter: Readonly<Record<string, PointMetric>> = {
  ...common,
  A: { metric: 'Current/Sum', unit: 'A' },
  PhV: { metric: 'Voltage/L-N', unit: 'V' },
  PPV: { metric: 'Voltage/L-L', unit: 'V' },
  W: { metric: 'Power/Active', unit: 'kW', scale: 0.001 },
  VAR: { metric: 'Power/Reactive', unit: 'kvar', scale: 0.001 },
  TotWhImp: { metric: 'Energy/Import', unit: 'kWh', scale: 0.001 },
  TotWhExp: { metric: 'Energy/Export', unit: 'kWh', scale: 0.001 },
  ...Object.fromEntries(
    phases.flatMap(({ letter, name }) => [
      [`Wph${letter}`, { metric: `Power/Active/${name}`, unit: 'kW', scale: 0.001 }],
      [`TotWhImpPh${letter}`, { metric: `Energy/Import/${name}`, unit: 'kWh', scale: 0.001 }],
      [`TotWhExpPh${letter}`, { metric: `Energy/Export/${name}`, unit: 'kWh', scale: 0.001 }],
    ]),
  ),
};

/** The metric of a point; undefined when it has none. */
export function pointMetric(modelId: number, point: string): PointMetric | undefined {
  const metrics = inverterIds.some((id) => id === modelId) ? inverter : meter;
  return Object.hasOwn(metrics, point) ? metrics[point] : undefined;
}
