import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { DrawnColumns } from './trend-series.ts';

export interface TrendChartOptions {
  readonly height: number;
  /** Axis labels for round times; both from the page, so that all time axes agree. */
  readonly ticks: (from: number, to: number, most: number) => readonly number[];
  readonly timeLabel: (ms: number, lengthMs: number) => string;
  readonly valueLabel: (value: number) => string;
  readonly onSelect: (from: number, to: number) => void;
  readonly onReset: () => void;
  /** Index of the point under the cursor, null when it leaves. */
  readonly onPoint: (index: number | null) => void;
}

export interface TrendChart {
  show(columns: DrawnColumns, from: number, to: number): void;
  destroy(): void;
}

/** Left edge of every plot, px: the state timeline keeps the same one. */
export const plotLeftPx = 58;

/** Draws one metric into `host` with uPlot, as wide as the host. Colours are read from the page when the chart is made. */
export function createTrendChart(host: HTMLElement, options: TrendChartOptions): TrendChart {
  const ink = {
    line: cssColour(host, '--accent'),
    grid: cssColour(host, '--line'),
    text: cssColour(host, '--muted'),
  };
  const font = `12px ${getComputedStyle(host).fontFamily}`;
  const axis = { stroke: ink.text, font, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false } };
  // A value holds until the next one.
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const held = stepped === undefined ? {} : { paths: stepped };
  let window: [number, number] = [0, 1];
  const resetZoom = (): null => {
    options.onReset();
    return null;
  };
  const plot = new uPlot(
    {
      width: Math.max(host.clientWidth, 200),
      height: options.height,
      ms: 1,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      scales: { x: { time: true, range: () => window }, y: { range: (_plot, min, max) => paddedRange(min, max) } },
      cursor: {
        y: false,
        sync: { key: 'trends' },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => resetZoom },
      },
      select: { show: true, left: 0, top: 0, width: 0, height: 0 },
      axes: [
        {
          ...axis,
          size: 26,
          splits: (plot) => [...options.ticks(window[0], window[1], Math.max(2, Math.floor(plot.width / 90)))],
          values: (_plot, splits) => splits.map((ms) => options.timeLabel(ms, window[1] - window[0])),
        },
        { ...axis, size: plotLeftPx, values: (_plot, splits) => splits.map((value) => options.valueLabel(value)) },
      ],
      series: [
        {},
        { stroke: ink.line, width: 1.6, points: { show: false }, spanGaps: false, ...held },
        { stroke: 'transparent', width: 0, points: { show: false }, ...held },
        { stroke: 'transparent', width: 0, points: { show: false }, ...held },
      ],
      bands: [{ series: [3, 2], fill: withAlpha(ink.line, 0.22) }],
      hooks: {
        setSelect: [
          (plot) => {
            if (plot.select.width < 4) return;
            options.onSelect(plot.posToVal(plot.select.left, 'x'), plot.posToVal(plot.select.left + plot.select.width, 'x'));
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        setCursor: [(plot) => options.onPoint(plot.cursor.idx ?? null)],
      },
    },
    [[], [], [], []],
    host,
  );
  const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(host.clientWidth, 200), height: options.height }));
  resize.observe(host);
  return {
    show(columns, from, to) {
      window = [from, to];
      plot.setData([columns.t, columns.line, columns.low, columns.high]);
    },
    destroy() {
      resize.disconnect();
      plot.destroy();
    },
  };
}

/** Some air above and below; a flat line lies in the middle. */
function paddedRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const air = max > min ? (max - min) * 0.08 : Math.max(Math.abs(max) * 0.1, 0.5);
  return [min >= 0 && min - air < 0 ? 0 : min - air, max + air];
}

/** A canvas cannot read custom properties: the browser computes the colour on a probe. */
function cssColour(host: HTMLElement, property: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  host.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function withAlpha(colour: string, alpha: number): string {
  return colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}
