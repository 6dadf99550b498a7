/** The names that a mistyped one probably means: at most three, the nearest first. */
export function nearestNames(wrong: string, names: Iterable<string>): readonly string[] {
  const most = Math.max(2, Math.floor(wrong.length / 3));
  return [...names]
    .map((name) => ({ name, distance: name.includes(wrong) || wrong.includes(name) ? 1 : editDistance(wrong, name) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Letters to add, to leave out or to change (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const change = (row[k - 1] ?? 0) + (a[i - 1] === b[k - 1] ? 0 : 1);
      next.push(Math.min(change, (row[k] ?? 0) + 1, (next[k - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
