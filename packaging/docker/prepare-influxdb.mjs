// Users and the database of the InfluxDB in docker-compose.yml; runs before ingest, at every start. InfluxDB 1.x lets anybody make the
// first administrator: it is made here, before anything else is allowed to talk to it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { NHIP_INFLUXDB_URL: url, SECRETS } = process.env;
const database = 'nhip';
const administrator = 'nhip';
const readers = { 'nhip-live': 'influxdb-live-password', 'nhip-grafana': 'influxdb-grafana-password' };

const password = (name) => readFileSync(join(SECRETS, name), 'utf8').trim();
/** A text in InfluxQL. */
const quoted = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Resolves with the rows of one statement; rejects with what InfluxDB said, and its status. */
async function ask(q, login) {
  const headers = login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  const response = await fetch(`${url}/query`, { method: 'POST', headers, body: new URLSearchParams({ q }) });
  const { error, results = [] } = await response.json();
  const failed = error ?? results[0]?.error;
  if (failed !== undefined) throw Object.assign(new Error(`InfluxDB: ${failed}`), { status: response.status });
  return results[0]?.series?.[0]?.values ?? [];
}

const own = password('influxdb-admin-password');
await ask(`CREATE USER "${administrator}" WITH PASSWORD ${quoted(own)} WITH ALL PRIVILEGES`).catch((error) => {
  // There is an administrator already: whether it is ours is seen next.
  if (error.status !== 401 && error.status !== 403) throw error;
});
const asAdministrator = (q) => ask(q, `${administrator}:${own}`);
const users = await asAdministrator('SHOW USERS').catch((error) => {
  throw new Error(`${error.message}. The data of InfluxDB is older than the passwords: keep the volumes influxdb and secrets together.`);
});
await asAdministrator(`CREATE DATABASE "${database}"`);
for (const [user, file] of Object.entries(readers)) {
  const text = quoted(password(file));
  const isThere = users.some(([name]) => name === user);
  await asAdministrator(isThere ? `SET PASSWORD FOR "${user}" = ${text}` : `CREATE USER "${user}" WITH PASSWORD ${text}`);
  await asAdministrator(`GRANT READ ON "${database}" TO "${user}"`);
}
console.log(`InfluxDB at ${url}: database ${database}, users ${[administrator, ...Object.keys(readers)].join(', ')}`);
