/** HTML that needs no escaping any more. */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Html[];

/** Tagged template: everything that is put in is escaped, except what is Html already. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.reduce((whole, text, i) => whole + textOf(parts[i - 1] ?? '') + text) };
}

function textOf(part: Part): string {
  if (typeof part === 'object' && 'html' in part) return part.html;
  if (typeof part === 'object') return part.map(({ html: each }) => each).join('');
  return String(part).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
