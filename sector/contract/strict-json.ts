/**
 * Parses JSON, and refuses an object that has a key twice: parsers differ in which of the two they keep, so a signature would be checked
 * over one text and another one read. Keys are compared after NFC, as canonicalJson writes them. Throws SyntaxError.
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // The text is sound JSON: strings and brackets are all that is needed to know which key belongs to which object.
  const open: Set<string>[] = [];
  for (const { 0: token, 1: key } of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (key !== undefined) {
      const name = (JSON.parse(key) as string).normalize('NFC');
      const keys = open.at(-1);
      if (keys?.has(name) === true) throw new SyntaxError(`the key ${JSON.stringify(name)} is there twice in one object`);
      keys?.add(name);
    }
  }
  return value;
}
