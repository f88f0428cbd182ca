/* The container of a Tesseract .traineddata file: a count, a table of offsets (-1: absent), then
 * the components one after the other (Tesseract 5.3, ccutil/tessdatamanager.h). Little endian.
 *
 * A qi_traineddata is a view of the whole file with the components found; nothing is copied. */
#ifndef QI_MODEL_TRAINEDDATA_H
#define QI_MODEL_TRAINEDDATA_H

#include "base/bytes.h"
#include "base/err.h"

/* Components by their place in the table. */
typedef enum qi_traineddata_part {
    QI_PART_CONFIG = 0,
    QI_PART_LEGACY_UNICHARSET = 1,
    QI_PART_LSTM = 17,
    QI_PART_PUNCTUATION_DAWG = 18,
    QI_PART_WORD_DAWG = 19,
    QI_PART_NUMBER_DAWG = 20,
    QI_PART_CHARSET = 21,
    QI_PART_RECODER = 22,
    QI_PART_VERSION = 23,
    QI_N_PARTS = 24
} qi_traineddata_part;

/* Who the bytes came from, for messages. Borrowed strings. */
typedef struct qi_model_source {
    const char *name;     /* the file's path */
    const char *language; /* "chi_sim" */
} qi_model_source;

/* Fills diag with "NAME: <what>; reinstall…" and returns MODEL_CORRUPT. */
quire_err qi_model_corrupt(const qi_model_source *source, quire_diag *diag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The Debian package of a language: "chi_sim" is in tesseract-ocr-chi-sim. Returns out. */
const char *qi_model_package(char *out, size_t size, const char *language);

typedef struct qi_traineddata {
    struct {
        const uint8_t *data; /* NULL: absent */
        size_t n;
    } part[QI_N_PARTS];
} qi_traineddata;

/* Finds the components of a file of n bytes. MODEL_CORRUPT. */
quire_err qi_traineddata_parse(const void *data, size_t n, const qi_model_source *source,
                               qi_traineddata *ret, quire_diag *diag);

#endif
