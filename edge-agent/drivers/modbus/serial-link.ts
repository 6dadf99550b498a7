import type { SerialPort } from 'serialport';
import { ConnectionLostError } from '../../driver.ts';
import { abortError, type Link } from './link.ts';

export interface SerialOptions {
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/** Loads the driver of serial lines; only connections that need one pay for it. */
async function loadSerialPort(): Promise<typeof SerialPort> {
  try {
    return (await import('serialport')).SerialPort;
  } catch (error) {
    throw new ConnectionLostError('serial lines need the package serialport: run "npm install serialport@13" beside the agent', error);
  }
}

/** A serial line, opened for this connection alone: no other program can open it meanwhile. */
export function createSerialLink(path: string, options: SerialOptions, load = loadSerialPort): Link {
  let port: SerialPort | undefined;
  let isClosed = false;
  /** While the operating system opens the port, it cannot be closed: it is closed right after. */
  const close = (): void => {
    isClosed = true;
    if (port?.isOpen === true) port.close(() => {});
  };
  return {
    name: path,
    open: async (events, signal) => {
      const Port = await load();
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const opening = new Port({ path, ...options, lock: true, autoOpen: false });
        port = opening;
        const abort = (): void => {
          close();
          reject(abortError(signal));
        };
        signal.addEventListener('abort', abort, { once: true });
        opening.on('error', (error) => {
          if (!isClosed) events.lost(new ConnectionLostError(`${path}: ${error.message}`, error));
        });
        opening.on('close', () => {
          if (!isClosed) events.lost(new ConnectionLostError(`${path}: the serial port is gone`));
        });
        opening.on('data', (chunk: Buffer) => {
          if (!isClosed) events.data(chunk);
        });
        opening.open((error) => {
          signal.removeEventListener('abort', abort);
          if (error !== null && error !== undefined) reject(new ConnectionLostError(`${path}: ${explain(error.message)}`, error));
          else if (isClosed) close();
          else resolve();
        });
      });
    },
    write: (bytes) => {
      if (port?.isOpen === true) port.write(bytes);
    },
    close,
  };
}

/** What the operating system says, with what to do about it. */
function explain(message: string): string {
  if (/lock|busy|temporarily unavailable/i.test(message)) return `another program uses the serial port (${message})`;
  if (/permission/i.test(message)) return `no permission; add the agent's user to the group dialout (${message})`;
  if (/no such file/i.test(message)) return `there is no such serial port; is the adapter plugged in? (${message})`;
  return message;
}
