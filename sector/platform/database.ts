/**
 * What the platform needs of a database: statements with parameters, and transactions. Two adapters, `database/embedded.ts` and
 * `database/postgres.ts`, run the same SQL; `testing/database-suite.ts` says what both promise.
 */

/** A value of a parameter. An array is one parameter: an SQL array. */
export type SqlValue = string | number | boolean | null | Date | Uint8Array | readonly SqlValue[];

/** int8 is a number (all of ours are below 2^53), timestamptz a Date, bytea a Buffer. */
export type Row = Readonly<Record<string, unknown>>;

export interface Queries {
  /** Runs one statement; values go in as `$1`, never into its text. */
  query<T extends Row = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly T[]>;
  /** Runs several statements without parameters, for migrations. */
  script(sql: string): Promise<void>;
}

export interface Database extends Queries {
  readonly kind: 'embedded' | 'postgres';
  /**
   * Runs `work` in one transaction (READ COMMITTED): committed when it resolves, rolled back when it rejects. A resolved transaction is on
   * disk. When the connection breaks during the commit it rejects, and the work may have been done: statements must bear repetition.
   */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Idempotent; waits for what runs. */
  close(): Promise<void>;
}
