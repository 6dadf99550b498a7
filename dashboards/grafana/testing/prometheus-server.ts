import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../test/harness/free-port.ts';
import { startProcess } from '../../../test/harness/nhip.ts';
import { until } from '../../../test/harness/until.ts';

const executable = process.env.NHIP_TEST_PROMETHEUS ?? '/usr/bin/prometheus';

/** Whether Debian's prometheus is here; a test without it is skipped by name. */
export const hasPrometheus = existsSync(executable);

export interface PrometheusServer {
  /** Instant query; throws what Prometheus says is wrong. */
  ask(query: string): Promise<readonly unknown[]>;
  stop(): Promise<void>;
}

/** Scrapes `target` (host:port) every second with an API token. */
export async function startPrometheus(dir: string, target: string, token: string): Promise<PrometheusServer> {
  const port = await freePort();
  const tokenFile = join(dir, 'nhip-token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const scrape = { job_name: 'nhip', authorization: { credentials_file: tokenFile }, static_configs: [{ targets: [target] }] };
  const config = join(dir, 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [scrape] }));
  const server = startProcess([
    executable,
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(dir, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const stop = async (): Promise<void> => void (await server.stop());
  const ask = async (query: string): Promise<readonly unknown[]> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query }) });
    const body = (await answer.json()) as { readonly error?: string; readonly data?: { readonly result: readonly unknown[] } };
    if (body.data === undefined) throw new Error(`${query}: ${body.error}`);
    return body.data.result;
  };
  try {
    await until(
      'prometheus has scraped three times',
      async () => (await ask('count_over_time(nhip_store_up[1m]) >= 3')).length > 0,
      30_000,
    );
  } catch (error) {
    await stop();
    throw new Error(`prometheus did not start: ${server.stderr().slice(-1500)}`, { cause: error });
  }
  return { ask, stop };
}
