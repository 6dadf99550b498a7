import type { Profile, ProfileTag } from '../format.ts';
import { sunspecModelData } from './models.gen.ts';
import { pointMetric } from './point-metrics.ts';

/** A point of a model, in registers from the one with the model's id. */
export interface SunspecPoint {
  readonly name: string;
  readonly offset: number;
  readonly type: string;
  readonly scaleFactorOffset: number | undefined;
}

export interface SunspecModel {
  readonly id: number;
  readonly label: string;
  /** Registers after the two of the header. */
  readonly length: number;
  readonly points: readonly SunspecPoint[];
}

/** The models that profiles are made of, by id. */
export const sunspecModels: ReadonlyMap<number, SunspecModel> = new Map(
  sunspecModelData.map(({ id, label, length, points }) => [id, { id, label, length, points: points.split(' ').map(pointOf) }]),
);

function pointOf(row: string): SunspecPoint {
  const [name = '', offset, type = '', , scaleFactor = ''] = row.split(':');
  return { name, offset: Number(offset), type, scaleFactorOffset: scaleFactor === '' ? undefined : Number(scaleFactor) };
}

/** What a point type is for the Modbus driver, and what it says when it is not implemented (SunSpec Device Information Model, §4). */
export const pointTypes: Readonly<
  Record<string, { readonly type: string; readonly registers: number; readonly invalid?: string | undefined }>
> = {
  int16: { type: 'int16', registers: 1, invalid: '0x8000' },
  uint16: { type: 'uint16', registers: 1, invalid: '0xFFFF' },
  enum16: { type: 'uint16', registers: 1, invalid: '0xFFFF' },
  // 0 is "not accumulated" and also what a new meter says: it is taken as the number that it is.
  acc32: { type: 'uint32', registers: 2 },
  // NaN, which the driver knows.
  float32: { type: 'float32', registers: 2 },
};

export function sunspecProfileId(modelId: number): string {
  return `sunspec-${modelId}`;
}

/** One profile per model; `base` is the address of the register with the model's id. */
export function sunspecProfiles(): readonly Profile[] {
  return [...sunspecModels.values()].map((model) => {
    const isInverter = model.id < 200;
    return {
      id: sunspecProfileId(model.id),
      version: 1,
      title: {
        vi: `SunSpec ${model.id}: ${isInverter ? 'biến tần điện mặt trời' : 'công tơ'}`,
        en: `SunSpec ${model.id}: ${model.label}`,
      },
      manufacturer: 'any',
      models: [`SunSpec model ${model.id}`],
      driver: 'modbus',
      kind: isInverter ? 'inverter' : 'energyMeter',
      isTemplate: false,
      base: {
        is: 'register',
        meaning: {
          vi: `Địa chỉ của thanh ghi có số ${model.id}; lệnh quét SunSpec tìm ra nó.`,
          en: `The address of the register that says ${model.id}: a scan for SunSpec finds it.`,
        },
      },
      device: {},
      connection: {},
      tags: model.points.flatMap((point) => tagOf(model.id, point)),
      derived: [],
    };
  });
}

function tagOf(modelId: number, { name, offset, type, scaleFactorOffset }: SunspecPoint): readonly ProfileTag[] {
  const known = pointMetric(modelId, name);
  const read = pointTypes[type];
  if (known === undefined || read === undefined) return [];
  const isScaled = known.scale !== undefined && known.enum === undefined;
  return [
    {
      metric: known.metric,
      address: `holding:${offset}:${read.type}`,
      ...(known.unit === undefined ? {} : { unitName: known.unit }),
      ...(isScaled ? { scale: known.scale } : {}),
      ...(scaleFactorOffset === undefined ? {} : { scaleFactor: `holding:${scaleFactorOffset}:int16` }),
      ...(read.invalid === undefined ? {} : { invalid: [read.invalid] }),
      ...(known.enum === undefined ? {} : { enum: known.enum }),
    },
  ];
}
