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

static bool is_noise(const qi_parts *p, const qi_row *r, float letter_height, const qi_rect *body) {
    const qi_row_fit *f = &r->fit;
    float h = qi_rect_height(&r->box), w = qi_rect_width(&r->box);
    if (h < 4 || w < 2 || !f->n_letters) return true;
    if (r->height < 0.35f * letter_height) return true;
    if (f->n_letters >= 5 && (f->on_base < 0.35f || f->regular < 0.4f)) return true;
    if (f->n_letters <= 3 && f->stroke > 0.75f * r->height) return true;
    if (f->n_letters == 1 && w < 0.22f * h && h > 1.2f * letter_height) return true;
    if (f->at_edge > 0.5f && (f->n_letters < 8 || f->on_base < 0.7f || f->regular < 0.7f))
        return true;
    if (!body) return false;
    bool outside = r->box.x1 < body->x0 - letter_height || r->box.x0 > body->x1 + letter_height;
    return outside && f->n_letters <= 4 && (f->on_base < 0.8f || f->n_letters < 2) &&
           !is_in_list(p, r);
}

void qi_layout_drop_noise(qi_parts *p, float letter_height, qi_arena *scratch) {
    qi_rect body = {0};
    float *left = qi_arena_alloc(scratch, p->n_rows + 1, sizeof *left);
    float *right = qi_arena_alloc(scratch, p->n_rows + 1, sizeof *right);
    uint32_t n_sure = 0, kept = 0;
    for (uint32_t i = 0; i < p->n_rows && left && right; i++) {
        if (!is_surely_text(&p->rows[i], letter_height)) continue;
        left[n_sure] = p->rows[i].box.x0;
        right[n_sure++] = p->rows[i].box.x1;
    }
    if (n_sure) {
        body.x0 = qi_quantile(left, n_sure, 0.02f);
        body.x1 = qi_quantile(right, n_sure, 0.98f);
    }
    bool fresh = false;
    for (uint32_t i = 0; i < p->n_rows; i++) {
        fresh |= p->rows[i].starts_block;
        if (is_noise(p, &p->rows[i], letter_height, n_sure >= 3 ? &body : NULL)) continue;
        p->rows[kept] = p->rows[i];
        p->rows[kept++].starts_block = fresh;
        fresh = false;
    }
    p->n_rows = kept;
}
