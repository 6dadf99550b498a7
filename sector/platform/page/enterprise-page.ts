import type { ArrivedStates } from '../status/machine-states.ts';
import type { AccessEntry } from '../store/access-log.ts';
import type { Agreement } from '../store/agreements.ts';
import type { Refused } from '../store/quarantine.ts';
import type { StoredReport } from '../store/reports.ts';
import { type Html, html } from './html.ts';
import { type Language, languages, type Words, words } from './words.ts';

export interface EnterpriseData {
  readonly name: string;
  readonly reports: readonly StoredReport[];
  readonly agreements: readonly Agreement[];
  readonly refused: readonly Refused[];
  readonly accesses: readonly AccessEntry[];
  readonly machineStatus: { readonly keepDays: number; readonly arrived: readonly ArrivedStates[] };
  /** leafIndex to go on from; null: that was all. */
  readonly older: number | null;
}

/** The page of one enterprise: what arrived with its receipts, what was refused, who read it. */
export function enterprisePage(language: Language, data: EnterpriseData): string {
  const text = words[language];
  const logout = html`<form method="post" action="/logout"><button>${text.logout}</button></form>`;
  const older = data.older === null ? html`` : html`<p><a href="/?lang=${language}&amp;before=${data.older}">${text.older}</a></p>`;
  return shell(language, data.name, logout, [
    section(text.arrived, text.noneArrived, reportTable(language, data.reports), older),
    section(text.refused, text.noneRefused, refusedTable(language, data.refused)),
    section(text.agreements, text.noAgreements, agreementTable(language, data.agreements)),
    statesSection(language, data.machineStatus),
    section(text.accessed, '', accessTable(language, data.accesses)),
  ]);
}

export function loginPage(language: Language, problem?: 'wrong' | 'wait'): string {
  const text = words[language];
  const complaint = problem === undefined ? html`` : html`<p class="bad" role="alert">${text[problem]}</p>`;
  return shell(language, text.title, html``, [
    html`<section><form class="login" method="post" action="/login?lang=${language}">${complaint}
<label>${text.client}<input name="clientId" required maxlength="200" autocomplete="username"></label>
<label>${text.secret}<input name="clientSecret" type="password" required maxlength="200" autocomplete="current-password"></label>
<button>${text.login}</button></form></section>`,
  ]);
}

function shell(language: Language, title: string, actions: Html, body: readonly Html[]): string {
  const links = languages
    .filter((each) => each !== language)
    .map((each) => html`<a href="/?lang=${each}" lang="${each}">${each === 'vi' ? 'Tiếng Việt' : 'English'}</a>`);
  return html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Nhịp</title><link rel="stylesheet" href="/style.css"></head>
<body><header><h1>${title}</h1><nav>${links}${actions}</nav></header><main>${body}</main></body></html>
`.html;
}

function section(title: string, empty: string, table: Html | undefined, after: Html = html``): Html {
  const content = table === undefined ? html`<p class="muted">${empty}</p>` : html`<div class="scroll">${table}</div>`;
  return html`<section><h2>${title}</h2>${content}${after}</section>`;
}

interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Html;
  readonly isNumber?: boolean;
}

function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Html | undefined {
  if (rows.length === 0) return undefined;
  const classOf = ({ isNumber }: Column<Row>): Html => (isNumber === true ? html` class="number"` : html``);
  const head = columns.map((column) => html`<th scope="col"${classOf(column)}>${column.title}</th>`);
  const body = rows.map(
    (row) => html`<tr>${columns.map((column) => html`<td${classOf(column)} data-label="${column.title}">${column.cell(row)}</td>`)}</tr>
`,
  );
  return html`<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function reportTable(language: Language, rows: readonly StoredReport[]): Html | undefined {
  const text = words[language];
  const columns: readonly Column<StoredReport>[] = [
    { title: text.period, cell: (row) => html`${timeText(language, row.validFrom)} · ${row.duration}` },
    { title: text.plant, cell: (row) => html`${row.establishmentId}` },
    { title: text.revision, cell: (row) => html`${row.revision}`, isNumber: true },
    { title: text.status, cell: (row) => html`${statusText(text, row.status)}` },
    { title: text.digest, cell: (row) => html`<code title="${row.digest}">${row.digest.slice(8, 24)}…</code>` },
    { title: text.received, cell: (row) => html`${timeText(language, row.recordedAt)}` },
    { title: text.receipt, cell: (row) => html`<a href="/receipts/${row.reportId}">${text.download}</a>` },
  ];
  return tableOf(columns, rows);
}

function refusedTable(language: Language, rows: readonly Refused[]): Html | undefined {
  const text = words[language];
  const columns: readonly Column<Refused>[] = [
    { title: text.when, cell: (row) => html`${timeText(language, row.lastAt)}` },
    { title: text.digest, cell: (row) => html`<code title="${row.digest}">${row.digest.slice(8, 24)}…</code>` },
    { title: text.times, cell: (row) => html`${row.times}`, isNumber: true },
    {
      title: text.reason,
      cell: ({ findings: [first] }) => html`${first === undefined ? '' : `${first.code} ${first.pointer}: ${first.message[language]}`}`,
    },
  ];
  return tableOf(columns, rows);
}

function statesSection(language: Language, { keepDays, arrived }: EnterpriseData['machineStatus']): Html {
  const text = words[language];
  const columns: readonly Column<ArrivedStates>[] = [
    { title: text.day, cell: (row) => html`${row.day}` },
    { title: text.plant, cell: (row) => html`${row.establishmentId}` },
    { title: text.statesCount, cell: (row) => html`${row.events}`, isNumber: true },
    { title: text.lastAt, cell: (row) => html`${timeText(language, row.lastAt)}` },
  ];
  const kept = html`<p class="muted">${text.statesKept.replace('{days}', String(keepDays))}</p>`;
  return section(text.states, text.noStates, tableOf(columns, arrived), arrived.length === 0 ? html`` : kept);
}

function agreementTable(language: Language, rows: readonly Agreement[]): Html | undefined {
  const text = words[language];
  const columns: readonly Column<Agreement>[] = [
    { title: text.agreement, cell: (row) => html`<code>${row.agreementId}</code> ${row.reference}` },
    { title: text.covers, cell: (row) => html`<code>${row.products.join(', ')}</code>` },
    { title: text.why, cell: (row) => html`<code>${row.purposes.join(', ')}</code>` },
    { title: text.from, cell: (row) => html`${timeText(language, row.validFrom)}` },
    { title: text.until, cell: (row) => html`${row.validTo === null ? text.openEnd : timeText(language, row.validTo)}` },
    {
      title: text.status,
      cell: ({ revokedAt, revokedBy }) =>
        html`${revokedAt === null ? text.notRevoked : `${text.revoked} ${timeText(language, revokedAt)} (${revokedBy ?? ''})`}`,
    },
  ];
  return tableOf(columns, rows);
}

function accessTable(language: Language, rows: readonly AccessEntry[]): Html | undefined {
  const text = words[language];
  const columns: readonly Column<AccessEntry>[] = [
    { title: text.when, cell: (row) => html`${timeText(language, row.at)}` },
    { title: text.who, cell: (row) => html`${row.reader} (${row.role})` },
    { title: text.why, cell: (row) => html`${row.purpose}` },
    { title: text.what, cell: (row) => html`${row.action} · ${row.object}` },
    { title: text.rows, cell: (row) => html`${row.rowCount}`, isNumber: true },
  ];
  return tableOf(columns, rows);
}

function statusText(text: Words, status: string): string {
  return status === 'provisional' || status === 'final' || status === 'withdrawn' ? text[status] : status;
}

function timeText(language: Language, at: Date): string {
  const locale = language === 'vi' ? 'vi-VN' : 'en-GB';
  return new Intl.DateTimeFormat(locale, { timeZone: 'Asia/Ho_Chi_Minh', dateStyle: 'short', timeStyle: 'short' }).format(at);
}
