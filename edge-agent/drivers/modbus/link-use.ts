import { ConnectionLostError } from '../../driver.ts';
import type { Link, LinkEvents } from './link.ts';

/** A transport's hold on its link: it is opened once, and the first reason for which it was lost stays the reason. */
export interface LinkUse {
  readonly name: string;
  /** Rejects with why the link is lost, or could not be opened. */
  connect(data: LinkEvents['data'], signal: AbortSignal): Promise<void>;
  /** Throws when nothing can be sent. */
  assertOpen(): void;
  isLost(): boolean;
  write(frame: Buffer): void;
  /** Closes the link, for good. `onLost` is called the first time. */
  drop(reason: Error): void;
}

export function createLinkUse(link: Link, onLost: (reason: Error) => void): LinkUse {
  let isUsed = false;
  let isOpen = false;
  let lost: Error | undefined;

  function drop(reason: Error): void {
    if (lost === undefined) {
      lost = reason;
      onLost(reason);
    }
    link.close();
  }

  return {
    name: link.name,
    async connect(data, signal) {
      if (lost !== undefined) throw lost;
      if (isUsed) throw new Error('a Modbus transport connects once');
      isUsed = true;
      await link.open({ data, lost: drop }, signal).catch(drop);
      if (lost !== undefined) throw lost;
      isOpen = true;
    },
    assertOpen() {
      if (lost !== undefined) throw lost;
      if (!isOpen) throw new ConnectionLostError(`${link.name}: not connected`);
    },
    isLost: () => lost !== undefined,
    write: (frame) => link.write(frame),
    drop,
  };
}
