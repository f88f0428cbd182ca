/* The language of a model's name in the tags of BCP 47, as HTML and ALTO want them. Pure, any
 * thread. */
#ifndef QI_OUTPUT_LANGUAGE_TAG_H
#define QI_OUTPUT_LANGUAGE_TAG_H

/* "de" for "deu", "sr-Latn" for "srp_latn"; NULL for a name that is no language's. Static storage.
 * model may be NULL. */
const char *qi_language_tag(const char *model);

#endif
