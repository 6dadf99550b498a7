/**
 * The texts of the elements of a JSON array, as they stand: a report keeps the bytes that its sender wrote. `text` must be valid JSON (say,
 * JSON.parse took it) and an array.
 */
export function splitArray(text: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') {
      if (start < 0) start = i;
      i = endOfString(text, i);
    } else if (char === '[' || char === '{') {
      depth += 1;
      if (depth === 2 && start < 0) start = i;
    } else if (char === ']' || char === '}') {
      depth -= 1;
      if (depth === 0) push(i);
    } else if (char === ',' && depth === 1) {
      push(i);
    } else if (start < 0 && !isSpace(char)) {
      start = i;
    }
  }
  return elements;

  function push(end: number): void {
    if (start >= 0) elements.push(text.slice(start, end).trimEnd());
    start = -1;
  }
}

/** Position of the closing quote. */
function endOfString(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
  return text.length;
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\n' || char === '\r' || char === '\t';
}
