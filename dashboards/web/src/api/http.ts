/** A refused or failed request, with the words of the server's problem document (RFC 9457) where it sent one. */
export class HttpProblem extends Error {
  /** HTTP status; 0 when the server could not be reached. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HttpProblem';
    this.status = status;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

export function apiUrl(path: string, query: Query = {}): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.set(name, String(value));
  const search = text.toString();
  return `/api/v1${path}${search === '' ? '' : `?${search}`}`;
}

/** Sends a request on the session cookie. Throws HttpProblem; an abort throws the signal's reason. */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin', cache: 'no-store', ...init });
  } catch (err) {
    if (init.signal?.aborted) throw err;
    throw new HttpProblem(0, `${url} cannot be reached`, { cause: err });
  }
  if (!response.ok) throw new HttpProblem(response.status, await problemText(response));
  return response;
}

/** GET of a JSON document of our own API, whose shape the contract in core/wire promises. */
export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await request(url, { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) });
  return (await response.json()) as T;
}

async function problemText(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: unknown; title?: unknown };
    if (typeof problem.detail === 'string') return problem.detail;
    if (typeof problem.title === 'string') return problem.title;
  } catch {
    // Not a problem document: the status line has to do.
  }
  return `${response.status} ${response.statusText}`.trim();
}
