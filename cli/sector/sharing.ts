import { dirname, join } from 'node:path';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import type { SharingDesk } from '@nhip/live/http/routes/sharing';
import type { StateChange } from '@nhip/live/state-changes';
import { createGateway } from '@nhip/sector/gateway/gateway';
import { createGatewayFiles } from '@nhip/sector/gateway/gateway-files';
import { createHttpFigures, type PlantApi } from '@nhip/sector/gateway/http-figures';
import { makePrivate } from '../folders.ts';
import type { ServerSetup } from '../server-config.ts';

/** The factory side of sharing beside the live role, whose page shows its desk. */
export interface Sharing {
  readonly part: Part;
  readonly desk: SharingDesk;
  /** For live to tell; forgotten at once where no policy shares it. */
  machineChanged(change: StateChange): void;
}

/**
 * Composes the gateway; undefined without `sharing` in the configuration: then nothing can leave. Its data are in the folder `sharing` of
 * the data folder, where the files of a configuration that came from no file lie too. It starts before live and asks it for figures later.
 */
export function composeSharing(
  setup: ServerSetup,
  deps: {
    readonly log: Log;
    readonly version: string;
    readonly api: PlantApi;
    /** How often it looks whether there is something to do; absent: as the gateway does. */
    readonly intervalMs?: number;
  },
): Sharing | undefined {
  const { config, folder } = setup;
  if (config.sharing === undefined) return undefined;
  const { dir, configDir } = sharingFolder(setup);
  makePrivate(folder.root);
  makePrivate(dir);
  const gateway = createGateway({
    env: createNodeEnv(dir),
    log: deps.log,
    figures: createHttpFigures(deps.api),
    config: config.sharing,
    files: createGatewayFiles(config.sharing, configDir),
    version: deps.version,
    ...(deps.intervalMs === undefined ? {} : { intervalMs: deps.intervalMs }),
  });
  return {
    part: {
      name: 'sharing',
      async start() {
        await lockFolder(dir);
        await gateway.start();
      },
      stop: () => gateway.stop(),
    },
    machineChanged: (change) => gateway.machineChanged(change),
    desk: {
      overview: () => gateway.desk.overview(),
      items: (page) => gateway.desk.items(page),
      item: (id) => gateway.desk.item(id),
      approve: (id, by, digest) => gateway.desk.approve(id, by, digest),
      hold: (id, by) => gateway.desk.hold(id, by),
      release: (id, by) => gateway.desk.release(id, by),
      withdraw: (id, by) => gateway.desk.withdraw(id, by),
      revoke: (recipient, product, by) => gateway.desk.revoke(recipient, product, by),
      policies: () => gateway.desk.policies(),
      proposePolicy: (yaml, by) => gateway.desk.proposePolicy(yaml, by),
      approvePolicy: (digest, by) => gateway.desk.approvePolicy(digest, by),
      receipt: (id) => gateway.desk.receipt(id),
    },
  };
}

/** The gateway's data folder, and the folder of the files that the configuration names. */
export function sharingFolder({ folder, files }: ServerSetup): { readonly dir: string; readonly configDir: string } {
  const dir = join(folder.root, 'sharing');
  const [configFile] = files;
  return { dir, configDir: configFile === undefined ? dir : dirname(configFile) };
}
