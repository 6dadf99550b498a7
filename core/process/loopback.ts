/** Whether an address to listen on or to connect to is this computer's own; a name other than `localhost` is not. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
