import { createTranslate } from '../i18n/translate.ts';
import { pathEn } from './path-en.ts';
import { pathVi } from './path-vi.ts';

/** `translate` for the words of the data path. */
export const translatePath = createTranslate(pathVi, pathEn);
