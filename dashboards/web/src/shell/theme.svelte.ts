import { readSetting, writeSetting } from './settings.ts';

export const themes = ['auto', 'light', 'dark'] as const;
export type ThemeChoice = (typeof themes)[number];

/** Light, dark, or as the device says. `painted` changes when colours do, so that canvases know when to draw again. */
class Theme {
  choice: ThemeChoice = $state('auto');
  #deviceDark = $state(false);
  readonly painted = $derived(this.choice === 'auto' ? (this.#deviceDark ? 'dark' : 'light') : this.choice);

  start(): void {
    const device = matchMedia('(prefers-color-scheme: dark)');
    this.#deviceDark = device.matches;
    device.addEventListener('change', (event) => {
      this.#deviceDark = event.matches;
    });
    const stored = readSetting('theme');
    this.#apply(stored === 'light' || stored === 'dark' ? stored : 'auto');
  }

  choose(choice: ThemeChoice): void {
    this.#apply(choice);
    writeSetting('theme', choice);
  }

  #apply(choice: ThemeChoice): void {
    this.choice = choice;
    if (choice === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
  }
}

export const theme = new Theme();
