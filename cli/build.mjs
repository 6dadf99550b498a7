// Builds what is stale: the server bundle (dist/nhip.js) and the web app (dashboards/web/dist). Plain JavaScript, because
// it is what runs before anything is built. `--force` builds both.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const serverRooms = ['core', 'stores', 'edge-agent', 'broker', 'ingest', 'live', 'sector', 'simulators', 'cli', 'package-lock.json'];
const webRooms = ['core/wire', 'core/kpi', 'dashboards/web', 'package-lock.json'];

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  let time = 0;
  for (const name of readdirSync(path)) {
    if (name === 'node_modules' || name === 'dist' || name.endsWith('.test.ts')) continue;
    time = Math.max(time, newest(join(path, name)));
  }
  return time;
}

function isStale(rooms, product) {
  const built = statSync(join(root, product), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return rooms.some((room) => newest(join(root, room)) > built);
}

async function buildServer() {
  const { build } = await import('esbuild');
  // dist/edge is made by `npm run package`.
  for (const name of existsSync(join(root, 'dist')) ? readdirSync(join(root, 'dist')) : []) {
    if (name !== 'edge') rmSync(join(root, 'dist', name), { recursive: true, force: true });
  }
  await build({
    entryPoints: [join(root, 'cli/main.ts')],
    entryNames: 'nhip',
    outdir: join(root, 'dist'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    // Native or huge: loaded from node_modules, and only when a role needs them.
    external: ['@duckdb/*', '@electric-sql/*', 'pg', 'node-opcua*', 'modbus-serial', 'serialport'],
    banner: { js: "import { createRequire as nhipRequire } from 'node:module'; const require = nhipRequire(import.meta.url);" },
    logLevel: 'warning',
  });
}

async function buildWeb() {
  const { build } = await import('vite');
  await build({ root: join(root, 'dashboards/web'), logLevel: 'warn' });
}

/** Builds both products when their sources are newer. Resolves with what was built. */
export async function buildStale({ force = false, say = () => {} } = {}) {
  const built = [];
  const step = async (name, rooms, product, run) => {
    if (!force && !isStale(rooms, product)) return;
    const started = performance.now();
    await run();
    built.push(name);
    say(`built ${name} in ${Math.round(performance.now() - started)} ms`);
  };
  await step('server', serverRooms, 'dist/nhip.js', buildServer);
  await step('web', webRooms, 'dashboards/web/dist/index.html', buildWeb);
  return built;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildStale({ force: process.argv.includes('--force'), say: console.log });
}
