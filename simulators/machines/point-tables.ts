import { addressText, type Point } from '../points.ts';
import { machineKinds } from './index.ts';

/** The points of every machine kind as Markdown: the README's reference, which a test keeps current. */
export function pointTables(): string {
  return machineKinds.map((kind) => `### ${kind.name.en} (\`${kind.id}\`)\n\n${table(kind.points)}`).join('\n\n');
}

function table(points: readonly Point[]): string {
  const rows = points.map((point) => `| ${point.metric} | \`${place(point)}\` | ${point.unitName ?? ''} | ${remark(point)} |`);
  return ['| Metric | Where | Unit | Remark |', '|---|---|---|---|', ...rows].join('\n');
}

function place(point: Point): string {
  return point.protocol === 'modbus' ? addressText(point) : `s=<machine>.${point.name} (${point.dataType})`;
}

function remark(point: Point): string {
  const scale = point.protocol === 'modbus' && point.scale !== undefined ? [`× ${point.scale}`] : [];
  const codes =
    point.codes === undefined
      ? []
      : [
          Object.entries(point.codes)
            .map(([text, code]) => `${code} ${text || '–'}`)
            .join(', '),
        ];
  return [...scale, ...codes].join('; ');
}
