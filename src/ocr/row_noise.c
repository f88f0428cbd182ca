/* Rows that are no text: specks in a line, shreds of pictures, the edges of a scan. Each test asks
 * for something letters in a line have; short rows, of which little can be asked, must lie where
 * longer ones are. */
#include <math.h>

#include "ocr/layout_parts.h"

/* Letters enough, on one line and of like size, to vouch for others. */
static bool is_surely_text(const qi_row *r, float letter_height) {
    return r->fit.n_letters >= 8 && r->fit.on_base > 0.5f && r->fit.regular > 0.6f &&
           r->height > 0.4f * letter_height && r->fit.stroke < 0.5f * r->height;
}

/* Do other short rows of the same size stand above or below it, as numbers of lines do? */
static bool is_in_list(const qi_parts *p, const qi_row *r) {
    float x = (r->box.x0 + r->box.x1) / 2, h = qi_rect_height(&r->box);
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_rows && n < 4; i++) {
        const qi_row *o = &p->rows[i];
        float oh = qi_rect_height(&o->box);
        n += o->fit.n_letters <= 4 && fabsf((o->box.x0 + o->box.x1) / 2 - x) < h && oh > 0.8f * h &&
             oh < 1.25f * h;
    }
    return n >= 4;
}

/* How many specks lie in each square of a grid. */
typedef struct speck_map {
    float x0, y0, cell;
    uint32_t nx, ny;
    uint32_t *counts;
} speck_map;

static quire_err map_specks(const qi_parts *p, float cell, qi_arena *scratch, speck_map *m) {
    *m = (speck_map){0};
    if (!p->n_specks) return QUIRE_ERR_OK;
    const qi_piece *specks = p->pieces + p->n_pieces;
    qi_rect all = specks[0].box;
    for (uint32_t i = 1; i < p->n_specks; i++)
        qi_rect_join(&all, &specks[i].box);
    m->x0 = all.x0;
    m->y0 = all.y0;
    m->cell = fmaxf(cell, fmaxf(qi_rect_width(&all), qi_rect_height(&all)) / 1000);
    m->nx = (uint32_t)(qi_rect_width(&all) / m->cell) + 1;
    m->ny = (uint32_t)(qi_rect_height(&all) / m->cell) + 1;
    m->counts = qi_arena_alloc(scratch, (size_t)m->nx * m->ny, sizeof *m->counts);
    if (!m->counts) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < p->n_specks; i++) {
        uint32_t x = (uint32_t)((specks[i].box.x0 - all.x0) / m->cell);
        uint32_t y = (uint32_t)((specks[i].box.y0 - all.y0) / m->cell);
        m->counts[(size_t)y * m->nx + x]++;
    }
    return QUIRE_ERR_OK;
}

/* Specks in the squares the box touches, a margin of one square round it. */
static uint32_t count_specks(const speck_map *m, const qi_rect *box) {
    if (!m->counts) return 0;
    int64_t x0 = (int64_t)floorf((box->x0 - m->x0) / m->cell) - 1, x1 = x0 + 2;
    int64_t y0 = (int64_t)floorf((box->y0 - m->y0) / m->cell) - 1, y1 = y0 + 2;
    x1 += (int64_t)(qi_rect_width(box) / m->cell);
    y1 += (int64_t)(qi_rect_height(box) / m->cell);
    uint32_t n = 0;
    for (int64_t y = y0 < 0 ? 0 : y0; y <= y1 && y < m->ny; y++)
        for (int64_t x = x0 < 0 ? 0 : x0; x <= x1 && x < m->nx; x++)
            n += m->counts[(size_t)y * m->nx + (size_t)x];
    return n;
}

/* What the rows that are surely text say of the page. */
typedef struct page_text {
    uint32_t n_rows;
    float x0, x1;         /* where they lie */
    float height, stroke; /* their medians */
} page_text;

/* Short rows: the size and weight of the page's letters, and a place where text is. */
static bool is_stray(const qi_parts *p, const qi_row *r, float letter_height,
                     const page_text *text) {
    const qi_row_fit *f = &r->fit;
    if (text->n_rows < 3 || f->n_letters > 4 || r->is_cell) return false;
    bool outside = r->box.x1 < text->x0 - letter_height || r->box.x0 > text->x1 + letter_height;
    if (outside && (f->on_base < 0.8f || f->n_letters < 2) && !is_in_list(p, r)) return true;
    float larger = fmaxf(1, r->height / text->height);
    return text->n_rows >= 5 &&
           (r->height < 0.55f * text->height || f->stroke < 0.45f * text->stroke ||
            f->stroke > 2.5f * larger * text->stroke);
}

static bool is_noise(const qi_parts *p, const qi_row *r, float letter_height, const page_text *text,
                     const speck_map *specks) {
    const qi_row_fit *f = &r->fit;
    float h = qi_rect_height(&r->box), w = qi_rect_width(&r->box);
    if (h < 4 || w < 2 || !f->n_letters) return true;
    if (is_surely_text(r, letter_height) && f->at_edge < 0.5f) return false;
    if (r->height < 0.35f * letter_height) return true;
    if (f->n_letters >= 5 && f->regular < 0.4f) return true;
    if (f->n_letters >= 5 && !f->joined && f->on_base < 0.35f) return true;
    if (f->n_letters <= 3 && f->stroke > 0.75f * r->height) return true;
    if (f->n_letters == 1 && w < 0.22f * h && h > 1.2f * letter_height) return true;
    if (f->at_edge > 0.5f && (f->n_letters < 8 || f->on_base < 0.7f || f->regular < 0.7f))
        return true;
    if (count_specks(specks, &r->box) > 8 + 3 * f->n_letters) return true;
    return is_stray(p, r, letter_height, text);
}

static quire_err measure_text(const qi_parts *p, float letter_height, qi_arena *scratch,
                              page_text *ret_text) {
    float *values[4];
    for (int i = 0; i < 4; i++) {
        values[i] = qi_arena_alloc(scratch, p->n_rows + 1, sizeof *values[i]);
        if (!values[i]) return QUIRE_ERR_NO_MEMORY;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_rows; i++) {
        const qi_row *r = &p->rows[i];
        if (!is_surely_text(r, letter_height)) continue;
        values[0][n] = r->box.x0;
        values[1][n] = r->box.x1;
        values[2][n] = r->height;
        values[3][n++] = r->fit.stroke;
    }
    *ret_text = (page_text){.n_rows = n,
                            .x0 = qi_quantile(values[0], n, 0.02f),
                            .x1 = qi_quantile(values[1], n, 0.98f),
                            .height = qi_quantile(values[2], n, 0.5f),
                            .stroke = qi_quantile(values[3], n, 0.5f)};
    return QUIRE_ERR_OK;
}

quire_err qi_layout_drop_noise(qi_parts *p, float letter_height, qi_arena *scratch) {
    speck_map specks;
    page_text text;
    quire_err err = map_specks(p, letter_height, scratch, &specks);
    if (!err) err = measure_text(p, letter_height, scratch, &text);
    if (err) return err;
    /* Hundreds of rows with hardly a sure one among them are a page of noise. */
    bool wild = p->n_rows > 500 && text.n_rows * 12 < p->n_rows;
    uint32_t kept = 0;
    bool fresh = false;
    for (uint32_t i = 0; i < p->n_rows; i++) {
        fresh |= p->rows[i].starts_block;
        if (wild && !is_surely_text(&p->rows[i], letter_height)) continue;
        if (is_noise(p, &p->rows[i], letter_height, &text, &specks)) continue;
        p->rows[kept] = p->rows[i];
        p->rows[kept++].starts_block = fresh;
        fresh = false;
    }
    p->n_rows = kept;
    return QUIRE_ERR_OK;
}
