import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { PermanentError, RetryableError } from '@nhip/core/process/errors';

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** Value of a header, '' when it is absent. */
  header(name: string): string;
}

export interface HttpClient {
  /**
   * One request. Rejects with RetryableError `store.unreachable` when no connection was made and `store.unanswered` when what became
   * of the request is not known.
   */
  post(path: string, body: string | Uint8Array, options: { readonly timeoutMs: number; readonly contentType: string }): Promise<HttpAnswer>;
  get(path: string, options: { readonly timeoutMs: number }): Promise<HttpAnswer>;
  /** Ends all connections; what is on the way fails. */
  close(): void;
}

/** A larger answer is no answer to anything that is asked here. */
const maxAnswerBytes = 134_217_728;

/** Keep-alive connections to one server, at most `maxSockets`. Every request here may be sent twice without harm. */
export function createHttpClient(options: {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly ca: string | undefined;
  readonly maxSockets: number;
  /** What the server is called in errors; default InfluxDB. */
  readonly product?: string;
  /** A connection has ended, for whatever reason. */
  onDisconnect?(): void;
}): HttpClient {
  const product = options.product ?? 'InfluxDB';
  const base = options.url.replace(/\/+$/, '');
  const isTls = base.startsWith('https:');
  const agentOptions = { keepAlive: true, maxSockets: options.maxSockets };
  const agent = isTls
    ? new HttpsAgent({ ...agentOptions, ...(options.ca === undefined ? {} : { ca: options.ca }) })
    : new HttpAgent(agentOptions);
  const send = isTls ? httpsRequest : httpRequest;
  const sockets = new WeakSet<Socket>();
  let isClosed = false;

  function once(
    method: string,
    path: string,
    body: string | Uint8Array | undefined,
    contentType: string,
    timeoutMs: number,
  ): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const content = typeof body === 'string' ? Buffer.from(body) : body;
      const request = send(`${base}${path}`, {
        method,
        agent,
        headers: {
          ...(options.authorization === undefined ? {} : { authorization: options.authorization }),
          ...(content === undefined ? {} : { 'content-type': contentType, 'content-length': content.length }),
        },
      });
      let hasTimedOut = false;
      let isSettled = false;
      // Of the whole exchange: a server that is stopped or out of disk may accept the connection and never answer.
      const timer = setTimeout(() => {
        hasTimedOut = true;
        request.destroy(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      // May come more than once, and after the answer: a server may answer and break the connection before all was sent.
      const fail = (error: NodeJS.ErrnoException): void => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(timer);
        // A connection that the server had closed while it was idle: nothing is wrong.
        if (request.reusedSocket && !hasTimedOut && !isClosed && error.code === 'ECONNRESET')
          once(method, path, body, contentType, timeoutMs).then(resolve, reject);
        else reject(error instanceof PermanentError ? error : failure(`${product} at ${base}`, error));
      };
      const succeed = (answer: HttpAnswer): void => {
        // Nobody has stored what has not arrived; and whoever is told that it has may use the memory of the rest for something else.
        if (answer.status < 300 && !request.writableFinished) {
          fail(new Error(`${answer.status} before all was sent`));
          request.destroy();
          return;
        }
        isSettled = true;
        clearTimeout(timer);
        resolve(answer);
      };
      request.once('socket', (socket) => {
        if (sockets.has(socket)) return;
        sockets.add(socket);
        socket.once('close', () => options.onDisconnect?.());
      });
      request.on('error', fail);
      request.once('response', (response) => void collect(response, product).then(succeed, fail));
      request.end(content);
    });
  }

  return {
    post: (path, body, { timeoutMs, contentType }) => once('POST', path, body, contentType, timeoutMs),
    get: (path, { timeoutMs }) => once('GET', path, undefined, '', timeoutMs),
    close() {
      isClosed = true;
      agent.destroy();
    },
  };
}

async function collect(response: IncomingMessage, product: string): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes)
      throw new PermanentError('store.answerTooLarge', `The answer of ${product} is larger than ${maxAnswerBytes} bytes: ask for less`);
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    text: Buffer.concat(chunks).toString(),
    header: (name) => String(response.headers[name] ?? ''),
  };
}

const notConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

function failure(where: string, error: NodeJS.ErrnoException): RetryableError {
  // Several addresses of one name fail as one error without words.
  const reason = error.message || error.code || 'no connection';
  if (error.code !== undefined && notConnected.has(error.code)) {
    return new RetryableError('store.unreachable', `${where} cannot be reached (${reason}): start it, or correct its url`, {
      cause: error,
    });
  }
  return new RetryableError('store.unanswered', `${where} did not answer (${reason})`, { cause: error });
}
