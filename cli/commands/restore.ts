import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import { formatTime } from '@nhip/core/wire/time';
import { type Command, commonFlags } from '../arguments.ts';
import { readLogPlace } from '../backup/log-place.ts';
import { describeLog, planRestore, putInPlace, stageBackup } from '../backup/restore-backup.ts';
import { describeSharing, sharingPlaces } from '../backup/sharing-backup.ts';
import { makePrivate } from '../folders.ts';
import { embeddedStore } from '../history.ts';
import { serverSetup } from '../server-config.ts';

export const restore: Command = {
  name: 'restore',
  usage: 'FOLDER | FILE.tar',
  summary:
    'Puts a backup in place, with the server stopped. Checks every byte first, deletes nothing: what is replaced is renamed. The log stays, so what came since the backup is stored again at the next start.',
  flags: {
    config: commonFlags.config,
    data: commonFlags.data,
    accounts: { summary: 'Also replace users, tokens and MQTT credentials that are here; without it only missing ones are restored' },
    sharing: {
      summary:
        'Also replace what was shared with sector platforms, its policies and keys; then nothing leaves until people have approved a new version of the policy',
    },
    check: { summary: 'Check the backup, say what would happen, change nothing' },
    json: { summary: 'One line of JSON when done' },
  },
  async run(input) {
    const [wanted, ...rest] = input.positionals;
    if (wanted === undefined || rest.length > 0) throw new ConfigError('nhip restore', ['say the FOLDER or FILE.tar of one backup']);
    const setup = serverSetup(input, process.env);
    const { config, folder } = setup;
    const say = (line: string): void => void (input.isSet('json') || process.stdout.write(`${line}\n`));
    makePrivate(folder.server);
    await lockFolder(folder.server);
    const { folder: staged, manifest } = await stageBackup(resolve(wanted), folder.root);
    const storeFile = embeddedStore(config.store, folder).file;
    const sharing = sharingPlaces(setup);
    const target = { root: folder.root, serverDir: folder.server, storeFile, sharing };
    const stamp = new Date(createNodeClock().now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const steps = planRestore(manifest, target, { accounts: input.isSet('accounts'), sharing: input.isSet('sharing') }, stamp);
    const place = await readLogPlace(folder.server);
    const log = describeLog(manifest, place);
    say(
      `Backup of ${formatTime(manifest.createdMs)}, Nhịp ${manifest.versions.nhip}: ${manifest.files.length} files, every one as it was written.`,
    );
    for (const { to, aside } of steps) say(`  ${to}${aside === undefined ? '' : `\n    what is there now: ${aside}`}`);
    say(log);
    const shared = describeSharing(manifest, sharing, steps);
    if (shared !== undefined) say(shared);
    const isCheck = input.isSet('check');
    if (isCheck) await rm(staged, { recursive: true, force: true });
    else await putInPlace(staged, manifest, target, steps, place);
    say(isCheck ? 'Nothing was changed.' : 'Restored. Start the server now.');
    if (input.isSet('json')) process.stdout.write(`${JSON.stringify({ restored: !isCheck, steps, log })}\n`);
    return 0;
  },
};
