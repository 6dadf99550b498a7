import type { Local } from './language.ts';

/** A panel as data, in both languages at once. `build-panel.ts` makes Grafana's JSON of it. */
export interface PanelSpec {
  /** Stable for ever within its dashboard: links to a panel and alert rules name it. */
  readonly id: number;
  readonly kind: PanelKind;
  readonly title: Local;
  /** What is shown and how it is reckoned: the question mark in the corner. */
  readonly description: Local;
  /** Grafana's unit id, or `suffix: …` in both languages. */
  readonly unit: string | Local;
  /** Of 24 columns. Rows must be full. */
  readonly width: number;
  /** Of 30 px. Panels of a row are equally high. */
  readonly height: number;
  readonly targets: readonly Target[];
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** Least time between two points. */
  readonly interval?: string;
  /** Colour below the first limit, then from each limit on. */
  readonly thresholds?: readonly Threshold[];
  /** Which words and colours replace the values. */
  readonly mapping?: Mapping;
  /** Shown for no rows. */
  readonly noValue?: Local;
  readonly style?: 'line' | 'area' | 'bars' | 'stackedBars';
  /** Table: title and looks of the columns, in their order; others are hidden. */
  readonly columns?: readonly Column[];
  /** Table: counts the rows that have the same value in this column, in minutes. */
  readonly countBy?: string;
  /** Table: sorted by this column, largest first. */
  readonly sortBy?: string;
  /** Series are named by what their machine is called within its edge. */
  readonly naming?: Naming;
  /** Stat: shows this text column of a table instead of a number. */
  readonly textField?: string;
  /** Text panel, Markdown. */
  readonly content?: Local;
}

export type PanelKind = 'stat' | 'timeseries' | 'stateTimeline' | 'table' | 'barGauge' | 'text';
export type Mapping = 'state' | 'connection' | 'alarm' | 'alarmChange' | 'storeUp' | 'full' | 'lossReason';
/** `machine`: CNC-01; `alarm`: CNC-01 · ToolBroken; `edge`: edge-1. */
export type Naming = 'machine' | 'alarm' | 'edge';

export interface Target {
  readonly source: 'influx' | 'prometheus';
  readonly query: string;
  /** Influx: name of a series, with $tag_… and $col. Prometheus: legend, with {{label}}. */
  readonly alias?: string | Local;
  /** Default time series. */
  readonly format?: 'table';
}

export interface Threshold {
  /** null for the first. */
  readonly from: number | null;
  readonly colour: string;
}

export interface Column {
  readonly field: string;
  readonly title: Local;
  readonly unit?: string | Local;
  readonly decimals?: number;
  readonly mapping?: Mapping;
  /** Opens the machine in Nhịp. */
  readonly link?: 'machine';
  readonly width?: number;
}
