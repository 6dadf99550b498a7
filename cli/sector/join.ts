import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createGatewayFiles } from '@nhip/sector/gateway/gateway-files';
import { type Command, commonFlags } from '../arguments.ts';
import { serverConfig } from '../server-config.ts';
import { joinPlatform } from './join-platform.ts';

const timeoutMs = 30_000;

export const join: Command = {
  name: 'sector join',
  summary:
    "Joins this factory to a sector server with the one-time code of its operator: makes the plant's signing key where there is none, writes the secret and the platform's key beside the configuration. For the factory.",
  flags: {
    config: commonFlags.config,
    recipient: { summary: 'Recipient of `sharing.recipients`', value: 'ID' },
    url: { summary: 'The sector server, e.g. https://sector.example.vn/v1', value: 'URL' },
    code: { summary: 'The one-time code', value: 'CODE', env: 'NHIP_SECTOR_CODE' },
    json: { summary: 'Answer as one line of JSON' },
  },
  async run(input) {
    const need = (flag: string): string => {
      const text = input.text(flag);
      if (text === undefined) throw new ConfigError('nhip sector join', [`--${flag} is missing`]);
      return text;
    };
    const configFile = need('config');
    const { sharing } = loadConfig(serverConfig, configFile, process.env);
    const id = need('recipient');
    const recipient = sharing?.recipients[id];
    if (sharing === undefined || recipient === undefined) throw new ConfigError(configFile, [`sharing.recipients.${id} is missing`]);
    const { secretFile, platformKeyFile } = recipient;
    if (secretFile === undefined)
      throw new ConfigError(configFile, [`sharing.recipients.${id}.secretFile is missing: say where the secret goes`]);
    const folder = dirname(resolve(configFile));
    const files = { secret: resolve(folder, secretFile), platformKey: resolve(folder, platformKeyFile) };
    for (const place of Object.values(files))
      if (existsSync(place)) throw new ConfigError(place, ['exists already: this factory has joined; move the file away to join anew']);
    const ownFiles = createGatewayFiles(sharing, folder);
    const key = await ownFiles.signingKey();
    // Over mutual TLS the platform takes the certificate as that of this client.
    const tls = await ownFiles.tls(recipient);
    const times = { tls, nowMs: createNodeClock().now(), signal: AbortSignal.timeout(timeoutMs) };
    const { kid, clientId } = await joinPlatform(files, need('url'), need('code'), key, times);
    const words = [
      `clientId  ${clientId}     ← put it into sharing.recipients.${id}.clientId of ${configFile}`,
      `key       ${kid}`,
      `secret    ${files.secret}`,
      `platform  ${files.platformKey}     compare it with what the operator tells you by another way`,
    ];
    process.stdout.write(`${input.isSet('json') ? JSON.stringify({ kid, clientId }) : words.join('\n')}\n`);
    return 0;
  },
};
