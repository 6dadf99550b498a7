import { existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { enrol } from '@nhip/sector/gateway/enrol';
import { createGatewayFiles } from '@nhip/sector/gateway/gateway-files';
import { type Command, commonFlags } from '../arguments.ts';
import { serverConfig } from '../server-config.ts';

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
    const places = [resolve(folder, secretFile), resolve(folder, platformKeyFile)] as const;
    for (const place of places)
      if (existsSync(place)) throw new ConfigError(place, ['exists already: this factory has joined; move the file away to join anew']);
    const key = await createGatewayFiles(sharing, folder).signingKey();
    const given = await enrol(need('url'), need('code'), key, { nowMs: createNodeClock().now(), signal: AbortSignal.timeout(timeoutMs) });
    writeFileSync(places[0], `${given.clientSecret}\n`, { mode: 0o600, flag: 'wx' });
    writeFileSync(places[1], `${JSON.stringify(given.platformKey, null, 2)}\n`, { mode: 0o644, flag: 'wx' });
    const { kid, clientId } = given;
    const words = [
      `clientId  ${clientId}     ← put it into sharing.recipients.${id}.clientId of ${configFile}`,
      `key       ${kid}`,
      `secret    ${places[0]}`,
      `platform  ${places[1]}     compare it with what the operator tells you by another way`,
    ];
    process.stdout.write(`${input.isSet('json') ? JSON.stringify({ kid, clientId }) : words.join('\n')}\n`);
    return 0;
  },
};
