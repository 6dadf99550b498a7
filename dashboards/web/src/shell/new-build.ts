/** Reloads an unattended screen after an update of the server: when the page's own script is no longer the one that the server hands out. */
export async function reloadWhenRebuilt(): Promise<void> {
  try {
    const page = await (await fetch('/', { cache: 'no-store' })).text();
    const scripts = [...document.querySelectorAll<HTMLScriptElement>('script[type=module][src]')];
    const isCurrent = scripts.every((script) => page.includes(new URL(script.src).pathname));
    if (page.includes('<script') && !isCurrent) location.reload();
  } catch {
    // The server is not back yet; its next change is another chance.
  }
}
