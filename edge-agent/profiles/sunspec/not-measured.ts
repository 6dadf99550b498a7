import { pointMetric } from './point-metrics.ts';
import { pointTypes, type SunspecModel, type SunspecPoint } from './sunspec-profiles.ts';

/** Metrics of a model for which these registers, from the one with the id, say "not implemented" or "no value now". */
export function notMeasured(model: SunspecModel, registers: readonly number[]): readonly string[] {
  return model.points
    .filter((point) => isMissing(point, registers) || isFactorMissing(point, registers))
    .flatMap(({ name }) => pointMetric(model.id, name)?.metric ?? []);
}

function isMissing({ offset, type }: SunspecPoint, registers: readonly number[]): boolean {
  const raw = registers[offset] ?? 0;
  // An exponent of all ones with anything else than 0 behind it is NaN (IEEE 754).
  if (type === 'float32') return (raw & 0x7f80) === 0x7f80 && ((raw & 0x7f) !== 0 || registers[offset + 1] !== 0);
  const sentinel = pointTypes[type]?.invalid;
  return sentinel !== undefined && raw === Number(sentinel);
}

function isFactorMissing({ scaleFactorOffset }: SunspecPoint, registers: readonly number[]): boolean {
  return scaleFactorOffset !== undefined && registers[scaleFactorOffset] === 0x8000;
}
