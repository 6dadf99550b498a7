import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Input } from './arguments.ts';
import { serverSetup } from './server-config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function setup(yaml: string) {
  const file = join(folder, 'server.yaml');
  writeFileSync(file, yaml);
  const input: Input = {
    positionals: [],
    text: (flag) => (flag === 'config' ? file : undefined),
    all: () => [],
    isSet: () => false,
    port: () => undefined,
  };
  return serverSetup(input, {});
}

describe('stores of the server', () => {
  it('must each have a place of their own', () => {
    const influx = '{ type: influxdb, url: "http://127.0.0.1:8086", database: nhip';
    expect(() => setup(`store: ${influx} }\nfurtherStores: [${influx}, name: copy }]`)).toThrow(/copy is in the same place as store/);
    const vm = 'type: victoriametrics, url: "http://127.0.0.1:8428';
    expect(() => setup(`furtherStores: [{ ${vm}", name: a }, { ${vm}/", name: b }]`)).toThrow(/b is in the same place as furtherStores.0/);
    const file = join(folder, 'h.duckdb');
    expect(() => setup(`store: { type: duckdb, file: ${file} }\nfurtherStores: [{ type: duckdb, file: ${file}, name: a }]`)).toThrow(
      /same place/,
    );
    const others = `{ ${vm}", name: a }, ${influx}2, name: b }, { type: duckdb, file: ${file}, name: c }`;
    expect(setup(`store: ${influx} }\nfurtherStores: [${others}]`).config.furtherStores).toHaveLength(3);
  });
});
