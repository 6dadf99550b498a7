/** Runs the tasks in order, at most `limit` at a time: a factory is five processes. */
export async function runTwoAtOnce<T>(tasks: readonly T[], run: (task: T) => Promise<void>, limit = 2): Promise<void> {
  const queue = [...tasks];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: limit }, work));
}
