import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Adapter, Parcel } from '../adapters/adapter.ts';

/** One way to a recipient, and what stands at its other end. */
export interface AdapterBench {
  readonly adapter: Adapter;
  /** Everything that arrived, in order; a parcel that came twice may be there twice. */
  arrived(): Promise<readonly Uint8Array[]>;
  close(): Promise<void>;
}

/** What every adapter promises. Each adapter's test calls it first. */
export function adapterSuite(name: string, open: () => Promise<AdapterBench>): void {
  describe(`the adapter ${name}`, () => {
    let bench: AdapterBench | undefined;
    afterEach(async () => {
      await bench?.adapter.close();
      await bench?.close();
    });
    const alive = new AbortController().signal;

    it('passes exactly the bytes on, and again without harm', async () => {
      bench = await open();
      const parcel = parcelOf('{"vi":"Sản lượng"}');
      await bench.adapter.send(parcel, alive);
      await bench.adapter.send(parcel, alive);
      const arrived = await bench.arrived();
      expect(arrived.length).toBeGreaterThan(0);
      for (const bytes of arrived) expect(Buffer.from(bytes).equals(parcel.bytes)).toBe(true);
    });

    it('never says by itself that something was accepted', async () => {
      bench = await open();
      const delivery = await bench.adapter.send(parcelOf('{"a":1}'), alive);
      expect(['receipt', 'handed-over', 'refused']).toContain(delivery.kind);
      if (delivery.kind === 'receipt') expect(delivery.bytes.length).toBeGreaterThan(0);
    });

    it('does nothing for a signal that is aborted', async () => {
      bench = await open();
      const stopped = new Error('stopped');
      await expect(bench.adapter.send(parcelOf('{"a":2}'), AbortSignal.abort(stopped))).rejects.toBe(stopped);
      expect(await bench.arrived()).toEqual([]);
    });

    it('can be closed before use and twice', async () => {
      bench = await open();
      await bench.adapter.close();
      await bench.adapter.close();
      await expect(bench.adapter.send(parcelOf('{"a":3}'), alive)).rejects.toThrow();
    });
  });
}

export function parcelOf(text: string): Parcel {
  const bytes = Buffer.from(text, 'utf8');
  const digest = `sha-256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {
    id: '0197f0c2-7c1e-7a55-8f0e-2f0b8b4f0a01',
    seriesKey: '0999999983/nm-01/2026-03-01T00:00:00+07:00/P1D/1',
    revision: 1,
    digest,
    bytes,
  };
}
