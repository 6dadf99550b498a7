import { createTranslate } from '../i18n/translate.ts';
import { kpiEn } from './kpi-en.ts';
import { kpiVi } from './kpi-vi.ts';

/** `translate` for the words of shifts and figures. */
export const translateKpi = createTranslate(kpiVi, kpiEn);
