/* See ink_cover.h. A word is shown where the middle of its box, the band that lower-case letters
 * fill, holds pixels that stand out from the ground there, lighter or darker. The ink of words is
 * then taken away, and what is left is looked at in components: of about letters' size, beside each
 * other in a row of several. At 75 dpi letters of a word often touch, so that a component may be a
 * word. */
#include "image/ink_cover.h"

#include <math.h>

#include "image/components.h"
#include "image/histogram.h"
#include "image/threshold.h"

enum {
    MIN_CONTRAST = 16, /* grey levels between ground and ink that can be seen */
    MAX_COMPONENTS = 20000,
    MAX_LETTERS = 4096,
    LETTER_MIN_PX = 4,
    LETTER_MAX_PX = 48, /* height: type of 4 to 60 points */
    ROW_LETTERS = 4,
    ROW_MIN_WIDTH_PX = 20,
};
static const float min_shown = 0.012f; /* share of a box that stands out */

/* Whole pixels of a box, inside the drawing; false where there are none. */
static bool whole_pixels(const qi_grey *g, float x0, float y0, float x1, float y1,
                         uint32_t ret[4]) {
    x0 = fmaxf(x0, 0), y0 = fmaxf(y0, 0);
    x1 = fminf(x1, (float)g->width), y1 = fminf(y1, (float)g->height);
    if (!(x1 > x0) || !(y1 > y0)) return false;
    ret[0] = (uint32_t)floorf(x0), ret[1] = (uint32_t)floorf(y0);
    ret[2] = (uint32_t)ceilf(x1), ret[3] = (uint32_t)ceilf(y1);
    if (ret[2] > g->width) ret[2] = g->width;
    if (ret[3] > g->height) ret[3] = g->height;
    return ret[2] > ret[0] && ret[3] > ret[1];
}

static bool is_shown(const qi_grey *g, const qi_ink_word *w) {
    bool upright = w->x1 - w->x0 >= w->y1 - w->y0;
    float x0 = w->x0, y0 = w->y0, x1 = w->x1, y1 = w->y1;
    if (!w->low_marks && upright) {
        float h = y1 - y0;
        y0 += 0.25f * h, y1 -= 0.2f * h;
    }
    uint32_t b[4];
    if (!whole_pixels(g, x0, y0, x1, y1, b)) return false;
    uint32_t levels[256];
    qi_grey_histogram(g, b, 1, levels);
    uint32_t ground = 0, n = (b[3] - b[1]) * (b[2] - b[0]), n_out = n;
    for (uint32_t v = 1; v < 256; v++)
        if (levels[v] > levels[ground]) ground = v;
    uint32_t from = ground < MIN_CONTRAST ? 0 : ground - MIN_CONTRAST + 1;
    for (uint32_t v = from; v < ground + MIN_CONTRAST && v < 256; v++)
        n_out -= levels[v];
    return n_out > 0 && (float)n_out >= min_shown * (float)n;
}

/* Takes a shown word's ink out of the mask and counts it. */
static uint32_t take_ink(const qi_grey *g, const qi_mask *mask, const qi_ink_word *w) {
    uint32_t b[4], n = 0;
    if (!whole_pixels(g, w->x0 - 1, w->y0 - 1, w->x1 + 1, w->y1 + 1, b)) return 0;
    for (uint32_t y = b[1]; y < b[3]; y++) {
        n += qi_mask_count(mask, y, b[0], b[2]);
        qi_mask_fill_span(mask, y, b[0], b[2], 0);
    }
    return n;
}

static bool is_letter(const qi_component *c) {
    float w = c->x1 - c->x0, h = c->y1 - c->y0, fill = (float)c->n_pixels / (w * h);
    return h >= LETTER_MIN_PX && h <= LETTER_MAX_PX && w <= 12 * h && fill >= 0.12f &&
           (fill <= 0.85f || w <= 0.5f * h);
}

/* A row while letters are joined; roots of the union carry it. */
typedef struct letter {
    const qi_component *c;
    uint32_t root, n;
    float x0, y0, x1, y1;
    uint32_t n_pixels;
} letter;

static uint32_t root_of(letter *l, uint32_t i) {
    while (l[i].root != i)
        i = l[i].root = l[l[i].root].root;
    return i;
}

static bool beside(const qi_component *a, const qi_component *b) {
    float ha = a->y1 - a->y0, hb = b->y1 - b->y0, low = fminf(ha, hb), high = fmaxf(ha, hb);
    float overlap = fminf(a->y1, b->y1) - fmaxf(a->y0, b->y0);
    float gap = fmaxf(a->x0, b->x0) - fminf(a->x1, b->x1);
    return overlap > 0.6f * low && high < 2.5f * low && gap < 1.3f * high && gap > -0.3f * high;
}

static void join(letter *l, uint32_t a, uint32_t b) {
    a = root_of(l, a), b = root_of(l, b);
    if (a == b) return;
    l[b].root = a;
    l[a].n += l[b].n;
    l[a].n_pixels += l[b].n_pixels;
    l[a].x0 = fminf(l[a].x0, l[b].x0), l[a].y0 = fminf(l[a].y0, l[b].y0);
    l[a].x1 = fmaxf(l[a].x1, l[b].x1), l[a].y1 = fmaxf(l[a].y1, l[b].y1);
}

static bool is_row(const letter *l) {
    float w = l->x1 - l->x0, h = l->y1 - l->y0;
    return l->n >= ROW_LETTERS && w >= ROW_MIN_WIDTH_PX && w >= 2 * h;
}

static bool apart(const quire_box *a, const quire_box *b) {
    return a->x1 < b->x0 || b->x1 < a->x0 || a->y1 < b->y0 || b->y1 < a->y0;
}

static void unite(quire_box *a, const quire_box *b) {
    if (b->x0 < a->x0) a->x0 = b->x0;
    if (b->y0 < a->y0) a->y0 = b->y0;
    if (b->x1 > a->x1) a->x1 = b->x1;
    if (b->y1 > a->y1) a->y1 = b->y1;
}

/* Adds a region, united with those it touches; when there are too many, with the last. */
static void add_region(qi_ink_cover *cover, quire_box box) {
    for (uint32_t i = 0; i < cover->n_regions;) {
        bool full = cover->n_regions == QI_INK_MAX_REGIONS && i == QI_INK_MAX_REGIONS - 1;
        if (!full && apart(&cover->regions[i], &box)) {
            i++;
            continue;
        }
        unite(&box, &cover->regions[i]);
        cover->regions[i] = cover->regions[--cover->n_regions];
        i = 0;
    }
    cover->regions[cover->n_regions++] = box;
}

/* A row's region has room for what else belongs to it: dots, and rows beside it. */
static quire_box region_of(const qi_grey *g, const letter *l) {
    float pad = 1.5f * (l->y1 - l->y0) / 2 + 3;
    quire_box b = {(int32_t)fmaxf(l->x0 - pad, 0), (int32_t)fmaxf(l->y0 - pad, 0),
                   (int32_t)fminf(l->x1 + pad, (float)g->width),
                   (int32_t)fminf(l->y1 + pad, (float)g->height)};
    return b;
}

static quire_err find_rows(const qi_grey *g, const qi_component *c, uint32_t n, qi_arena *arena,
                           qi_ink_cover *cover) {
    letter *l = qi_arena_alloc(arena, MAX_LETTERS, sizeof *l);
    if (!l) return QUIRE_ERR_NO_MEMORY;
    uint32_t n_letters = 0;
    for (uint32_t i = 0; i < n && n_letters < MAX_LETTERS; i++) {
        if (!is_letter(&c[i])) continue;
        l[n_letters] =
            (letter){&c[i], n_letters, 1, c[i].x0, c[i].y0, c[i].x1, c[i].y1, c[i].n_pixels};
        n_letters++;
    }
    /* Components come by their first row. */
    for (uint32_t i = 0; i < n_letters; i++)
        for (uint32_t j = i + 1; j < n_letters && l[j].c->y0 < l[i].c->y1; j++)
            if (beside(l[i].c, l[j].c)) join(l, i, j);
    for (uint32_t i = 0; i < n_letters; i++) {
        if (l[i].root != i || !is_row(&l[i])) continue;
        cover->uncovered_px += l[i].n_pixels;
        add_region(cover, region_of(g, &l[i]));
    }
    return QUIRE_ERR_OK;
}

quire_err qi_ink_cover_find(const qi_grey *g, qi_ink_word words[], uint32_t n_words,
                            const qi_deadline *deadline, qi_arena *arena, qi_ink_cover *ret_cover) {
    qi_ink_cover cover = {0};
    qi_mask mask;
    quire_box all = {0, 0, (int32_t)g->width, (int32_t)g->height};
    quire_err err = qi_threshold_page(g, all, deadline, arena, arena, &mask);
    if (err) return err;
    for (uint32_t y = 0; y < g->height; y++)
        cover.ink_px += qi_mask_count(&mask, y, 0, g->width);
    for (uint32_t i = 0; i < n_words; i++) {
        words[i].shown = is_shown(g, &words[i]);
        if (words[i].shown && words[i].believed) cover.covered_px += take_ink(g, &mask, &words[i]);
    }
    const uint32_t box[4] = {0, 0, g->width, g->height};
    qi_components found;
    err = qi_components_find(&mask, box, 1, (qi_turn){1, 0}, LETTER_MIN_PX, MAX_COMPONENTS,
                             deadline, arena, arena, &found);
    if (!err) err = find_rows(g, found.items, found.n, arena, &cover);
    if (!err) *ret_cover = cover;
    return err;
}
