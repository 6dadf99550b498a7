import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout } from '../harness/nhip.ts';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: checkout, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(checkout, file)));
const read = (file: string): string => readFileSync(join(checkout, file), 'utf8');
const source = files.filter((file) => /\.(ts|svelte|mjs)$/.test(file));

/** Folders directly below `folder`. */
function foldersIn(folder: string): readonly string[] {
  return readdirSync(join(checkout, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

describe('the house', () => {
  it('has a README in every room', () => {
    const rooms = [
      'core/log',
      'stores',
      'edge-agent',
      'broker',
      'ingest',
      'live',
      'sector/contract',
      'sector/gateway',
      'sector/platform',
      'simulators',
      'dashboards/web',
      'cli',
      'test',
    ];
    expect(rooms.filter((room) => !files.includes(`${room}/README.md`))).toEqual([]);
  });

  it.each(foldersIn('edge-agent/drivers'))('driver %s is whole and registered', (driver) => {
    for (const file of ['config.ts', 'driver.ts', 'index.ts', 'driver.test.ts', 'README.md'])
      expect(files).toContain(`edge-agent/drivers/${driver}/${file}`);
    expect(read('edge-agent/drivers/index.ts')).toContain(`'./${driver}/index.ts'`);
    expect(read(`edge-agent/drivers/${driver}/driver.test.ts`)).toContain('driverSuite(');
  });

  it.each(foldersIn('simulators/machines'))('machine %s is whole and registered', (machine) => {
    for (const file of ['machine.ts', 'points.ts', 'machine.test.ts']) expect(files).toContain(`simulators/machines/${machine}/${file}`);
    expect(read('simulators/machines/index.ts')).toContain(`/${machine}/`);
  });

  it('keeps files short: 400 lines, tests 600', () => {
    const long = source.filter((file) => read(file).split('\n').length > (/\.test\.ts$|^test\//.test(file) ? 600 : 400));
    expect(long).toEqual([]);
  });

  it('has no drawer: no file is called utils, helpers, common or misc', () => {
    expect(source.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\.|\/)/.test(file))).toEqual([]);
  });

  it('links only to what is there', () => {
    const dead = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
          .map(([, target]) => target ?? '')
          .filter((target) => !existsSync(join(checkout, dirname(file), target)))
          .map((target) => `${file} → ${target}`),
      );
    expect(dead).toEqual([]);
  });

  it('numbers its decisions without a gap', () => {
    const numbers = readdirSync(join(checkout, 'docs/decisions')).map((name) => Number(name.slice(0, 4)));
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, i) => i + 1));
  });

  it('pins every dependency exactly', () => {
    const loose = files
      .filter((file) => /(^|\/)package\.json$/.test(file))
      .flatMap((file) => {
        const { dependencies = {}, devDependencies = {} } = JSON.parse(read(file)) as Record<string, Record<string, string>>;
        return Object.entries({ ...dependencies, ...devDependencies }).filter(([, range]) => !/^\d/.test(range));
      });
    expect(loose).toEqual([]);
  });
});
