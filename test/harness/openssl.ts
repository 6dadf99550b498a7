import { execFileSync } from 'node:child_process';

/** Runs Debian's openssl in a folder; throws when it fails, with what it says. */
export function openssl(dir: string, ...args: readonly string[]): void {
  // node-opcua's cryptography leaves OPENSSL_CONF set to "undefined" behind, a file that is not there.
  const { OPENSSL_CONF: _leftBehind, ...env } = process.env;
  execFileSync('openssl', args, { cwd: dir, env, stdio: 'pipe' });
}
