/* Which way up a page is, decided by reading it. */
#ifndef QI_OCR_ORIENTATION_H
#define QI_OCR_ORIENTATION_H

#include "ocr/ocr_models.h"

/* How well lines read: characters, each weighed with its word's probability, per unit of text
 * length; near 1 for clean upright text, near 0 for text on its side or head. */
typedef struct qi_legibility {
    double sure_chars, length; /* of readings that are text */
    double junk_length;        /* of the others */
} qi_legibility;

void qi_legibility_add(qi_legibility *sum, const qi_reading *reading, const qi_line_crop *crop);
double qi_legibility_score(const qi_legibility *sum);

/* Whether a page that read so is worth trying in the other orientations. */
bool qi_orientation_doubtful(const qi_legibility *as_stored);

/* Reads a few long lines of the page, turned by 90, 180 and 270 degrees, with a model and returns
 * the rotation (clockwise, 0 to stay) that reads best: clearly better than as_stored, or 0. turned
 * is storage for width × height pixels. Memory from scratch, left empty. NO_MEMORY, TIMEOUT,
 * CANCELLED. */
quire_err qi_orientation_find(const qi_ocr *ocr, uint32_t model, qi_ocr_session *session,
                              const qi_grey *stored, const qi_legibility *as_stored,
                              uint8_t *turned, const qi_deadline *deadline, int *ret_rotation);

#endif
