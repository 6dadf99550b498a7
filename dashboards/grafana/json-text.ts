const lineWidth = 140;

/** JSON as the repository's formatter writes it, so that a generated file passes its check: objects open, lists in one line where they fit. */
export function jsonText(value: unknown): string {
  return `${textOf(JSON.parse(JSON.stringify(value)), 0, 0)}\n`;
}

function textOf(value: unknown, depth: number, before: number): string {
  const inner = '  '.repeat(depth + 1);
  const end = `\n${'  '.repeat(depth)}`;
  if (Array.isArray(value)) {
    const isFlat = value.every((item) => typeof item !== 'object' || item === null);
    const flat = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    if (isFlat && depth * 2 + before + flat.length < lineWidth) return flat;
    return `[\n${value.map((item) => inner + textOf(item, depth + 1, 0)).join(',\n')}${end}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  const lines = entries.map(([key, item]) => {
    const name = `${JSON.stringify(key)}: `;
    return inner + name + textOf(item, depth + 1, name.length);
  });
  return `{\n${lines.join(',\n')}${end}}`;
}
