import { accessSync, constants, statSync } from 'node:fs';
import { codeOf, type Finding, note, ok, wrong } from './finding.ts';

/** `unknown`: not on a computer with device files. */
export type SerialPortState = 'usable' | 'missing' | 'notADevice' | 'forbidden' | 'unknown';

/** What the file of a serial port says for who runs the doctor. It is not opened: the agent may be using it, and alone. */
export function serialPortState(path: string): SerialPortState {
  if (!path.startsWith('/')) return 'unknown';
  try {
    if (!statSync(path).isCharacterDevice()) return 'notADevice';
    accessSync(path, constants.R_OK | constants.W_OK);
    return 'usable';
  } catch (error) {
    return ['EACCES', 'EPERM'].includes(codeOf(error)) ? 'forbidden' : 'missing';
  }
}

/** `who` is the connection with its endpoint. */
export function serialPortFinding(who: string, state: SerialPortState): Finding {
  switch (state) {
    case 'usable':
      return ok('machines', `${who} is there; whether the devices behind it answer, only the agent can ask.`);
    case 'unknown':
      return note('machines', `${who} cannot be looked at on this computer.`);
    case 'missing':
      return wrong('machines', `${who} is not there.`, 'Is the adapter plugged in? Names such as ttyUSB0 change: see /dev/serial/by-id.');
    case 'notADevice':
      return wrong('machines', `${who} is no serial port.`, 'Mend the endpoint: ls /dev/serial/by-id shows the ports.');
    case 'forbidden':
      return wrong(
        'machines',
        `${who} may not be opened by this user.`,
        "Run the doctor as the agent's user; that one needs the group dialout.",
      );
  }
}
