// Tries docker-compose.yml on an engine: builds the images, starts everything beside what runs already (a project, ports and volumes of
// its own), looks whether it does what docs/docker-compose.md says, and removes it again. Needs Node 20.19, Docker Engine 25 and Compose v2.
//   node packaging/docker/try-stack.mjs [--keep]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ports = { NHIP_HTTP_PORT: '18080', NHIP_MQTT_PORT: '11883', NHIP_GRAFANA_PORT: '13000', NHIP_SECTOR_PORT: '18090' };
const board = `http://127.0.0.1:${ports.NHIP_HTTP_PORT}`;
const cwd = fileURLToPath(new URL('../..', import.meta.url));
const env = { ...process.env, ...ports };

/** Runs docker and returns what it wrote; throws when it fails. */
function docker(args, { shows = false } = {}) {
  const stdio = ['ignore', shows ? 'inherit' : 'pipe', shows ? 'inherit' : 'pipe'];
  const ended = spawnSync('docker', args, { cwd, env, stdio, encoding: 'utf8', maxBuffer: 1e8 });
  if (ended.error !== undefined) throw new Error(`docker cannot be started: ${ended.error.message}`);
  if (ended.status !== 0) throw new Error(`docker ${args.join(' ')} ended with ${ended.status}: ${ended.stderr ?? ''}`);
  return ended.stdout ?? '';
}
const compose = (...args) => docker(['compose', '-p', 'nhip-try', ...args]);
const secondsSince = (startedMs) => `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
const say = (line) => console.log(`  ${line}`);
function check(what, isSo, found) {
  if (!isSo) throw new Error(`${what}: ${JSON.stringify(found)}`);
}

async function until(what, seconds, look) {
  const deadlineMs = Date.now() + seconds * 1000;
  for (let last; ; await new Promise((resolve) => setTimeout(resolve, 500))) {
    try {
      const { done, found } = await look();
      if (done) return found;
      last = found;
    } catch (error) {
      last = error.message;
    }
    if (Date.now() > deadlineMs) throw new Error(`${what} within ${seconds} s: ${JSON.stringify(last)}`);
  }
}

/** Containers of the project with what the engine says of them. */
function containers() {
  const ids = compose('ps', '-aq').split('\n').filter(Boolean);
  return JSON.parse(docker(['inspect', ...ids])).map(({ Id, Config, HostConfig, State, RestartCount }) => ({
    id: Id,
    name: Config.Labels['com.docker.compose.service'],
    isOnce: State.Health === undefined,
    state: State.Health === undefined ? `${State.Status} ${State.ExitCode}` : `${State.Status} ${State.Health.Status}`,
    exitCode: State.ExitCode,
    restarts: RestartCount,
    user: Config.User,
    environment: Config.Env,
    host: HostConfig,
  }));
}
const allHealthy = () =>
  until('every service is healthy', 180, () => {
    const found = containers().filter(({ isOnce, state }) => state !== (isOnce ? 'exited 0' : 'running healthy'));
    return { done: found.length === 0, found: found.map(({ name, state }) => `${name} ${state}`) };
  });

/** Runs JavaScript in a container and returns what it wrote. */
const inside = (service, script) => compose('exec', '-T', service, 'node', '-e', script).trim();
const stored = `const {readFileSync} = require('node:fs');
const login = 'nhip-live:' + readFileSync('/secrets/influxdb-live-password', 'utf8');
fetch('http://influxdb:8086/query?db=nhip&q=' + encodeURIComponent('SELECT count(v) FROM samples'), { headers: { authorization: 'Basic ' + Buffer.from(login).toString('base64') } })
  .then((answer) => answer.json()).then(({ results }) => console.log(results[0].series?.[0].values[0][1] ?? 0));`;

async function checkData(least) {
  const password = compose('exec', '-T', 'live', 'cat', '/secrets/nhip-admin-password');
  const headers = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` };
  const machines = await until('all machines are online', 90, async () => {
    const { machines: found } = await (await fetch(`${board}/api/v1/machines`, { headers })).json();
    return { done: found.length > 5 && found.every(({ connection }) => connection === 'online'), found };
  });
  const samples = await until('InfluxDB has more samples', 90, () => {
    const found = Number(inside('live', stored));
    return { done: found > least, found };
  });
  const { status } = await fetch(`${board}/api/v1/machines`);
  check('without a login nobody sees machines', status === 401, status);
  const head = await fetch(`http://127.0.0.1:${ports.NHIP_SECTOR_PORT}/v1/log/sth`);
  check('the sector server answers', head.ok, head.status);
  say(`${machines.length} machines online, ${samples} samples in InfluxDB, the sector server answers`);
  return { password, samples };
}

function checkRights(password) {
  for (const { name, isOnce, user, host, environment } of containers()) {
    check(`${name} may write to its own root`, host.ReadonlyRootfs && host.SecurityOpt?.includes('no-new-privileges:true'), host);
    check(`${name} has rights`, host.CapDrop?.includes('ALL') && (name === 'init' || host.CapAdd === null), host);
    check(`${name} runs as root`, name === 'init' || /^[1-9]\d*:/.test(user), user);
    check(`${name} has a password in its environment`, !environment.some((line) => line.includes(password)), name);
    if (isOnce || ['influxdb', 'postgres', 'prometheus', 'grafana'].includes(name)) continue;
    const rights = inside(name, "console.log(/CapEff:.*/.exec(require('node:fs').readFileSync('/proc/1/status', 'utf8'))[0])");
    check(`${name} has rights`, /^CapEff:\s+0+$/.test(rights), rights);
  }
  check('a log has the password', !compose('logs', '--no-color').includes(password), 'docker compose logs');
  say('read-only, without rights, not root; the password is in no environment and in no log');
}

async function main() {
  let startedMs = Date.now();
  docker(['compose', '-p', 'nhip-try', 'up', '--build', '-d'], { shows: true });
  await allHealthy();
  say(`built, started and healthy after ${secondsSince(startedMs)}`);
  const first = await checkData(0);
  checkRights(first.password);

  startedMs = Date.now();
  inside('broker', "process.kill(1, 'SIGTERM')");
  await until('the broker is started again', 60, () => {
    const { restarts, state } = containers().find(({ name }) => name === 'broker');
    return { done: restarts === 1 && state === 'running healthy', found: `${restarts} restarts, ${state}` };
  });
  say(`a broker that ends is started again: healthy after ${secondsSince(startedMs)}`);

  startedMs = Date.now();
  compose('stop');
  const bad = containers().filter(({ exitCode }) => exitCode !== 0);
  check(
    'stopped with exit code 0',
    bad.length === 0,
    bad.map(({ name, exitCode }) => [name, exitCode]),
  );
  say(`stopped in ${secondsSince(startedMs)}, every exit code 0`);

  compose('up', '-d', '--no-build');
  await allHealthy();
  const second = await checkData(first.samples);
  check('the password is kept', second.password === first.password, 'another one');
  say('started again: data and passwords are kept');
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  if (process.argv.includes('--keep')) say(`it still runs: docker compose -p nhip-try ps; board ${board}`);
  else docker(['compose', '-p', 'nhip-try', 'down', '-v'], { shows: true });
}
