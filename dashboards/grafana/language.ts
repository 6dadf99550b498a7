export const languages = ['vi', 'en'] as const;
export type Language = (typeof languages)[number];

/** A text in both languages: the type leaves none out. */
export type Local = Readonly<Record<Language, string>>;
