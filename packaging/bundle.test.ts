import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundleSize, buildBundle } from './bundle.ts';
import { buildDeb, hasDpkg } from './deb.ts';
import { linux } from './serial-port.ts';

let folder: string;
let bundle: string;
let size: BundleSize;
beforeAll(async () => {
  // Outside of the checkout: what is not in the bundle cannot be found by accident.
  folder = mkdtempSync(join(tmpdir(), 'nhip-bundle-'));
  bundle = join(folder, 'nhip-edge');
  size = await buildBundle(bundle, linux);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = (connections: string): string =>
  `group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:1", password: x }\nconnections:\n${connections}\n`;
const simulated =
  '  - { id: sim, driver: simulated, devices: [{ id: press, intervalMs: 20, tags: [{ metric: N, shape: counter, periodMs: 10 }] }] }';

function edge(
  program: string,
  args: readonly string[],
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  try {
    return { code: 0, stdout: execFileSync(process.execPath, [program, ...args], { encoding: 'utf8', stdio: 'pipe' }), stderr: '' };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
    return { code: status, stdout, stderr };
  }
}

describe('the bundle of the edge agent', () => {
  it('stays small: 2 MB for an agent with Modbus, 7 MB with OPC UA, 10 MB on disk', () => {
    expect(size.coreBytes).toBeLessThan(2_000_000);
    expect(size.totalBytes).toBeLessThan(7_000_000);
    const files = readdirSync(bundle, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0)).toBeLessThan(10_000_000);
  });

  it('carries nothing of the server, and no package of the tests', () => {
    const names = /^(aedes|@duckdb|fastify|svelte|socket\.io|modbus-serial|node-opcua-server|esbuild|vite)/;
    expect(size.packages.filter((name) => names.test(name))).toEqual([]);
  });

  it('runs without node_modules of a checkout: checks a configuration, 78 with the problems of a wrong one', () => {
    const program = join(bundle, 'nhip-edge.mjs');
    writeFileSync(join(folder, 'good.yaml'), config(simulated));
    writeFileSync(join(folder, 'bad.yaml'), config('  - { id: a, driver: profinet }'));
    expect(edge(program, ['check', '--config', join(folder, 'good.yaml')])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 device(s), no problems'),
    });
    expect(edge(program, ['check', '--config', join(folder, 'bad.yaml')])).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^nhip-edge check: .*bad\.yaml: 1 problem\n {2}- connections\[0\]: "profinet" is not a driver/),
    });
    expect(edge(program, ['edge', 'check', '--help']).stdout).toMatch(/^nhip-edge check --config FILE/);
    expect(edge(program, ['serve'])).toMatchObject({ code: 78, stderr: expect.stringContaining('"serve" is not an action') });
  });

  it('loads node-opcua and serialport from the bundle only', async () => {
    // Nobody listens: what matters is that the driver was loaded and tried.
    const port = await closedPort();
    expect(edge(join(bundle, 'nhip-edge.mjs'), ['browse', `opc.tcp://127.0.0.1:${port}`])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`opc\\.tcp://127\\.0\\.0\\.1:${port}.*`)),
    });
    const script = 'const { SerialPort } = await import("serialport"); console.log(typeof SerialPort, typeof SerialPort.list)';
    writeFileSync(join(bundle, 'lib', 'try-serial.mjs'), script);
    expect(edge(join(bundle, 'lib', 'try-serial.mjs'), []).stdout).toBe('function function\n');
    rmSync(join(bundle, 'lib', 'try-serial.mjs'));
    for (const platform of linux) expect(existsSync(join(bundle, 'node_modules/@serialport/bindings-cpp/prebuilds', platform))).toBe(true);
  });

  it('has the licences of everything in it', () => {
    const notices = readFileSync(join(bundle, 'THIRD-PARTY.txt'), 'utf8');
    expect(notices).toMatch(/^SunSpec information models \(Apache-2\.0\)\n\n.*derived from the SunSpec/m);
    expect(notices).toContain('Copyright SunSpec Alliance, Inc.');
    expect(readFileSync(join(bundle, 'LICENSE'), 'utf8')).toContain('Apache License');
    for (const name of ['mqtt', 'zod', 'node-opcua-client', 'serialport']) expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });

  it('runs an agent in little memory, and stops when told', async () => {
    const file = join(folder, 'run.yaml');
    writeFileSync(file, config(simulated));
    const agent = startAgent(file, 'data', ['--stats-every', '1']);
    try {
      const stats = (await agent.line('stdout', ({ samplesPerS }) => Number(samplesPerS) > 0)) as {
        rssBytes: number;
        bytesPerSample: number;
      };
      expect(stats.bytesPerSample).toBeGreaterThan(10);
      // Seen: 60–90 MB. The bound is generous, because memory depends on the version of Node and on when its collector last ran.
      expect(stats.rssBytes).toBeLessThan(150_000_000);
    } finally {
      agent.stop();
    }
    expect(await agent.exited).toBe(0);
  });

  it('applies a changed file as soon as it is saved, refuses a bad one, and reads it again at SIGHUP', async () => {
    const file = join(folder, 'reload.yaml');
    writeFileSync(file, config(simulated));
    const agent = startAgent(file, 'reload-data', []);
    const said = (message: string) => agent.line('stderr', ({ msg }) => msg === message);
    try {
      await agent.line('stdout', ({ ready }) => ready === true);
      writeFileSync(`${file}.new`, config(`${simulated}\n${simulated.replaceAll(/\b(sim|press)\b/g, '$1-2')}`));
      renameSync(`${file}.new`, file);
      expect(await said('The configuration was read again and is in use')).toMatchObject({
        added: ['sim-2'],
        changed: [],
        removed: [],
        same: 1,
      });
      writeFileSync(file, config('  - { id: a, driver: profinet }\n  - { id: b }'));
      expect(await said('The new configuration is refused, the old one goes on')).toMatchObject({
        problems: [expect.stringContaining('connections[0]: "profinet"'), expect.stringContaining('connections[1].driver')],
      });
      writeFileSync(file, config(simulated));
      await agent.line('stderr', ({ removed }) => Array.isArray(removed) && removed[0] === 'sim-2');
      agent.signal('SIGHUP');
      await agent.line('stderr', ({ removed, same }) => Array.isArray(removed) && removed.length === 0 && same === 1);
    } finally {
      agent.stop();
    }
    expect(await agent.exited).toBe(0);
  });
});

type Line = Readonly<Record<string, unknown>>;

/** An agent as a process, and the lines of JSON that it says. */
function startAgent(file: string, dataName: string, flags: readonly string[]) {
  const args = [join(bundle, 'nhip-edge.mjs'), 'run', '--config', file, '--data', join(folder, dataName), '--json', ...flags];
  const agent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: [] as Line[], stderr: [] as Line[] };
  for (const name of ['stdout', 'stderr'] as const) {
    createInterface({ input: agent[name] }).on('line', (text) => {
      if (text.startsWith('{')) said[name].push(JSON.parse(text) as Line);
    });
  }
  return {
    /** The first line since the last call that is as wanted. */
    line: async (from: 'stdout' | 'stderr', isWanted: (line: Line) => boolean): Promise<Line> => {
      for (const deadlineMs = performance.now() + 15_000; performance.now() < deadlineMs; ) {
        for (let line = said[from].shift(); line !== undefined; line = said[from].shift()) if (isWanted(line)) return line;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error('the agent did not say it in time');
    },
    signal: (signal: NodeJS.Signals) => agent.kill(signal),
    stop: () => agent.kill('SIGTERM'),
    exited: new Promise<number | null>((resolve) => agent.once('exit', resolve)),
  };
}

describe.skipIf(!hasDpkg())('the Debian package', () => {
  const dpkg = (...args: readonly string[]): string => execFileSync('dpkg-deb', [...args], { encoding: 'utf8' });
  let deb: string;
  let root: string;
  beforeAll(() => {
    deb = buildDeb(bundle, folder, '0.1.0-rc.1', 'amd64');
    root = join(folder, 'root');
    dpkg('-x', deb, root);
  }, 120_000);

  it('has control fields that dpkg understands', () => {
    const field = (name: string): string => dpkg('-f', deb, name).trim();
    expect(deb).toMatch(/nhip-edge_0\.1\.0~rc\.1_amd64\.deb$/);
    expect([field('Package'), field('Version'), field('Architecture')]).toEqual(['nhip-edge', '0.1.0~rc.1', 'amd64']);
    expect(field('Depends')).toBe('nodejs (>= 20.19), adduser');
    expect(field('Maintainer')).toMatch(/^[^<]+ <\S+@\S+>$/);
    expect(Number(field('Installed-Size'))).toBeGreaterThan(1000);
    const description = field('Description').split('\n');
    expect(description[0]?.length).toBeLessThan(80);
    for (const line of description.slice(1)) expect(line).toMatch(/^ .{1,79}$/);
    // A pre-release sorts before its release.
    execFileSync('dpkg', ['--compare-versions', '0.1.0~rc.1', 'lt', '0.1.0']);
  });

  it('owns its files as root, keeps the configuration as a conffile, and has scripts that the shell can read', () => {
    const listed = dpkg('-c', deb)
      .split('\n')
      .filter((line) => line !== '');
    expect(listed.filter((line) => !line.includes(' root/root '))).toEqual([]);
    // Folders and files: nobody but root writes, nothing is setuid. (Links have no rights of their own.)
    expect(listed.filter((line) => !/^(l|[d-]rw[x-]r-[x-]r-[x-])/.test(line))).toEqual([]);
    const control = join(folder, 'control');
    dpkg('-e', deb, control);
    expect(readFileSync(join(control, 'conffiles'), 'utf8')).toBe('/etc/nhip/edge.yaml\n');
    for (const script of ['postinst', 'prerm', 'postrm']) {
      execFileSync('sh', ['-n', join(control, script)]);
      expect(statSync(join(control, script)).mode & 0o777).toBe(0o755);
    }
  });

  it('holds the binaries of its own processor only', () => {
    const prebuilds = join(root, 'usr/lib/nhip-edge/node_modules/@serialport/bindings-cpp/prebuilds');
    expect(readdirSync(prebuilds)).toEqual(['linux-x64']);
    expect(readdirSync(join(prebuilds, 'linux-x64')).every((file) => file.includes('glibc'))).toBe(true);
  });

  it('runs from where it was unpacked; the configuration that it brings lacks a password and says so', () => {
    const program = join(root, 'usr/bin/nhip-edge');
    const file = join(root, 'etc/nhip/edge.yaml');
    expect(edge(program, ['check', '--config', file])).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('mqtt.passwordFile'),
    });
    writeFileSync(join(root, 'etc/nhip/mqtt-password'), 'secret\n');
    expect(edge(program, ['check', '--config', file])).toMatchObject({ code: 0, stdout: expect.stringContaining('no problems') });
  });
});

function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
