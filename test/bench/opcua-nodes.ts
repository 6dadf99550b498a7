/** What the server of opcua-items.ts has. */
export const itemsUri = 'urn:nhip:bench';

export function itemNode(i: number): string {
  return `nsu=${itemsUri};s=Value/${i}`;
}
