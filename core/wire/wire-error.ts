/** Bytes or text from outside that cannot be understood. Never retried: the input stays wrong. */
export class WireError extends Error {
  readonly code: 'wire.truncated' | 'wire.malformed' | 'wire.tooLarge' | 'wire.topic';
  constructor(code: WireError['code'], message: string) {
    super(message);
    this.name = 'WireError';
    this.code = code;
  }
}
