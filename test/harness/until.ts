type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/** Resolves with the first truthy result of `probe`, tried again and again; rejects with `what` and the last error after `deadlineMs`. */
export async function until<T>(what: string, probe: () => Promise<T> | T, deadlineMs = 15_000): Promise<Truthy<T>> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const result = await probe();
      if (result) return result as Truthy<T>;
      last = result;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end)
      throw new Error(`not within ${deadlineMs} ms: ${what} (last: ${last instanceof Error ? last.message : String(last)})`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
