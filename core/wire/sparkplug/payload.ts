import type { Value } from '../sample.ts';
import type { DataType } from './datatype.ts';

/** A Sparkplug B payload as objects: for births, commands and tests. The hot path uses PayloadReader instead. */
export interface Payload {
  readonly timestampMs?: number | undefined;
  /** 0–255; absent in NDEATH and commands. */
  readonly seq?: number | undefined;
  readonly metrics: readonly Metric[];
}

export interface Metric {
  readonly name?: string | undefined;
  readonly alias?: number | undefined;
  readonly timestampMs?: number | undefined;
  /** Absent in DATA: then the birth tells it. */
  readonly dataType?: DataType | undefined;
  readonly isHistorical?: boolean | undefined;
  readonly isTransient?: boolean | undefined;
  readonly value: SparkplugValue;
  readonly properties?: Readonly<Record<string, PropertyValue>> | undefined;
}

/** Scalars, or what the structured data types carry. `null` when is_null is set or no value field is there. */
export type SparkplugValue = Value | Uint8Array | readonly Value[] | DataSet | Template;

export interface DataSet {
  readonly columns: readonly string[];
  readonly types: readonly number[];
  readonly rows: readonly (readonly Value[])[];
}

export interface Template {
  readonly templateRef: string | null;
  readonly isDefinition: boolean;
  readonly metrics: readonly Metric[];
}

export interface PropertyValue {
  readonly type: DataType;
  readonly value: Value;
}

export function isDataSet(value: SparkplugValue): value is DataSet {
  return typeof value === 'object' && value !== null && 'rows' in value;
}

export function isTemplate(value: SparkplugValue): value is Template {
  return typeof value === 'object' && value !== null && 'isDefinition' in value;
}
