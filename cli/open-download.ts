import { get as getPlain, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { get as getEncrypted } from 'node:https';

/**
 * GET of what the server may have to make first: the head of its answer may take as long as the body. (`fetch` of Node gives up after
 * five minutes without a head, whatever its signal says.) Resolves with the head, its body still to come; follows no redirect. Rejects
 * with what node:http says; a body that is not there `withinMs` after the request breaks off.
 */
export function openDownload(url: string, headers: OutgoingHttpHeaders, withinMs: number): Promise<IncomingMessage> {
  const get = url.startsWith('https:') ? getEncrypted : getPlain;
  return new Promise((resolve, reject) => {
    get(url, { headers, signal: AbortSignal.timeout(withinMs) }, resolve).on('error', reject);
  });
}
