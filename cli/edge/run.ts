import { readConfigText } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import type { Part } from '@nhip/core/process/lifecycle';
import { createLog, type Log } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import type { Agent } from '@nhip/edge-agent/agent';
import type { AgentConfig } from '@nhip/edge-agent/config';
import { createReloader, type Reloader } from '@nhip/edge-agent/reload/reloader';
import { watchFile } from '@nhip/edge-agent/reload/watch-file';
import { openConfigKeeper } from '@nhip/edge-agent/remote/config-keeper';
import manifest from '../../package.json' with { type: 'json' };
import { type Command, commonFlags, type Input, logLevel } from '../arguments.ts';
import { dataFolder, makePrivate } from '../folders.ts';
import { edgeFamilies } from '../metrics/edge-metrics.ts';
import { createRoleHttp } from '../role-http.ts';
import { createFatal, runUntilStopped } from '../run-until-stopped.ts';
import { openTracing } from '../tracing/tracing.ts';
import { check } from './check.ts';
import { countingDisk } from './counting-disk.ts';
import { configFile, configKey, parseEdgeConfig, parsePushedConfig } from './edge-config.ts';
import { statsPart, statsText } from './run-stats.ts';

export const run: Command = {
  name: 'edge run',
  usage: '--config FILE',
  summary:
    'Reads the machines and publishes them as Sparkplug B, until SIGTERM. A changed file is applied as soon as it is saved (or at SIGHUP): only connections that changed start anew; one that cannot be used is refused and the old one goes on.',
  flags: {
    ...commonFlags,
    'no-watch': { summary: 'Apply a changed configuration only at SIGHUP' },
    stats: { summary: 'Say every 10 s on stdout: samples/s, bytes written, estimated card wear, memory' },
    host: { summary: 'Address of /health and /metrics (default 127.0.0.1)', value: 'HOST', env: 'NHIP_HOST' },
    'http-port': { summary: 'Port of /health and /metrics; without it there is none', value: 'PORT', env: 'NHIP_HTTP_PORT' },
    'stats-every': { summary: 'The same at another pace', value: 'SECONDS' },
  },
  async run(input) {
    if (input.isSet('check')) return check.run(input);
    const file = configFile(input);
    const text = readConfigText(file);
    const ownConfig = parseEdgeConfig(text, file);
    const pushKey = configKey(ownConfig, file);
    const statsMs = statsEveryMs(input);
    const dataDir = dataFolder(input.text('data')).edge(ownConfig.edge);
    const log = createLog(ownConfig.edge, logLevel(input));
    makePrivate(dataDir);
    await lockFolder(dataDir);
    const nodeEnv = createNodeEnv(dataDir);
    const counted = countingDisk(nodeEnv.disk);
    const env = statsMs === undefined ? nodeEnv : { ...nodeEnv, disk: counted.disk };
    const { fatal, onFatal } = createFatal();
    const { createAgent } = await import('@nhip/edge-agent/agent');
    const apply = (next: AgentConfig): Promise<unknown> => agent.reload(next, file);
    const keeper =
      pushKey === undefined
        ? undefined
        : await openConfigKeeper(text, {
            disk: env.disk,
            clock: env.clock,
            log,
            edge: `${ownConfig.group}/${ownConfig.edge}`,
            key: pushKey,
            parse: (own) => parseEdgeConfig(own, file),
            merge: (pushed, own) => parsePushedConfig(pushed, own, file),
            apply,
          });
    const config = keeper?.first ?? ownConfig;
    const traced = await openTracing('edge', manifest.version, process.env);
    const agent = createAgent(config, file, { env, log, dataDir, pushes: keeper, tracing: traced?.tracing, onFatal });
    const reloader = createReloader(text, {
      log,
      read: () => readConfigText(file),
      apply: (next) => keeper?.fileChanged(next) ?? apply(parseEdgeConfig(next, file)),
    });
    const read = () => ({
      health: agent.health(),
      use: counted.use(),
      rssBytes: process.memoryUsage.rss(),
      monotonicMs: env.clock.monotonic(),
    });
    const isJson = input.isSet('json');
    const port = input.port('http-port');
    const http =
      port === undefined
        ? undefined
        : createRoleHttp(
            { host: input.text('host') ?? '127.0.0.1', port },
            { problems: () => edgeProblems(agent), families: () => edgeFamilies(agent.health(), process.memoryUsage.rss()) },
          );
    let httpPort: number | undefined;
    const parts: readonly Part[] = [
      ...(traced === undefined ? [] : [traced.part]),
      {
        name: 'http',
        start: async () => {
          httpPort = await http?.start();
        },
        stop: async () => http?.stop(),
      },
      agentPart(agent),
      reloadPart(reloader, { file, log, clock: env.clock, isWatched: !input.isSet('no-watch') }),
      ...(statsMs === undefined
        ? []
        : [
            statsPart(env.clock, statsMs, read, (stats) => {
              process.stdout.write(
                `${isJson ? JSON.stringify(stats) : `${new Date(env.clock.now()).toISOString()}  ${statsText(stats)}`}\n`,
              );
            }),
          ]),
    ];
    const ready = (): void => {
      if (isJson)
        process.stdout.write(
          `${JSON.stringify({ ready: true, edge: `${config.group}/${config.edge}`, ...(httpPort === undefined ? {} : { http: httpPort }) })}\n`,
        );
    };
    return runUntilStopped(parts, log, { ready, fatal });
  },
};

const defaultStatsS = 10;

function statsEveryMs(input: Input): number | undefined {
  const text = input.text('stats-every');
  if (text === undefined) return input.isSet('stats') ? defaultStatsS * 1000 : undefined;
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= 86_400)) throw new ConfigError('--stats-every', [`"${text}" is not 1–86400 seconds`]);
  return seconds * 1000;
}

/** An agent that reads machines and keeps what it reads is as ready as it can be, but nobody gets it while the broker is away. */
function edgeProblems(agent: Agent): readonly string[] {
  return agent.health().session.isOnline ? [] : ['there is no session with the broker'];
}

function agentPart(agent: Agent): Part {
  return { name: 'agent', start: () => agent.start(), stop: () => agent.stop() };
}

function reloadPart(
  reloader: Reloader,
  { file, log, clock, isWatched }: { file: string; log: Log; clock: Parameters<typeof watchFile>[1]['clock']; isWatched: boolean },
): Part {
  const onHangUp = (): void => void reloader.now();
  let watcher: { close(): void } | undefined;
  return {
    name: 'reload',
    start: async () => {
      process.on('SIGHUP', onHangUp);
      if (isWatched) watcher = watchFile(file, { clock, log, touched: () => void reloader.lookAgain() });
    },
    stop: async () => {
      process.off('SIGHUP', onHangUp);
      watcher?.close();
    },
  };
}
