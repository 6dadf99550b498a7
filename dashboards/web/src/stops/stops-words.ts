import { createTranslate } from '../i18n/translate.ts';
import { stopsEn } from './stops-en.ts';
import { stopsVi } from './stops-vi.ts';

/** `translate` for the words of stops. */
export const translateStops = createTranslate(stopsVi, stopsEn);
