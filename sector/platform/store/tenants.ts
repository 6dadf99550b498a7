import type { Database, Row } from '../database.ts';

/** Enterprises and their establishments, as the operator registered them. */
export interface Enterprise {
  readonly enterpriseId: string;
  readonly name: string;
  readonly establishments: readonly { readonly establishmentId: string; readonly name: string }[];
}

export interface Tenants {
  /** Registers an enterprise or renames it; adds establishments, removes none. */
  register(enterprise: Enterprise): Promise<void>;
  list(): Promise<readonly Enterprise[]>;
  find(enterpriseId: string): Promise<Enterprise | undefined>;
}

export function createTenants(database: Database, now: () => number): Tenants {
  const read = async (where: string, params: readonly string[]): Promise<readonly Enterprise[]> => {
    const rows = await database.query<Row & { enterprise_id: string; name: string; ids: string[]; names: string[] }>(
      `SELECT e.enterprise_id, e.name,
              array_remove(array_agg(s.establishment_id ORDER BY s.establishment_id), NULL) AS ids,
              array_remove(array_agg(s.name ORDER BY s.establishment_id), NULL) AS names
         FROM enterprise e LEFT JOIN establishment s USING (enterprise_id) ${where}
        GROUP BY e.enterprise_id ORDER BY e.enterprise_id LIMIT 10000`,
      params,
    );
    return rows.map(({ enterprise_id, name, ids, names }) => ({
      enterpriseId: enterprise_id,
      name,
      establishments: ids.map((establishmentId, i) => ({ establishmentId, name: names[i] ?? '' })),
    }));
  };
  return {
    async register({ enterpriseId, name, establishments }) {
      const at = new Date(now());
      await database.transaction(async (queries) => {
        await queries.query('INSERT INTO enterprise VALUES ($1, $2, $3) ON CONFLICT (enterprise_id) DO UPDATE SET name = excluded.name', [
          enterpriseId,
          name,
          at,
        ]);
        for (const each of establishments) {
          await queries.query(
            'INSERT INTO establishment VALUES ($1, $2, $3, $4) ON CONFLICT (enterprise_id, establishment_id) DO UPDATE SET name = excluded.name',
            [enterpriseId, each.establishmentId, each.name, at],
          );
        }
      });
    },
    list: () => read('', []),
    find: async (enterpriseId) => (await read('WHERE e.enterprise_id = $1', [enterpriseId]))[0],
  };
}
