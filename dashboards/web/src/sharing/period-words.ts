import { locale } from '../i18n/locale.svelte.ts';
import { tx } from './sharing-locale.svelte.ts';

interface ReportPeriod {
  readonly from: string;
  readonly to: string;
  readonly duration: string;
}

/** A moment of the gateway, in the reader's format. */
export function moment(iso: string): string {
  return locale.format.dateTime(Date.parse(iso));
}

/** "Ngày 21/11/2026": what a report is about. */
export function periodWords({ from, to, duration }: ReportPeriod): string {
  const [date = '', time = ''] = moment(from).split(' ');
  if (duration === 'PT1H') return tx('span.PT1H', { from: `${time.slice(0, 5)} ${date}` });
  if (duration === 'P1D' || duration === 'P1W' || duration === 'P1M') return tx(`span.${duration}`, { from: date });
  return tx('span.other', { from: moment(from), to: moment(to) });
}
