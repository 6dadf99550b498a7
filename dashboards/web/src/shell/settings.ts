/** What one browser remembers. Storage may be forbidden (private window, policy): then nothing is remembered, and nothing breaks. */
type Setting = 'lang' | 'theme';

export function readSetting(name: Setting): string | null {
  try {
    return localStorage.getItem(`nhip.${name}`);
  } catch {
    return null;
  }
}

export function writeSetting(name: Setting, value: string): void {
  try {
    localStorage.setItem(`nhip.${name}`, value);
  } catch {
    // The choice holds until the page is closed.
  }
}
