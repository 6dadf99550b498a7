// First start of docker-compose.yml: makes what nobody should choose or copy. Runs again at every start and keeps what is there.
//   /data/server, ingest, live   the folders of the server's roles
//   /data/edge/<edge>            configuration and MQTT password of each simulated plant's edge agent, each in a volume of its own
//   /secrets, /secrets-…         one password a file, in one volume for each kind of reader
// It is the only service that starts as root, without a network: volumes come empty and owned by root.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { NHIP_DATA, SECRETS, SECRETS_GRAFANA, SECRETS_PROMETHEUS, SECRETS_SECTOR, SECRETS_POSTGRES } = process.env;
const { INFLUXDB_DATA, SIMULATOR_DATA, SECTOR_DATA, POSTGRES_DATA, POSTGRES_ADDRESS } = process.env;
/** As in docker-compose.yml: `user` of each service. */
const users = {
  server: 10001,
  edge: 10002,
  simulators: 10003,
  influxdb: 10004,
  sector: 10005,
  postgres: 10006,
  grafana: 472,
  prometheus: 65534,
};

/** Whom a path belongs to. A test runs this without the right to give files away: then everything belongs to one user anyway. */
function own(path, user, mode) {
  chmodSync(path, mode);
  if (process.getuid() === 0) chownSync(path, user, user);
}

function folder(path, user) {
  mkdirSync(path, { recursive: true });
  own(path, user, 0o700);
  return path;
}

function secret(dir, name, user, text) {
  const file = join(dir, name);
  if (!existsSync(file)) writeFileSync(file, text ?? randomBytes(24).toString('base64url'), { mode: 0o600 });
  own(file, user, 0o400);
  return readFileSync(file, 'utf8');
}

/** Runs a command; returns what it wrote to stdout when that is read. Throws when it ends otherwise. */
function run([command, ...args], stdout, good = [0]) {
  const ended = spawnSync(command, args, { stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' });
  if (!good.includes(ended.status)) throw new Error(`${command} ${args.join(' ')} ended with ${ended.status}`);
  return ended.stdout;
}

for (const name of ['', 'server', 'ingest', 'live']) folder(join(NHIP_DATA, name), users.server);
folder(INFLUXDB_DATA, users.influxdb);
folder(SIMULATOR_DATA, users.simulators);
folder(SECTOR_DATA, users.sector);
folder(POSTGRES_DATA, users.postgres);

folder(SECRETS, users.server);
secret(SECRETS, 'nhip-admin-password', users.server);
secret(SECRETS, 'influxdb-admin-password', users.server);
secret(SECRETS, 'influxdb-live-password', users.server);
const grafana = secret(SECRETS, 'influxdb-grafana-password', users.server);

folder(SECRETS_GRAFANA, users.grafana);
secret(SECRETS_GRAFANA, 'grafana-admin-password', users.grafana);
secret(SECRETS_GRAFANA, 'influxdb-password', users.grafana, grafana);

folder(SECRETS_POSTGRES, users.postgres);
const postgres = secret(SECRETS_POSTGRES, 'password', users.postgres);
folder(SECRETS_SECTOR, users.sector);
secret(SECRETS_SECTOR, 'postgres-url', users.sector, `postgres://nhip:${postgres}@${POSTGRES_ADDRESS}/postgres`);

// MQTT credentials and a configuration for each edge agent of the simulated plant: made by the command, as given here.
const [command, ...args] = process.argv.slice(2);
run([command, ...args], 'inherit');
for (const name of ['plant.yaml', 'server/mqtt-credentials.json']) own(join(NHIP_DATA, name), users.server, 0o600);
for (const edge of process.env.EDGES.split(',')) {
  const dir = folder(join(NHIP_DATA, 'edge', edge), users.edge);
  for (const name of ['edge.yaml', 'mqtt-password']) own(join(dir, name), users.edge, 0o400);
}

// Prometheus may read metrics and nothing else. Only the hash of a token is kept: where the token is missing, a new one takes its place.
folder(SECRETS_PROMETHEUS, users.prometheus);
if (!existsSync(join(SECRETS_PROMETHEUS, 'nhip-token'))) {
  const token = (...words) => [command, args[0], 'token', ...words, 'prometheus', '--data', NHIP_DATA, '--of', 'live', '--json'];
  run(token('remove'), 'pipe', [0, 1]);
  const made = JSON.parse(run(token('add', '--scope', 'metrics', '--expires', 'never'), 'pipe'));
  secret(SECRETS_PROMETHEUS, 'nhip-token', users.prometheus, made.token);
}
own(join(NHIP_DATA, 'live/tokens.json'), users.server, 0o600);
