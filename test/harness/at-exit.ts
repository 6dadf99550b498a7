const undos = new Set<() => void>();

process.once('exit', () => {
  for (const undo of [...undos].reverse()) {
    try {
      undo();
    } catch {
      // What cannot be undone must not keep the rest from it.
    }
  }
});

/** Runs `undo` (synchronous) when the process ends before the function that is returned was called, which runs it too. */
export function atExit(undo: () => void): () => void {
  undos.add(undo);
  return () => {
    if (undos.delete(undo)) undo();
  };
}
