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
    const three = 'type: influxdb3, url: "http://127.0.0.1:8181"';
    expect(() => setup(`furtherStores: [{ ${three}, name: a }, { ${three}, name: b }]`)).toThrow(/b is in the same place/);
    expect(setup(`furtherStores: [{ ${three}, name: a }, { ${three}, name: b, database: b }]`).config.furtherStores).toHaveLength(2);
    const others = `{ ${vm}", name: a }, ${influx}2, name: b }, { type: duckdb, file: ${file}, name: c }`;
    expect(setup(`store: ${influx} }\nfurtherStores: [${others}]`).config.furtherStores).toHaveLength(3);
  });

  it('cannot begin with one that is written only', () => {
    for (const type of ['influxdb3', 'victoriametrics']) {
      expect(() => setup(`store: { type: ${type}, url: "http://127.0.0.1:1" }`)).toThrow(
        new RegExp(`${type} is written only.*furtherStores`),
      );
    }
    expect(() => setup('store: { type: other }')).toThrow(/store\.type/);
  });

  it('find their secrets beside the configuration', () => {
    const [further] = setup('furtherStores: [{ type: influxdb3, name: a, url: "http://127.0.0.1:1", tokenFile: t }]').config.furtherStores;
    expect(further).toMatchObject({ tokenFile: join(folder, 't'), caFile: undefined });
    expect(further).not.toHaveProperty('passwordFile');
  });
});
