/* The reading trial of orientation.h. */
#include "ocr/orientation.h"

#include <math.h>
#include <stdlib.h>

#include "image/turn.h"
#include "ocr/compose.h"

enum { n_sample_lines = 12, length_per_char = 18 /* scaled pixels, of average print */ };

/* Clean print scores 0.8–1.1, poor receipts 0.4–0.8, turned pages below 0.35. */
static const double doubtful_below = 0.55;
static const double better_by_factor = 1.25, better_by = 0.08;
static const double fewest_sure_chars = 8; /* less is chance */

void qi_legibility_add(qi_legibility *sum, const qi_reading *r, const qi_line_crop *crop) {
    double length = (double)crop->scaled_width / length_per_char;
    if (!qi_reading_is_text(r)) {
        sum->junk_length += length;
        return;
    }
    for (uint32_t i = 0; i < r->n_words; i++)
        sum->sure_chars += (double)qi_word_confidence(&r->words[i]) * r->words[i].n_chars;
    sum->length += length;
}

double qi_legibility_score(const qi_legibility *sum) {
    double length = sum->length + sum->junk_length;
    return length > 0 ? sum->sure_chars / length : 0;
}

bool qi_orientation_doubtful(const qi_legibility *as_stored) {
    const double text_only = as_stored->sure_chars / (as_stored->length + 1e-9);
    return text_only < doubtful_below || as_stored->junk_length > as_stored->length;
}

typedef struct candidate {
    qi_line_crop crop;
    uint32_t line;
} candidate;

static int longest_first(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->crop.scaled_width != y->crop.scaled_width)
        return x->crop.scaled_width < y->crop.scaled_width ? 1 : -1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Reads the longest lines of page. */
static quire_err trial(const qi_ocr *ocr, uint32_t at, qi_ocr_session *s, const qi_grey *page,
                       const qi_deadline *deadline, qi_arena *arena, qi_legibility *ret) {
    const qi_line_model *model = ocr->models[at];
    qi_layout layout;
    quire_box whole = {0, 0, (int32_t)page->width, (int32_t)page->height};
    quire_err err = qi_layout_find(page, whole, model->file->charset.right_to_left, deadline, arena,
                                   &s->scratch, &layout);
    if (err) return err;
    candidate *c = qi_arena_alloc(arena, layout.n_lines, sizeof *c);
    if (!c) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < layout.n_lines; i++)
        c[i] = (candidate){qi_line_crop_of(&layout.lines[i], page, model->file->height,
                                           QI_LINE_BATCH_MAX_WIDTH_PX / n_sample_lines),
                           i};
    qsort(c, layout.n_lines, sizeof *c, longest_first);
    qi_line_job jobs[n_sample_lines];
    qi_reading readings[n_sample_lines];
    uint32_t n = 0;
    for (; n < n_sample_lines && n < layout.n_lines && c[n].crop.scaled_width; n++) {
        err = qi_reading_init(&readings[n], model, c[n].crop.scaled_width, arena);
        if (err) return err;
        jobs[n] = (qi_line_job){.page = page,
                                .crop = &c[n].crop,
                                .white_on_black = layout.lines[c[n].line].white_on_black,
                                .reading = &readings[n]};
    }
    if (n) qi_line_reader_read(s->readers[at], jobs, n);
    *ret = (qi_legibility){0};
    for (uint32_t i = 0; i < n; i++)
        qi_legibility_add(ret, &readings[i], &c[i].crop);
    return QUIRE_ERR_OK;
}

quire_err qi_orientation_find(const qi_ocr *ocr, uint32_t model, qi_ocr_session *s,
                              const qi_grey *stored, const qi_legibility *as_stored,
                              uint8_t *turned, const qi_deadline *deadline, int *ret_rotation) {
    double limit = qi_legibility_score(as_stored) * better_by_factor + better_by;
    int rotation = 0;
    qi_arena arena = {0};
    quire_err err = QUIRE_ERR_OK;
    for (int degrees = 90; degrees < 360 && !err; degrees += 90) {
        qi_grey page = {turned, stored->width, stored->height, stored->width};
        if (degrees != 180) page = (qi_grey){turned, stored->height, stored->width, stored->height};
        qi_grey_turn(stored, degrees, &page);
        qi_legibility found = {0};
        err = trial(ocr, model, s, &page, deadline, &arena, &found);
        if (!err && found.sure_chars >= fewest_sure_chars && qi_legibility_score(&found) > limit) {
            limit = qi_legibility_score(&found);
            rotation = degrees;
        }
        qi_arena_reset(&arena);
    }
    qi_arena_done(&arena);
    if (!err) *ret_rotation = rotation;
    return err;
}
