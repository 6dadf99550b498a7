import { createTranslate } from '../i18n/translate.ts';
import { sharingEn } from './sharing-en.ts';
import { sharingVi } from './sharing-vi.ts';

/** `translate` for the words of what leaves the factory. */
export const translateSharing = createTranslate(sharingVi, sharingEn);
