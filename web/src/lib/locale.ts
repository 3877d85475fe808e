/** The page speaks English: of the reader's own kinds of English the first, so that dates stand as they are used to. */
const wanted = typeof navigator === "undefined" ? [] : navigator.languages;
export const locale = wanted.find((language) => /^en\b/u.test(language)) ?? "en";
