import type { Local } from './language.ts';
import type { PanelSpec } from './panel-spec.ts';

/** A dashboard as data, in both languages at once. */
export interface DashboardSpec {
  /** Its uid is this and the language: `nhip-overview-vi`. Stable for ever. */
  readonly id: string;
  readonly title: Local;
  readonly description: Local;
  /** How far back it looks at first, e.g. `now-8h`. */
  readonly from: string;
  readonly refresh: string;
  readonly variables: readonly VariableName[];
  readonly panels: readonly PanelSpec[];
  /** Page of the web board that says more. */
  readonly page?: { readonly title: Local; readonly path: string };
}

/**
 * `machines`: several of a line; `machine`: one; `meters`: what counts energy; `everything`: whatever wrote samples. All four are the
 * variable `machine`. `metrics`: process values of the machine.
 */
export type VariableName = 'line' | 'machines' | 'machine' | 'meters' | 'everything' | 'metrics';

export function uidOf(id: string, language: string): string {
  return `nhip-${id}-${language}`;
}
