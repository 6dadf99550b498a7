import { openCredentials } from '@nhip/broker/auth/credentials';
import { ConfigError, PermanentError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { type Command, commonFlags } from '../arguments.ts';
import { dataFolder, makePrivate } from '../folders.ts';

export const device: Command = {
  name: 'device',
  usage: 'add <group>/<edge> | list | remove <group>/<edge>',
  summary:
    'MQTT credentials of publishers: an edge agent or any MQTT device. The password is shown once; adding a name again renews it. Works while the server runs: connections of a removed or renewed one end within a second or two.',
  flags: { data: commonFlags.data, json: { summary: 'Answer as JSON' } },
  async run(input) {
    const [action, name = ''] = input.positionals;
    const folder = dataFolder(input.text('data'));
    const credentials = openCredentials(folder.credentials);
    const say = (value: unknown, text: string): void => {
      process.stdout.write(input.isSet('json') ? `${JSON.stringify(value)}\n` : `${text}\n`);
    };
    switch (action) {
      case 'add': {
        makePrivate(folder.server);
        try {
          const made = credentials.add(name, createNodeClock().now());
          say(made, `user      ${made.username}\npassword  ${made.password}\n\nShown once: put it into the device now.`);
        } catch (error) {
          if (error instanceof PermanentError && error.code === 'device.name') throw new ConfigError('nhip device add', [error.message]);
          throw error;
        }
        return 0;
      }
      case 'list': {
        const list = credentials.list().map(({ username, createdMs }) => ({ username, created: new Date(createdMs).toISOString() }));
        say(
          list,
          list.map(({ username, created }) => `${created}  ${username}`).join('\n') || 'No devices yet: nhip device add <group>/<edge>',
        );
        return 0;
      }
      case 'remove': {
        const existed = credentials.remove(name);
        say(
          { removed: existed },
          existed ? `${name} removed; it cannot log in any more, and its connections end` : `There is no device ${name}`,
        );
        return existed ? 0 : 1;
      }
      default:
        throw new ConfigError('nhip device', ['say add, list or remove; nhip device --help']);
    }
  },
};
