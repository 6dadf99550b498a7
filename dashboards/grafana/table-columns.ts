import type { DataTransformerConfig } from '@grafana/grafana-foundation-sdk/dashboard';
import type { PanelSpec } from './panel-spec.ts';

/** Shows the columns of the panel in their order and hides the others; with `countBy`, rows are counted first. */
export function tableTransformations({ kind, columns = [], countBy, sortBy }: PanelSpec): readonly DataTransformerConfig[] {
  if (kind !== 'table') return [];
  const counted: DataTransformerConfig[] =
    countBy === undefined
      ? []
      : [
          {
            id: 'groupBy',
            options: {
              fields: {
                [countBy]: { operation: 'groupby', aggregations: [] },
                machine: { operation: 'aggregate', aggregations: ['count'] },
              },
            },
          },
        ];
  const names = columns.flatMap(({ field }) => (field === 'Time' ? ['Time', 'time'] : [field]));
  const indexByName = Object.fromEntries(names.map((name, i) => [name, i]));
  const sorted: DataTransformerConfig[] =
    sortBy === undefined ? [] : [{ id: 'sortBy', options: { fields: {}, sort: [{ field: sortBy, desc: true }] } }];
  return [
    ...counted,
    ...sorted,
    { id: 'filterFieldsByName', options: { include: { names } } },
    { id: 'organize', options: { excludeByName: {}, indexByName, renameByName: {} } },
  ];
}
