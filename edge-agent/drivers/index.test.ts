import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { ConfigError } from '@nhip/core/process/errors';
import { describe, expect, it } from 'vitest';
import { driverPlugin, drivers } from './index.ts';

const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe('the driver registry', () => {
  it('knows every driver folder by its name', () => {
    expect([...drivers.keys()].sort()).toEqual(folders.sort());
  });

  it('refuses an unknown name with the names that there are', () => {
    expect(() => driverPlugin('opc')).toThrow(ConfigError);
    expect(() => driverPlugin('opc')).toThrow('"opc" is not a driver; there are modbus, opcua, simulated');
  });

  it.each(folders)('%s has a README with a sample that its schema accepts', (name) => {
    const path = `${import.meta.dirname}/${name}/README.md`;
    expect(existsSync(path)).toBe(true);
    const sample = /```json\n([\s\S]*?)```/.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
    expect(driverPlugin(name).config.safeParse(JSON.parse(sample)).error?.issues ?? []).toEqual([]);
  });

  it('loads no protocol library to read configs', () => {
    for (const name of folders) {
      for (const file of ['index.ts', 'config.ts']) {
        const text = readFileSync(`${import.meta.dirname}/${name}/${file}`, 'utf8');
        expect(text, `${name}/${file}`).not.toMatch(/^import .* from '(node-opcua|modbus-serial|mqtt)/m);
      }
    }
  });
});
