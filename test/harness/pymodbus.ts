import { existsSync } from 'node:fs';
import { startProcess } from './nhip.ts';

/** Debian's: another Python in the path would not find its modules. */
const python = '/usr/bin/python3';
const modules = '/usr/lib/python3/dist-packages';

/** Said where a test is skipped without `hasPymodbus`. Debian only recommends the second package, and every server of pymodbus loads it. */
export const pymodbusPackages = 'needs the Debian packages python3-pymodbus and python3-serial-asyncio';

/** Whether pymodbus, a Modbus stack by others, is here. */
export const hasPymodbus = existsSync(python) && ['pymodbus', 'serial_asyncio'].every((name) => existsSync(`${modules}/${name}`));

/** Does `work` beside a pymodbus server, whose `program` finds `argument` in `sys.argv[1]`. Rejects with what Python said when it ends first. */
export async function besidePymodbus<T>(program: string, argument: string, work: () => Promise<T>): Promise<T> {
  const server = startProcess([python, '-c', program, argument]);
  const ended = server.ended.then(({ stderr }) => Promise.reject(new Error(`pymodbus ended: ${stderr.slice(-1500)}`)));
  try {
    return await Promise.race([work(), ended]);
  } finally {
    ended.catch(() => undefined);
    await server.kill();
  }
}
