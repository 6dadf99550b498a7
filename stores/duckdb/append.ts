import {
  DOUBLE,
  type DuckDBAppender,
  DuckDBDataChunk,
  DuckDBTimestampMillisecondsType,
  type DuckDBType,
  INTEGER,
  USMALLINT,
  UTINYINT,
} from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';

/** DuckDB's vector size: the most rows that one data chunk holds. */
const chunkRows = 2048;

const types: readonly DuckDBType[] = [INTEGER, DuckDBTimestampMillisecondsType.instance, INTEGER, DOUBLE, UTINYINT, USMALLINT];

/**
 * One chunk of numeric samples as DuckDB lays it out in memory. Columns are copied as a whole, no call per value:
 * several times the speed of the row appender.
 */
export interface NumberColumns {
  readonly series: Int32Array;
  /** 64-bit ms as pairs of 32-bit halves, low first. */
  readonly time: Uint32Array;
  readonly tick: Int32Array;
  readonly value: Float64Array;
  readonly kind: Uint8Array;
  readonly quality: Uint16Array;
}

export function createNumberColumns(): NumberColumns {
  return {
    series: new Int32Array(chunkRows),
    time: new Uint32Array(chunkRows * 2),
    tick: new Int32Array(chunkRows),
    value: new Float64Array(chunkRows),
    kind: new Uint8Array(chunkRows),
    quality: new Uint16Array(chunkRows),
  };
}

/** Collects rows and hands full chunks to the appender; `flush` hands over the rest. */
export function createChunkWriter(appender: DuckDBAppender): {
  push(series: number, timeMs: number, tick: number, value: number, kind: number, quality: number): void;
  flush(): void;
} {
  const columns = createNumberColumns();
  const order = [columns.series, columns.time, columns.tick, columns.value, columns.kind, columns.quality];
  let rows = 0;

  function flush(): void {
    if (rows === 0) return;
    const chunk = DuckDBDataChunk.create(types, rows);
    order.forEach((column, i) => {
      const bytes = rows * column.BYTES_PER_ELEMENT * (column === columns.time ? 2 : 1);
      duckdb.copy_data_to_vector(duckdb.data_chunk_get_vector(chunk.chunk, i), 0, column.buffer as ArrayBuffer, 0, bytes);
    });
    appender.appendDataChunk(chunk);
    rows = 0;
  }

  return {
    push(series, timeMs, tick, value, kind, quality) {
      const ms = Math.floor(timeMs);
      const high = Math.floor(ms / 0x1_0000_0000);
      columns.series[rows] = series;
      columns.time[rows * 2] = ms - high * 0x1_0000_0000;
      columns.time[rows * 2 + 1] = high;
      columns.tick[rows] = tick;
      columns.value[rows] = value;
      columns.kind[rows] = kind;
      columns.quality[rows] = quality;
      if (++rows === chunkRows) flush();
    },
    flush,
  };
}
