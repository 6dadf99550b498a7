import { ConfigError, PermanentError } from '@nhip/core/process/errors';
import { createPasswords } from '@nhip/live/auth/password';
import { scopeWords } from '@nhip/live/auth/scope';
import { addUser, readUsers, removeUser, renewPassword, type UserRole, userRoles } from '@nhip/live/auth/user-file';
import { type Command, commonFlags } from '../arguments.ts';
import { apiFolder, dataFolder, makePrivate } from '../folders.ts';

export const user: Command = {
  name: 'user',
  usage: 'add NAME | list | password NAME | remove NAME',
  summary:
    'People who log in to the board. Passwords are made here and shown once. Works while the server runs, which knows within a second.',
  flags: {
    data: commonFlags.data,
    role: { summary: `add: ${userRoles.join(', ')}; each includes those before it (default read)`, value: 'ROLE' },
    of: { summary: 'server, or live where the roles run apart (default: whichever was started on the data folder)', value: 'ROLE' },
    json: { summary: 'Answer as JSON' },
  },
  async run(input) {
    const [action, name = ''] = input.positionals;
    const folder = apiFolder(input.text('of'), dataFolder(input.text('data')));
    const say = (value: unknown, text: string): void => {
      process.stdout.write(input.isSet('json') ? `${JSON.stringify(value)}\n` : `${text}\n`);
    };
    const shown = (password: string, role?: UserRole): void =>
      say(
        { name, ...(role === undefined ? {} : { role }), password },
        `user      ${name}\npassword  ${password}\n${role === undefined ? '' : `role      ${role}: ${scopeWords[role]}\n`}\nShown once: hand it over now.`,
      );
    try {
      switch (action) {
        case 'add': {
          const role = readRole(input.text('role'));
          makePrivate(folder);
          shown(await addUser(folder, { name, role }, createPasswords()), role);
          return 0;
        }
        case 'password':
          shown(await renewPassword(folder, name, createPasswords()));
          return 0;
        case 'remove':
          await removeUser(folder, name);
          say({ removed: true }, `${name} removed and logged out`);
          return 0;
        case 'list': {
          const list = ((await readUsers(folder)) ?? []).map(({ name: each, role }) => ({ name: each, role }));
          say(
            list,
            list.map((each) => `${each.name.padEnd(24)} ${each.role}`).join('\n') ||
              'No users yet: the first start of the server makes admin',
          );
          return 0;
        }
        default:
          throw new ConfigError('nhip user', ['say add, list, password or remove; nhip user --help']);
      }
    } catch (error) {
      if (error instanceof PermanentError && error.code.startsWith('user.')) throw new ConfigError(`nhip user ${action}`, [error.message]);
      throw error;
    }
  },
};

function readRole(text: string | undefined): UserRole {
  const role = userRoles.find((each) => each === (text ?? 'read'));
  if (role !== undefined) return role;
  throw new ConfigError('--role', [`"${text}" is none of ${userRoles.join(', ')}`]);
}
