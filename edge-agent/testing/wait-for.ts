/** Resolves when `condition` is true; rejects with `what` after `limitMs`. For tests that talk to real peers. */
export async function waitFor(what: string, condition: () => boolean, limitMs = 5_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
