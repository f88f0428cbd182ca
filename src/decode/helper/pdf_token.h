/* Tokens of a page's content stream (ISO 32000-1, 7.2, 7.3, 7.8.2). Reads the bytes given and
 * nothing else, never fails: what is no token is skipped. No memory; one owner at a time. */
#ifndef QI_HELPER_PDF_TOKEN_H
#define QI_HELPER_PDF_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum qi_pdf_token_kind {
    QI_PDF_END,
    QI_PDF_NUMBER,
    QI_PDF_NAME,
    QI_PDF_STRING,
    QI_PDF_OPEN,    /* [ or << */
    QI_PDF_SHUT,    /* ] or >> */
    QI_PDF_KEYWORD, /* an operator, or true, false, null */
} qi_pdf_token_kind;

enum { QI_PDF_NAME_BYTES = 128 }; /* what PDF allows, with / and NUL */

typedef struct qi_pdf_token {
    qi_pdf_token_kind kind;
    double number;
    size_t n_string_bytes, n_spaces; /* of a STRING, once decoded; n_spaces: of the bytes */
    /* NAME with its /, escapes decoded; KEYWORD. One that is longer is cut. */
    char text[QI_PDF_NAME_BYTES];
} qi_pdf_token;

typedef struct qi_pdf_tokens {
    const uint8_t *bytes;
    size_t n_bytes, at;
} qi_pdf_tokens;

void qi_pdf_token_next(qi_pdf_tokens *tokens, qi_pdf_token *ret_token);

/* Steps over the data of an inline image, of which the keyword ID was the last token, and over its
 * EI. n_data_bytes: their number where it is known, else 0: then they end at an EI that stands by
 * itself and is followed by text. */
void qi_pdf_token_skip_image(qi_pdf_tokens *tokens, size_t n_data_bytes);

#endif
