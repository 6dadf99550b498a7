import { createHash, type KeyObject } from 'node:crypto';
import type { Clock, Disk } from '@nhip/core/process/env';
import { ConfigError, reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import type { EdgeConfiguration, PushOutcome, SignedConfig } from '@nhip/core/wire/edge-control';
import { z } from 'zod';
import type { PushDesk } from './requests.ts';
import { isSignedBy, readSignedConfig, signedConfig } from './signed-config.ts';

/**
 * Which configuration the agent runs: that of the file on the gateway, or the file with connections that were pushed.
 *
 * - A pushed one is used when it is signed by the key that the file names, for this edge, with a version above all before. It is kept in the
 *   data folder with its signature, and is looked at again in the same way at every start.
 * - The later act wins: a file that was changed after the push is used as it is, and the pushed one is forgotten. Its version is not.
 * - One that is refused changes nothing: not what runs, not what is kept.
 */
export interface ConfigKeeper<Config> extends PushDesk {
  /** What the agent starts with. */
  readonly first: Config;
  /** The file was read again, and may have another text now. Throws ConfigError when it cannot be used; what was in use goes on then. */
  fileChanged(text: string): Promise<void>;
}

export interface ConfigKeeperDeps<Config> {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  /** `<group>/<edge>` */
  readonly edge: string;
  readonly key: KeyObject;
  /** Both throw ConfigError when it cannot be used; `merge` also for what may not be pushed. */
  parse(file: string): Config;
  merge(pushed: string, file: string): Config;
  apply(config: Config): Promise<unknown>;
}

const folder = 'remote';
const name = 'pushed-config.json';
const source = 'the pushed configuration';
const maxReasonLength = 1000;

const kept = z.strictObject({
  version: z.int().min(0).describe('Of the newest one that was ever accepted'),
  fileSha256: z.string().describe('Of the file on the gateway when it was accepted'),
  config: signedConfig.nullable().describe('null: the file was changed since'),
});
type Kept = z.infer<typeof kept>;

/** Opens the keeper over the text of the file. Throws ConfigError when that cannot be used. */
export async function openConfigKeeper<Config>(file: string, deps: ConfigKeeperDeps<Config>): Promise<ConfigKeeper<Config>> {
  const { disk, clock, log } = deps;
  let text = file;
  let state: Kept = { version: 0, fileSha256: '', config: null };
  let last: PushOutcome | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  async function keep(next: Kept): Promise<void> {
    await replaceSmallFile(disk, folder, name, new TextEncoder().encode(`${JSON.stringify(next)}\n`));
    state = next;
  }

  /** Nothing else of an unsigned text is looked at. */
  function checkSender(pushed: SignedConfig): void {
    if (!isSignedBy(pushed, deps.key)) throw new ConfigError(source, ['the signature is not by the key of remote.configKeyFile']);
    if (pushed.edge !== deps.edge) throw new ConfigError(source, [`it is signed for ${pushed.edge}, this is ${deps.edge}`]);
  }

  function judge(pushed: SignedConfig): Config {
    checkSender(pushed);
    return deps.merge(pushed.config, text);
  }

  async function push(json: string): Promise<void> {
    let version: number | null = null;
    try {
      const pushed = readSignedConfig(json, source);
      ({ version } = pushed);
      checkSender(pushed);
      // Whoever heard an old one may send it again and again: that must not cost the gateway the reading of it.
      if (version <= state.version)
        throw new ConfigError(source, [`version ${version} is not above ${state.version}, which was accepted before`]);
      const config = deps.merge(pushed.config, text);
      // On disk before it is in use: a version that was once in use is never taken again.
      const before = state;
      await keep({ version, fileSha256: sha256(text), config: pushed });
      try {
        await deps.apply(config);
      } catch (error) {
        await keep({ ...before, version });
        throw error;
      }
      last = { version, outcome: 'applied', reason: null, atMs: clock.now() };
      log.info({ audit: 'config', version, sha256: sha256(pushed.config) }, 'A pushed configuration is in use');
    } catch (error) {
      const reason = reasonOf(error).slice(0, maxReasonLength);
      last = { version, outcome: 'refused', reason, atMs: clock.now() };
      log.error({ audit: 'config', version, reason }, 'A pushed configuration is refused, the old one goes on');
    }
  }

  async function fileChanged(next: string): Promise<void> {
    if (next === text && state.config !== null) {
      await deps.apply(judge(state.config));
      return;
    }
    await deps.apply(deps.parse(next));
    text = next;
    if (state.config === null) return;
    await keep({ ...state, config: null });
    log.info({ version: state.version }, 'The file was changed after the push: it is in use, the pushed connections are not');
  }

  function inOrder<Result>(step: () => Promise<Result>): Promise<Result> {
    const done = queue.then(step);
    queue = done.catch(() => undefined);
    return done;
  }

  /** What was pushed before, when it still may be used. */
  async function pushedBefore(): Promise<Config | undefined> {
    const bytes = await readSmallFile(disk, folder, name);
    if (bytes === undefined) return undefined;
    const found = kept.safeParse(parseJson(new TextDecoder().decode(bytes)), { reportInput: false });
    if (!found.success) {
      log.error({ file: `${folder}/${name}` }, 'The pushed configuration cannot be read: the file on the gateway is used');
      return undefined;
    }
    state = found.data;
    if (state.config === null) return undefined;
    if (state.fileSha256 !== sha256(text)) {
      log.info({ version: state.version }, 'The file was changed after the push: it is in use, the pushed connections are not');
      await keep({ ...state, config: null });
      return undefined;
    }
    try {
      return judge(state.config);
    } catch (error) {
      log.error({ audit: 'config', reason: reasonOf(error) }, 'The pushed configuration is refused now, the file on the gateway is used');
      state = { ...state, config: null };
      return undefined;
    }
  }

  const fromFile = deps.parse(text);
  const first = (await pushedBefore()) ?? fromFile;
  return {
    first,
    fileChanged: (next) => inOrder(() => fileChanged(next)),
    take: (json) => inOrder(() => push(json)),
    text() {
      const { config, version } = state;
      const told: EdgeConfiguration = {
        source: config === null ? 'file' : 'pushed',
        sha256: sha256(config?.config ?? text),
        version,
        last,
      };
      return JSON.stringify(told);
    },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
