import type { MachineId, Value } from '../wire/sample.ts';

/**
 * Samples as columns: what ingest decodes into and stores write from. No object per sample.
 *
 * `kind` tells where a value lives: numbers and booleans in `number`; text and 64-bit integers above 2^53 in `text`
 * (`number[i]` is then the position in `text`). A null value has kind `none`.
 */
export const valueKind = { none: 0, number: 1, boolean: 2, text: 3, bigint: 4 } as const;

/** Numbers series (machine × metric) in the order in which they appear; ids are only valid within this table. */
export class SeriesTable {
  readonly #ids = new Map<MachineId, Map<string, number>>();
  readonly #all: { readonly machine: MachineId; readonly metric: string }[] = [];
  /** Series by `<group>/<edge>`. */
  readonly #perEdge = new Map<string, number>();

  get size(): number {
    return this.#all.length;
  }

  id(machine: MachineId, metric: string): number {
    return this.idWithin(machine, metric, Number.POSITIVE_INFINITY);
  }

  /** As `id`, but -1 when the series would be a new one and its edge has `maxPerEdge` already. */
  idWithin(machine: MachineId, metric: string, maxPerEdge: number): number {
    const known = this.#ids.get(machine)?.get(metric);
    if (known !== undefined) return known;
    const edge = machine.slice(0, machine.lastIndexOf('/'));
    const count = this.#perEdge.get(edge) ?? 0;
    if (count >= maxPerEdge) return -1;
    this.#perEdge.set(edge, count + 1);
    let metrics = this.#ids.get(machine);
    if (metrics === undefined) {
      metrics = new Map();
      this.#ids.set(machine, metrics);
    }
    const id = this.#all.length;
    metrics.set(metric, id);
    this.#all.push({ machine, metric });
    return id;
  }

  at(id: number): { readonly machine: MachineId; readonly metric: string } {
    const series = this.#all[id];
    if (series === undefined) throw new RangeError(`series ${id} is not in the table of ${this.#all.length}`);
    return series;
  }
}

export interface BatchMark {
  readonly length: number;
  readonly texts: number;
}

/** A growable batch of samples in the order in which they were decoded. */
export class SampleBatch {
  readonly series: SeriesTable;
  length = 0;
  seriesId: Int32Array;
  /** ms since 1970 UTC. */
  timeMs: Float64Array;
  /** Sequence number modulo 10^6: makes (time, tick) unique within a series, so that samples of the same ms stay apart. */
  tick: Uint32Array;
  kind: Uint8Array;
  number: Float64Array;
  /** Sparkplug quality code. */
  quality: Uint16Array;
  /** 1 when the edge sent it after an outage: it must not move the current value. */
  historical: Uint8Array;
  text: string[] = [];

  constructor(series: SeriesTable, capacity = 1024) {
    this.series = series;
    this.seriesId = new Int32Array(capacity);
    this.timeMs = new Float64Array(capacity);
    this.tick = new Uint32Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.number = new Float64Array(capacity);
    this.quality = new Uint16Array(capacity);
    this.historical = new Uint8Array(capacity);
  }

  /** Forgets the samples, keeps the memory. */
  clear(): void {
    this.length = 0;
    this.text.length = 0;
  }

  /** The position to `rewind` to. */
  mark(): BatchMark {
    return { length: this.length, texts: this.text.length };
  }

  /** Drops the samples pushed since `mark`. */
  rewind(mark: BatchMark): void {
    this.length = mark.length;
    this.text.length = mark.texts;
  }

  /** Drops of the samples pushed since `mark` those that `isWanted` does not want, by row; the others keep their order. */
  keep(mark: BatchMark, isWanted: (row: number) => boolean): void {
    let length = mark.length;
    let texts = mark.texts;
    for (let i = mark.length; i < this.length; i++) {
      if (!isWanted(i)) continue;
      let number = this.number[i] as number;
      if (this.kind[i] === valueKind.text || this.kind[i] === valueKind.bigint) {
        this.text[texts] = this.text[number] as string;
        number = texts++;
      }
      this.seriesId[length] = this.seriesId[i] as number;
      this.timeMs[length] = this.timeMs[i] as number;
      this.tick[length] = this.tick[i] as number;
      this.kind[length] = this.kind[i] as number;
      this.number[length] = number;
      this.quality[length] = this.quality[i] as number;
      this.historical[length] = this.historical[i] as number;
      length++;
    }
    this.rewind({ length, texts });
  }

  /** `push` for the usual case: one number, no checks. */
  pushNumber(seriesId: number, timeMs: number, tick: number, value: number, quality: number, historical: boolean): void {
    const i = this.length;
    if (i === this.seriesId.length) this.#grow();
    this.seriesId[i] = seriesId;
    this.timeMs[i] = timeMs;
    this.tick[i] = tick;
    this.kind[i] = valueKind.number;
    this.number[i] = value;
    this.quality[i] = quality;
    this.historical[i] = historical ? 1 : 0;
    this.length = i + 1;
  }

  push(seriesId: number, timeMs: number, tick: number, value: Value, quality: number, historical: boolean): void {
    const i = this.length;
    if (i === this.seriesId.length) this.#grow();
    this.seriesId[i] = seriesId;
    this.timeMs[i] = timeMs;
    this.tick[i] = tick;
    this.quality[i] = quality;
    this.historical[i] = historical ? 1 : 0;
    if (typeof value === 'number') {
      this.kind[i] = valueKind.number;
      this.number[i] = value;
    } else if (typeof value === 'boolean') {
      this.kind[i] = valueKind.boolean;
      this.number[i] = value ? 1 : 0;
    } else if (value === null) {
      this.kind[i] = valueKind.none;
      this.number[i] = 0;
    } else {
      this.kind[i] = typeof value === 'string' ? valueKind.text : valueKind.bigint;
      this.number[i] = this.text.length;
      this.text.push(String(value));
    }
    this.length = i + 1;
  }

  value(i: number): Value {
    const number = this.number[i] as number;
    switch (this.kind[i]) {
      case valueKind.number:
        return number;
      case valueKind.boolean:
        return number !== 0;
      case valueKind.text:
        return this.text[number] as string;
      case valueKind.bigint:
        return BigInt(this.text[number] as string);
      default:
        return null;
    }
  }

  #grow(): void {
    const capacity = this.seriesId.length * 2;
    const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.seriesId = grown(new Int32Array(capacity), this.seriesId);
    this.timeMs = grown(new Float64Array(capacity), this.timeMs);
    this.tick = grown(new Uint32Array(capacity), this.tick);
    this.kind = grown(new Uint8Array(capacity), this.kind);
    this.number = grown(new Float64Array(capacity), this.number);
    this.quality = grown(new Uint16Array(capacity), this.quality);
    this.historical = grown(new Uint8Array(capacity), this.historical);
  }
}
