/* The steps from a grey page to lines of text in reading order:
 *
 *   ink mask (threshold.h) -> components -> their usual height, the page's slope (skew.h)
 *   -> components again, in a frame turned by that slope -> rules, pictures, dirt set aside
 *   -> words (text_pieces.c) -> columns, sections, rows, reading order (columns.c, sections.c,
 *   reading_order.c)
 *   -> baselines and letter sizes (row_fit.c) -> back to the page's own coordinates.
 *
 * The pixels themselves are never turned. */
#include "ocr/layout.h"

#include <math.h>

#include "image/banner.h"
#include "image/blank.h"
#include "image/components.h"
#include "image/rules.h"
#include "image/scan_edge.h"
#include "image/skew.h"
#include "image/threshold.h"
#include "ocr/layout_parts.h"

enum {
    MAX_COMPONENTS = 200000,
    MIN_INK_PIXELS = 3,
    MAX_WHITE = 20000,
    MAX_PICTURES = 200,
    MAX_BANDS = 200,
    blank_range = 80 /* what is blank has shades no further apart */
};
/* Gaps of so many heights of letters are left out of the picture of a line, but for a margin in
 * pixels beside the words. */
static const float gap_margin = 2;
static const float wide_gap = 1.8f;
/* Of the weight that says what height letters have, for one component. */
static const float largest_share = 0.1f;

typedef struct finder {
    const qi_grey *page;
    quire_box region;
    const qi_deadline *deadline;
    qi_arena *arena, *scratch;
    qi_mask mask;
    qi_components components;
    float letter_height;
    float degrees;
    qi_turn turn;
    qi_parts parts;
    uint32_t max_inks;
    qi_edge_map edge;
    bool inverted; /* the page is light on dark */
} finder;

static float component_height(const qi_component *c) {
    return c->y1 - c->y0;
}
static float component_width(const qi_component *c) {
    return c->x1 - c->x0;
}

static void region_box(const finder *f, uint32_t ret_box[4]) {
    ret_box[0] = (uint32_t)f->region.x0;
    ret_box[1] = (uint32_t)f->region.y0;
    ret_box[2] = (uint32_t)f->region.x1;
    ret_box[3] = (uint32_t)f->region.y1;
}

static quire_err label_ink(finder *f) {
    uint32_t box[4];
    region_box(f, box);
    return qi_components_find(&f->mask, box, 1, f->turn, MIN_INK_PIXELS, MAX_COMPONENTS,
                              f->deadline, f->scratch, f->scratch, &f->components);
}

/* Could this be a letter, or letters that touch? Rough: the usual height is not known yet. */
static bool letter_like(const qi_component *c, float page_height) {
    float w = component_width(c), h = component_height(c);
    float highest = fmaxf(page_height / 10, fminf(page_height, 150));
    if (h < 4 || w < 1.5f || c->n_pixels < 8 || h > highest) return false;
    if (w > 25 * h || h > 8 * w) return false;
    float fill = (float)c->n_pixels / (w * h);
    return fill > 0.08f && (fill < 0.9f || w < 3 * h);
}

/* The weight of what could be letters; what counts when ink and paper must be told apart. */
static double letters_weight(const finder *f) {
    double sum = 0;
    for (uint32_t i = 0; i < f->components.n; i++) {
        const qi_component *c = &f->components.items[i];
        float h = component_height(c);
        if (letter_like(c, (float)f->mask.height)) sum += fminf(component_width(c), 2 * h) * h;
    }
    return sum;
}

/* A page that is mostly ink may be light on dark as a whole: then its mask is turned over. What has
 * more and larger letters is the text; a dark ground under a sheet of paper has none. */
static quire_err choose_polarity(finder *f) {
    uint32_t x0 = (uint32_t)f->region.x0, x1 = (uint32_t)f->region.x1;
    uint64_t n_ink = 0, n_all = (uint64_t)(x1 - x0) * (uint32_t)(f->region.y1 - f->region.y0);
    for (int32_t y = f->region.y0; y < f->region.y1; y++)
        n_ink += qi_mask_count(&f->mask, (uint32_t)y, x0, x1);
    if (n_ink * 2 < n_all) return QUIRE_ERR_OK;
    double as_is = letters_weight(f);
    qi_mask_invert(&f->mask, x0, (uint32_t)f->region.y0, x1, (uint32_t)f->region.y1);
    const qi_components before = f->components;
    quire_err err = label_ink(f);
    if (err) return err;
    f->inverted = letters_weight(f) > 1.5 * as_is;
    if (f->inverted) return QUIRE_ERR_OK;
    qi_mask_invert(&f->mask, x0, (uint32_t)f->region.y0, x1, (uint32_t)f->region.y1);
    f->components = before;
    return QUIRE_ERR_OK;
}

/* Among many, no weight stays above a share of all: a few drawings may outweigh the letters of a
 * page. */
static void bound_weights(float *weights, uint32_t n) {
    for (int round = 0; round < 4 && (float)n * largest_share > 2; round++) {
        double sum = 0;
        for (uint32_t i = 0; i < n; i++)
            sum += (double)weights[i];
        for (uint32_t i = 0; i < n; i++)
            weights[i] = fminf(weights[i], largest_share * (float)sum);
    }
}

static quire_err measure_letters(finder *f) {
    float *heights = qi_arena_alloc(f->scratch, f->components.n + 1, sizeof *heights);
    float *weights = qi_arena_alloc(f->scratch, f->components.n + 1, sizeof *weights);
    if (!heights || !weights) return QUIRE_ERR_NO_MEMORY;
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->components.n; i++) {
        const qi_component *c = &f->components.items[i];
        if (!letter_like(c, (float)f->mask.height)) continue;
        float h = component_height(c);
        heights[n] = h;
        weights[n++] = fminf(component_width(c), 2 * h) * h;
    }
    bound_weights(weights, n);
    f->letter_height = qi_weighted_median(heights, weights, n, f->scratch);
    return QUIRE_ERR_OK;
}

static quire_err measure_skew(finder *f) {
    qi_point *points = qi_arena_alloc(f->scratch, f->components.n + 1, sizeof *points);
    if (!points) return QUIRE_ERR_NO_MEMORY;
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->components.n; i++) {
        const qi_component *c = &f->components.items[i];
        float h = component_height(c);
        if (!letter_like(c, (float)f->mask.height)) continue;
        if (h < 0.5f * f->letter_height || h > 2 * f->letter_height) continue;
        points[n++] = (qi_point){(c->x0 + c->x1) / 2, c->y1};
    }
    return qi_skew_estimate(points, n, fmaxf(1, f->letter_height / 6), f->scratch, &f->degrees);
}

static void turn_back(qi_turn t, float x, float y, float *ret_x, float *ret_y) {
    *ret_x = x * t.cos + y * t.sin;
    *ret_y = y * t.cos - x * t.sin;
}

static qi_rect box_of(const qi_component *c) {
    return (qi_rect){c->x0, c->y0, c->x1, c->y1};
}

static float fill_of(const qi_component *c) {
    return (float)c->n_pixels / fmaxf(1, component_width(c) * component_height(c));
}

static qi_ink ink_of(const finder *f, const qi_component *c, bool white) {
    float x, y;
    turn_back(f->turn, (c->x0 + c->x1) / 2, (c->y0 + c->y1) / 2, &x, &y);
    return (qi_ink){.box = box_of(c),
                    .stroke = (float)c->n_pixels / (float)c->n_runs,
                    .at_edge = qi_scan_edge_at(&f->edge, x, y),
                    .white = white};
}

typedef enum kind { LETTER, RULE, SOLID, DIRT } kind;

static kind kind_of(const finder *f, const qi_component *c) {
    float size = f->letter_height, w = component_width(c), h = component_height(c);
    float fill = fill_of(c);
    if (w > 3 * size && (h < 0.4f * size || (w > 12 * h && h < 0.9f * size && fill > 0.5f)))
        return RULE;
    if (h > 3 * size && (w < 0.4f * size || (h > 12 * w && w < 0.9f * size))) return RULE;
    if (h > 1.5f * size && h > 16 * w) return RULE; /* between the cells of a table */
    if (w > 3 * size && h > 1.3f * size && fill > 0.5f) return SOLID;
    if (h > 12 * size || (h > 4 * size && w > 12 * size) || w > 60 * size)
        return fill > 0.25f ? SOLID : DIRT;
    return LETTER;
}

static quire_box box_on_page(const finder *f, const qi_rect *r) {
    float x[4], y[4];
    turn_back(f->turn, r->x0, r->y0, &x[0], &y[0]);
    turn_back(f->turn, r->x1, r->y0, &x[1], &y[1]);
    turn_back(f->turn, r->x0, r->y1, &x[2], &y[2]);
    turn_back(f->turn, r->x1, r->y1, &x[3], &y[3]);
    float x0 = fminf(fminf(x[0], x[1]), fminf(x[2], x[3]));
    float x1 = fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3]));
    float y0 = fminf(fminf(y[0], y[1]), fminf(y[2], y[3]));
    float y1 = fmaxf(fmaxf(y[0], y[1]), fmaxf(y[2], y[3]));
    return (quire_box){(int32_t)fmaxf(floorf(x0), (float)f->region.x0),
                       (int32_t)fmaxf(floorf(y0), (float)f->region.y0),
                       (int32_t)fminf(ceilf(x1), (float)f->region.x1),
                       (int32_t)fminf(ceilf(y1), (float)f->region.y1)};
}

/* Are most inks from first on, tiny ones aside, of about the same height? Marks of pictures are
 * not. */
static bool are_of_one_height(const finder *f, uint32_t first) {
    uint32_t n = f->parts.n_inks - first, m = 0, n_like = 0;
    float *heights = qi_arena_alloc(f->scratch, n + 1, sizeof *heights);
    if (!heights) return false;
    for (uint32_t i = first; i < f->parts.n_inks; i++) {
        float h = qi_rect_height(&f->parts.inks[i].box);
        if (h > 0.4f * f->letter_height) heights[m++] = h;
    }
    float middle = qi_quantile(heights, m, 0.5f);
    for (uint32_t i = 0; i < m; i++)
        n_like += heights[i] > 0.6f * middle && heights[i] < 1.7f * middle;
    return n_like * 4 >= m * 3;
}

/* Light letters in a dark ground: adds them, unless what is light in it does not look like letters.
 */
static quire_err add_white_letters(finder *f, const qi_component *ground, bool *ret_found) {
    qi_rect box = box_of(ground);
    quire_box on_page = box_on_page(f, &box);
    uint32_t area[4] = {(uint32_t)on_page.x0, (uint32_t)on_page.y0, (uint32_t)on_page.x1,
                        (uint32_t)on_page.y1};
    qi_components found;
    uint32_t n_letters = 0, first = f->parts.n_inks;
    quire_err err = qi_components_find(&f->mask, area, 0, f->turn, MIN_INK_PIXELS, MAX_WHITE / 2,
                                       f->deadline, f->scratch, f->scratch, &found);
    if (err) return err;
    const qi_component *c = found.items;
    float size = f->letter_height, covered = 0;
    for (uint32_t i = 0; i < found.n && f->parts.n_inks < f->max_inks; i++) {
        float h = component_height(&c[i]), w = component_width(&c[i]);
        bool edge = c[i].x0 <= box.x0 + 1 || c[i].x1 >= box.x1 - 1 || c[i].y0 <= box.y0 + 1 ||
                    c[i].y1 >= box.y1 - 1;
        if (edge || h < 0.15f * size || h > 8 * size || w > 30 * size) continue;
        if (h > 0.4f * size && letter_like(&c[i], 1e9f)) n_letters++;
        covered += (float)c[i].n_pixels;
        f->parts.inks[f->parts.n_inks++] = ink_of(f, &c[i], true);
    }
    float share = covered / fmaxf(1, component_width(ground) * component_height(ground));
    uint32_t added = f->parts.n_inks - first;
    *ret_found = n_letters >= 3 && n_letters * 3 >= added && share > 0.02f && share < 0.5f &&
                 are_of_one_height(f, first);
    if (!*ret_found) f->parts.n_inks = first;
    return QUIRE_ERR_OK;
}

/* Is the middle of the box inside one of the pictures? */
static bool in_picture(const qi_rect *box, const qi_rect *pictures, uint32_t n) {
    float x = (box->x0 + box->x1) / 2, y = (box->y0 + box->y1) / 2;
    for (uint32_t i = 0; i < n; i++)
        if (x > pictures[i].x0 && x < pictures[i].x1 && y > pictures[i].y0 && y < pictures[i].y1)
            return true;
    return false;
}

static void add_picture(qi_parts *p, const qi_component *c) {
    if (p->n_pictures < MAX_PICTURES) p->pictures[p->n_pictures++] = box_of(c);
}

/* Picks text ink from the components; rules, pictures and dirt are left out. */
static quire_err sort_components(finder *f) {
    qi_parts *p = &f->parts;
    f->max_inks = f->components.n + MAX_WHITE;
    p->inks = qi_arena_alloc_unset(f->scratch, f->max_inks, sizeof *p->inks);
    p->pictures = qi_arena_alloc(f->scratch, MAX_PICTURES, sizeof *p->pictures);
    p->bands = qi_arena_alloc(f->scratch, MAX_BANDS, sizeof *p->bands);
    if (!p->inks || !p->bands || !p->pictures) return QUIRE_ERR_NO_MEMORY;
    float size = f->letter_height;
    for (uint32_t i = 0; i < f->components.n; i++) {
        const qi_component *c = &f->components.items[i];
        if (kind_of(f, c) != SOLID) continue;
        bool found = false;
        quire_err err = fill_of(c) > 0.5f ? add_white_letters(f, c, &found) : QUIRE_ERR_OK;
        if (err) return err;
        float h = component_height(c), w = component_width(c);
        if (w > 8 * h && w > 12 * size && p->n_bands < MAX_BANDS)
            p->bands[p->n_bands++] = box_of(c);
        if (!found && h > 5 * size && w > 5 * size)
            add_picture(p, c);
        else if (!found && h < 4 * size && w < 60 * size && p->n_inks < f->max_inks)
            p->inks[p->n_inks++] = ink_of(f, c, false);
    }
    uint32_t n_solid = p->n_pictures;
    for (uint32_t i = 0; i < f->components.n; i++) {
        const qi_component *c = &f->components.items[i];
        qi_rect box = box_of(c);
        kind what = kind_of(f, c);
        if (what == DIRT) add_picture(p, c);
        if (what == LETTER && !in_picture(&box, p->pictures, n_solid))
            p->inks[p->n_inks++] = ink_of(f, c, false);
    }
    return QUIRE_ERR_OK;
}

/* Edges of banners become bands: thin ones, since a banner may hold columns of its own. */
static quire_err add_banner_edges(finder *f) {
    qi_banner_edge *edges;
    uint32_t n;
    quire_err err = qi_banner_find_edges(f->page, f->region, f->scratch, f->scratch, &edges, &n);
    for (uint32_t i = 0; i < n && !err && f->parts.n_bands < MAX_BANDS; i++) {
        const qi_banner_edge *e = &edges[i];
        float middle = (e->x0 + e->x1) / 2;
        float x = middle * f->turn.cos - e->y * f->turn.sin;
        float y = e->y * f->turn.cos + middle * f->turn.sin;
        float half = (e->x1 - e->x0) / 2;
        f->parts.bands[f->parts.n_bands++] = (qi_rect){x - half, y - 1, x + half, y + 1};
    }
    return err;
}

/* Is the page of one shade in the rectangle? */
static bool is_blank(const finder *f, const qi_rect *r) {
    quire_box b = box_on_page(f, r);
    int darkest = 255, lightest = 0;
    for (int32_t y = b.y0; y < b.y1; y++) {
        const uint8_t *px = qi_grey_row(f->page, (uint32_t)y);
        for (int32_t x = b.x0; x < b.x1; x++) {
            darkest = px[x] < darkest ? px[x] : darkest;
            lightest = px[x] > lightest ? px[x] : lightest;
        }
    }
    return lightest - darkest < blank_range;
}

/* Leaders, and gaps so wide that the networks, which are trained with running text, read ill beside
 * them; not what holds anything else. */
static void find_gaps(const finder *f, const qi_row *row, qi_text_line *line) {
    const qi_parts *p = &f->parts;
    const qi_row_fit *fit = &row->fit;
    float x1 = 0;
    for (uint32_t k = 0; k < row->n_pieces && line->n_gaps < QI_LINE_MAX_GAPS; k++) {
        const qi_rect *b = &p->pieces[p->order[row->first_piece + k]].box;
        qi_rect gap = {x1 + gap_margin, row->box.y0, b->x0 - gap_margin, row->box.y1};
        if (k && b->x0 - x1 > row->height) {
            float middle = (gap.x0 + gap.x1) / 2, blank_x = middle;
            uint32_t leader =
                qi_layout_leader_between(p, x1, b->x0, fit->at + fit->slope * middle, row->height);
            if (leader != QI_NONE) {
                blank_x = p->leaders[leader].blank_x;
                gap.y1 = p->leaders[leader].box.y0 - gap_margin;
            }
            if ((leader != QI_NONE || qi_rect_width(&gap) > wide_gap * row->height) &&
                is_blank(f, &gap))
                line->gaps[line->n_gaps++] =
                    (qi_line_gap){gap.x0 - row->box.x0, qi_rect_width(&gap), blank_x - row->box.x0};
        }
        x1 = k ? fmaxf(x1, b->x1) : b->x1;
    }
}

static qi_text_line describe_line(const finder *f, const qi_row *row) {
    const qi_row_fit *fit = &row->fit;
    qi_text_line line = {.x_height_px = fit->x_height,
                         .ascent_px = fit->ascent,
                         .descent_px = fit->descent,
                         .white_on_black = row->white != f->inverted,
                         .box = box_on_page(f, &row->box)};
    find_gaps(f, row, &line);
    turn_back(f->turn, row->box.x0, fit->at + fit->slope * row->box.x0, &line.x0, &line.base_y0);
    turn_back(f->turn, row->box.x1, fit->at + fit->slope * row->box.x1, &line.x1, &line.base_y1);
    return line;
}

static void join_box(quire_box *a, const quire_box *b) {
    if (b->x0 < a->x0) a->x0 = b->x0;
    if (b->y0 < a->y0) a->y0 = b->y0;
    if (b->x1 > a->x1) a->x1 = b->x1;
    if (b->y1 > a->y1) a->y1 = b->y1;
}

static quire_err describe(finder *f, qi_layout *out) {
    qi_parts *p = &f->parts;
    out->lines = qi_arena_alloc(f->arena, p->n_rows + 1, sizeof *out->lines);
    out->blocks = qi_arena_alloc(f->arena, p->n_rows + 1, sizeof *out->blocks);
    if (!out->lines || !out->blocks) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < p->n_rows; i++) {
        qi_text_line *line = &out->lines[out->n_lines];
        *line = describe_line(f, &p->rows[i]);
        if (p->rows[i].starts_block || !out->n_blocks)
            out->blocks[out->n_blocks++] =
                (qi_text_block){.box = line->box, .first_line = out->n_lines};
        qi_text_block *block = &out->blocks[out->n_blocks - 1];
        join_box(&block->box, &line->box);
        block->n_lines++;
        out->n_lines++;
    }
    return QUIRE_ERR_OK;
}

/* Body text is set in about 10 points, whose x-height is some 4.6 points. */
static quire_err estimate_dpi(const finder *f, qi_layout *out) {
    float *sizes = qi_arena_alloc(f->scratch, out->n_lines + 1, sizeof *sizes);
    float *weights = qi_arena_alloc(f->scratch, out->n_lines + 1, sizeof *weights);
    if (!sizes || !weights) return QUIRE_ERR_NO_MEMORY;
    uint32_t n = 0;
    for (uint32_t i = 0; i < out->n_lines; i++) {
        const qi_text_line *line = &out->lines[i];
        if (line->x_height_px <= 0) continue;
        sizes[n] = line->x_height_px;
        weights[n++] = line->x1 - line->x0;
    }
    if (n < 5) return QUIRE_ERR_OK;
    float dpi = qi_weighted_median(sizes, weights, n, f->scratch) * 72 / 4.6f;
    out->dpi = fmaxf(70, fminf(1200, dpi));
    return QUIRE_ERR_OK;
}

/* Takes the rules out of the mask, and brings the components up to date with that and with the
 * slope of the text. */
static quire_err erase_rules(finder *f) {
    bool *changed = qi_arena_alloc(f->scratch, f->mask.height, sizeof *changed);
    if (!changed) return QUIRE_ERR_NO_MEMORY;
    float size = f->letter_height;
    uint32_t n_rules, box[4];
    quire_err err = qi_rules_erase(&f->mask, (uint32_t)(3 * size) + 8, (uint32_t)(0.3f * size) + 2,
                                   f->deadline, f->scratch, changed, &n_rules);
    if (err) return err;
    if (fabsf(f->degrees) > 0.05f) {
        float angle = f->degrees * (float)(M_PI / 180);
        f->turn = (qi_turn){cosf(angle), sinf(angle)};
        return label_ink(f);
    }
    if (!n_rules) return QUIRE_ERR_OK;
    const qi_components before = f->components;
    region_box(f, box);
    return qi_components_find_again(&f->mask, box, &before, changed, MIN_INK_PIXELS, MAX_COMPONENTS,
                                    f->deadline, f->scratch, f->scratch, &f->components);
}

static quire_err find_text(finder *f, qi_layout *out) {
    quire_err err =
        qi_threshold_page(f->page, f->region, f->deadline, f->scratch, f->scratch, &f->mask);
    f->turn = (qi_turn){1, 0};
    if (!err) err = label_ink(f);
    if (!err) err = choose_polarity(f);
    if (!err) err = measure_letters(f);
    if (err || f->letter_height <= 0) return err;
    err = measure_skew(f);
    if (err) return err;
    err = erase_rules(f);
    if (!err) err = measure_letters(f);
    if (err) return err;
    err = qi_scan_edge_find(&f->mask, 1, f->scratch, f->scratch, &f->edge);
    if (!err) err = sort_components(f);
    if (!err) err = add_banner_edges(f);
    if (!err) err = qi_layout_take_leaders(&f->parts, f->letter_height, f->scratch);
    if (!err) err = qi_layout_take_dashed_rules(&f->parts, f->letter_height, f->scratch);
    if (!err)
        err =
            qi_layout_find_pieces(&f->parts, f->letter_height, f->deadline, f->scratch, f->scratch);
    if (!err) err = qi_layout_order(&f->parts, f->deadline, f->scratch, f->scratch);
    for (uint32_t i = 0; i < f->parts.n_rows && !err; i++)
        err = qi_layout_fit_row(&f->parts, &f->parts.rows[i], f->scratch);
    if (err) return err;
    err = qi_layout_drop_noise(&f->parts, f->letter_height, f->scratch);
    if (!err) err = describe(f, out);
    if (!err) err = estimate_dpi(f, out);
    out->skew_degrees = f->degrees;
    return err;
}

static bool is_blank_region(const qi_grey *page, quire_box region) {
    qi_grey part = {qi_grey_row(page, (uint32_t)region.y0) + region.x0,
                    (uint32_t)(region.x1 - region.x0), (uint32_t)(region.y1 - region.y0),
                    page->stride};
    return qi_grey_is_blank(&part);
}

quire_err qi_layout_find(const qi_grey *page, quire_box region, bool right_to_left,
                         const qi_deadline *deadline, qi_arena *arena, qi_arena *scratch,
                         qi_layout *ret_layout) {
    finder f = {.page = page, .deadline = deadline, .arena = arena, .scratch = scratch};
    int32_t width = (int32_t)page->width, height = (int32_t)page->height;
    f.region =
        (quire_box){region.x0 > 0 ? region.x0 : 0, region.y0 > 0 ? region.y0 : 0,
                    region.x1 < width ? region.x1 : width, region.y1 < height ? region.y1 : height};
    f.parts.right_to_left = right_to_left;
    qi_layout out = {0};
    quire_err err = QUIRE_ERR_OK;
    if (f.region.x0 < f.region.x1 && f.region.y0 < f.region.y1 && !is_blank_region(page, f.region))
        err = find_text(&f, &out);
    qi_arena_reset(scratch);
    if (!err) *ret_layout = out;
    return err;
}
