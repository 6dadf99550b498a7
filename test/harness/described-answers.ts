import { Ajv2020 } from 'ajv/dist/2020.js';

/** Fails a test when the server answers in another form than its own description (`/api/openapi.json`) promises. */
export interface DescribedAnswers {
  /** `path` as asked, query included. Throws with what differs, or when the path is not described. */
  check(method: 'GET' | 'POST', path: string, status: number, body: unknown): void;
}

export async function readDescription(origin: string): Promise<DescribedAnswers> {
  const document = (await (await fetch(`${origin}/api/openapi.json`)).json()) as { readonly paths: Readonly<Record<string, object>> };
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ ...document, $id: 'https://nhip.invalid/api' });
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`),
    parameters: template.split('{').length,
  }));
  return {
    check(method, path, status, body) {
      const [bare = ''] = path.split('?');
      const found = templates.filter(({ pattern }) => pattern.test(bare)).sort((a, b) => a.parameters - b.parameters)[0];
      if (found === undefined) throw new Error(`${method} ${bare} is not described`);
      const place = [found.template, method.toLowerCase(), 'responses', String(status), 'content', 'application/json', 'schema'];
      const pointer = place.map((each) => encodeURIComponent(each.replace(/~/g, '~0').replace(/\//g, '~1'))).join('/');
      const validate = ajv.compile({ $ref: `https://nhip.invalid/api#/paths/${pointer}` });
      if (!validate(body)) throw new Error(`${method} ${path} → ${status}: ${ajv.errorsText(validate.errors)}`);
    },
  };
}
