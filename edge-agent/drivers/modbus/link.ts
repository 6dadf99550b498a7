/** A stream of bytes to and from devices, without any idea of Modbus: a TCP connection, a modem that dialled in, a serial line. */
export interface Link {
  /** For messages: `192.168.1.20:502`, `/dev/ttyUSB0`. */
  readonly name: string;
  /** Calls `events` from then on. Rejects when the signal aborts, and leaves nothing open then. Once per link. */
  open(events: LinkEvents, signal: AbortSignal): Promise<void>;
  write(bytes: Buffer): void;
  /** Any time, any number of times. Events that still come after it mean nothing. */
  close(): void;
}

export interface LinkEvents {
  data(chunk: Buffer): void;
  /** The link is gone. */
  lost(error: Error): void;
}

/** The signal's reason as an error. */
export function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}
