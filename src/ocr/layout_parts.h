/* What the steps of layout.c hand to each other. All coordinates are in the turned frame, in which
 * text lines are level (components.h); y grows downwards. */
#ifndef QI_OCR_LAYOUT_PARTS_H
#define QI_OCR_LAYOUT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "image/components.h"

typedef struct qi_rect {
    float x0, y0, x1, y1;
} qi_rect;

/* A connected bit of ink that belongs to text. */
typedef struct qi_ink {
    qi_rect box;
    uint32_t piece; /* the piece it is part of */
    uint32_t next;  /* the next of the same piece; QI_NONE ends */
    float stroke;   /* mean length of its runs */
    bool white;     /* light ink on a dark ground */
    bool at_edge;   /* beside the black that a scan shows round the paper */
} qi_ink;

/* A word, or what of one hangs together. */
typedef struct qi_piece {
    qi_rect box;
    uint32_t first, n_inks;
    float height; /* median height of its inks */
    float base;   /* y on which most of its inks stand */
    bool tall;    /* reaches over several lines: a drop cap, or lines that touch */
    bool white;
} qi_piece;

/* The baseline y = at + slope x of a row, and its letters' size. */
typedef struct qi_row_fit {
    float at, slope;
    float x_height;        /* 0 when unknown */
    float ascent, descent; /* of the ink, with the room letters of this size may take */
    uint32_t n_letters;    /* inks of some size */
    float on_base;         /* share of them that stand on the baseline */
    float regular;         /* share of them of about the same height */
    float stroke;          /* median of their strokes' widths */
    bool joined;           /* letters hang together: Devanagari, Arabic, or print that runs */
    float at_edge;         /* share of them beside the scan's black edge */
} qi_row_fit;

/* A row of pieces: a line of text. */
typedef struct qi_row {
    uint32_t first_piece, n_pieces; /* into qi_parts.order */
    qi_rect box;
    float base, height; /* base: at the middle of the box */
    bool starts_block, white;
    bool is_cell; /* cut from a longer row, whose base it keeps */
    qi_row_fit fit;
} qi_row;

/* Dots that lead from one word to another. */
typedef struct qi_leader {
    qi_rect box;
    float blank_x; /* there is no ink: between the first two dots */
} qi_leader;

typedef struct qi_parts {
    qi_ink *inks;
    qi_piece *pieces;
    uint32_t n_inks, n_pieces;
    uint32_t n_specks; /* pieces too small for words, listed after the n_pieces */
    qi_rect *bands; /* what parts the page: solid bars, with or without letters, edges of banners */
    uint32_t n_bands;
    qi_rect *pictures; /* boxes of pictures and drawings */
    uint32_t n_pictures;
    qi_leader *leaders;
    uint32_t n_leaders;
    qi_row *rows; /* in reading order */
    uint32_t n_rows;
    uint32_t *order; /* pieces, row by row */
    bool right_to_left;
} qi_parts;

#define QI_NONE UINT32_MAX

static inline float qi_rect_height(const qi_rect *r) {
    return r->y1 - r->y0;
}
static inline float qi_rect_width(const qi_rect *r) {
    return r->x1 - r->x0;
}
static inline float qi_overlap(float a0, float a1, float b0, float b1) {
    return (a1 < b1 ? a1 : b1) - (a0 > b0 ? a0 : b0);
}
static inline void qi_rect_join(qi_rect *r, const qi_rect *by) {
    if (by->x0 < r->x0) r->x0 = by->x0;
    if (by->y0 < r->y0) r->y0 = by->y0;
    if (by->x1 > r->x1) r->x1 = by->x1;
    if (by->y1 > r->y1) r->y1 = by->y1;
}

/* The value below which half of the weight lies. 0 when empty. */
float qi_weighted_median(const float *values, const float *weights, uint32_t n, qi_arena *scratch);
/* The q-th part of values, which it may reorder. 0 when empty. */
float qi_quantile(float *values, uint32_t n, float q);

/* Takes leaders out of the inks; fills leaders. */
quire_err qi_layout_take_leaders(qi_parts *parts, float letter_height, qi_arena *scratch);

/* The leader between x0 and x1 of which the middle is within height above base; QI_NONE: none. */
uint32_t qi_layout_leader_between(const qi_parts *parts, float x0, float x1, float base,
                                  float height);

/* Takes rules made of small marks out of the inks. */
quire_err qi_layout_take_dashed_rules(qi_parts *parts, float letter_height, qi_arena *scratch);

/* Joins inks that follow each other closely into pieces; fills inks[].piece, .next and pieces. */
quire_err qi_layout_find_pieces(qi_parts *parts, float letter_height, const qi_deadline *deadline,
                                qi_arena *arena, qi_arena *scratch);

/* Puts the pieces into rows and the rows into reading order; fills rows, order. */
quire_err qi_layout_order(qi_parts *parts, const qi_deadline *deadline, qi_arena *arena,
                          qi_arena *scratch);

/* Cuts rows where a gap is too wide for one between words and no leader crosses it. */
quire_err qi_layout_cut_rows(qi_parts *parts, qi_arena *arena, qi_arena *scratch);

/* Fills the row's fit. */
quire_err qi_layout_fit_row(const qi_parts *parts, qi_row *row, qi_arena *scratch);

/* Drops rows that are dirt, noise or pieces of pictures; starts_block moves on to the next row. */
quire_err qi_layout_drop_noise(qi_parts *parts, float letter_height, qi_arena *scratch);

#endif
