/* The making of rows.h. */
#include "output/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* The value that `share` of n values lie below; sorts them. */
static float quantile(float *values, uint32_t n, float share) {
    if (!n) return 0;
    qsort(values, n, sizeof *values, by_value);
    return values[(uint32_t)((float)(n - 1) * share)];
}

static float width_of_first_word(const quire_page *page, const quire_line *line) {
    if (!line->n_words) return 0;
    const quire_box *b = &page->words[line->first_word].box;
    return page->rotation % 180 ? (float)b->y1 - (float)b->y0 : (float)b->x1 - (float)b->x0;
}

/* Whether a line stands on a row's level. A raised or lowered figure stands a little off it. */
static bool is_in_row(const qi_row *r, const qi_placed_line *line) {
    const float off = fabsf(line->base - r->base);
    if (off < 0.6f * fmaxf(fmaxf(r->size, line->size), 1)) return true;
    return line->n_letters < 2 && line->x1 - line->x0 < 2 * r->size && line->x0 > r->x0 &&
           off < 1.3f * r->size;
}

/* Lines that stand on one level make a row. A line on the level of the row that does not come after
 * it is a stray mark, and part of the row all the same. */
static void make_rows(qi_rows *rows, const quire_block *block) {
    qi_placed_line *lines = rows->lines;
    rows->n = 0;
    for (uint32_t i = block->first_line; i < block->first_line + block->n_lines; i++) {
        qi_placed_line *line = &lines[i];
        qi_row *r = rows->n ? &rows->list[rows->n - 1] : NULL;
        if (r && is_in_row(r, line)) {
            line->in_row = true;
            const bool follows = line->x0 >= r->x1 - 0.3f * fmaxf(r->size, line->size);
            r->n++;
            r->n_cells += line->n_cells;
            if (line->n_letters > 3 || follows) {
                r->x1 = fmaxf(r->x1, line->x1);
                r->last = i;
            }
            continue;
        }
        rows->list[rows->n++] =
            (qi_row){.first = i,
                     .n = 1,
                     .last = i,
                     .first_cell = line->first_cell,
                     .n_cells = line->n_cells,
                     .x0 = line->x0,
                     .x1 = line->x1,
                     .base = line->base,
                     .size = line->size,
                     .word_width = width_of_first_word(rows->page, &rows->page->lines[i])};
    }
}

static const qi_marker misread_bullet = {.kind = QI_MARKER_DASH, .sign = 0x2022};

/* The mark that stands for itself as the row's first cell. */
static qi_marker mark_of_row(const qi_rows *rows, const qi_row *r) {
    const qi_cell *cell = &rows->cells[r->first_cell];
    if (r->n_cells < 2 || cell->n_words != 1) return (qi_marker){0};
    const char *word = rows->page->words[cell->first_word].text;
    qi_marker m = qi_text_is_like_bullet(word) ? misread_bullet : qi_text_marker(word);
    m.n_bytes = strlen(word);
    return m.is_alone || qi_text_is_like_bullet(word) ? m : (qi_marker){0};
}

/* The mark that row r begins with. */
static qi_marker marker_of(const qi_rows *rows, const qi_row *r) {
    if (r->has_mark) return mark_of_row(rows, r);
    const quire_line *line = &rows->page->lines[r->first];
    const qi_marker m = qi_text_marker(line->text);
    if (m.is_alone) return (qi_marker){0};
    if (m.kind && m.kind != QI_MARKER_DASH) return m;
    const quire_word *word = line->n_words > 1 ? &rows->page->words[line->first_word] : NULL;
    if (!word || word->confidence > 0.7f || !qi_text_is_like_bullet(word->text)) return m;
    qi_marker bullet = misread_bullet;
    bullet.n_bytes = strlen(word->text);
    return bullet;
}

/* The cells of a row that a table is made of: without the mark of a list item. */
static uint32_t first_table_cell(const qi_row *r) {
    return r->first_cell + r->has_mark;
}

static void measure_gaps(qi_rows *rows) {
    const qi_cell *cells = rows->cells;
    for (uint32_t i = 0; i < rows->n; i++) {
        qi_row *r = &rows->list[i];
        r->has_mark = mark_of_row(rows, r).kind != QI_MARKER_NONE;
        for (uint32_t c = first_table_cell(r) + 1; c < r->first_cell + r->n_cells; c++) {
            const float gap = cells[c].x0 - cells[c - 1].x1;
            if (gap > qi_cell_gap(rows->page->lines[cells[c - 1].line].text) * r->size)
                r->widest_gap = fmaxf(r->widest_gap, gap);
        }
    }
}

static void measure_block(qi_rows *rows) {
    uint32_t n = 0;
    for (uint32_t i = 1; i < rows->n; i++)
        if (rows->list[i].base > rows->list[i - 1].base)
            rows->values[n++] = rows->list[i].base - rows->list[i - 1].base;
    rows->pitch = quantile(rows->values, n, 0.5f);
    for (uint32_t i = 0; i < rows->n; i++)
        rows->values[i] = rows->list[i].x1;
    rows->right = quantile(rows->values, rows->n, 0.9f);
    rows->x1 = rows->n ? rows->values[rows->n - 1] : 0;
    for (uint32_t i = 0; i < rows->n; i++)
        rows->values[i] = rows->list[i].x0;
    rows->left = quantile(rows->values, rows->n, 0.2f);
    rows->x0 = rows->values[0];
    n = 0;
    for (uint32_t i = 0; i < rows->n; i++)
        if (rows->list[i].size > 0) rows->values[n++] = rows->list[i].size;
    rows->size = fmaxf(quantile(rows->values, n, 0.5f), 1);
}

float qi_row_gap(const qi_rows *rows, uint32_t i) {
    return rows->list[i].base - rows->list[i - 1].base;
}

bool qi_row_is_spaced(const qi_rows *rows, uint32_t i) {
    float gap = qi_row_gap(rows, i), usual = rows->pitch, beside = 0;
    if (gap < -rows->size) return true;
    if (i > 1) beside = qi_row_gap(rows, i - 1);
    if (i + 1 < rows->n) beside = fmaxf(beside, qi_row_gap(rows, i + 1));
    if (beside > 0.5f * usual) usual = fminf(usual, beside);
    /* Large type has more of it. */
    float size = fminf(rows->list[i - 1].size, rows->list[i].size);
    if (size > 1.2f * rows->body_size) usual = fmaxf(usual, 2.4f * size);
    return gap > 1.25f * usual && gap - usual > 0.5f * rows->size;
}

bool qi_marks_follow(const qi_placed_line *a, const qi_placed_line *b) {
    const qi_marker *m = &a->marker, *n = &b->marker;
    if (m->kind != n->kind || m->sign != n->sign) return false;
    if (fabsf(a->x0 - b->x0) > 1.5f * fmaxf(a->size, 4)) return false;
    return m->kind != QI_MARKER_NUMBER || n->number == m->number + 1;
}

/* A bullet is an item's mark. A dash or a number may also begin a line of running text, and needs
 * another that it follows or that follows it. */
static void find_markers(qi_rows *rows) {
    uint32_t last = 0, n = 0; /* rows with marks so far, and the last of them */
    bool last_is_item = false;
    for (uint32_t i = 0; i < rows->n; i++) {
        qi_placed_line *line = &rows->lines[rows->list[i].first];
        if (rows->list[i].is_table) continue;
        line->marker = marker_of(rows, &rows->list[i]);
        /* Running text begins further left in the row below a dash that opens speech. */
        if (line->marker.kind == QI_MARKER_DASH && i + 1 < rows->n &&
            rows->list[i + 1].x0 < line->x0 - rows->size && !qi_row_is_spaced(rows, i + 1))
            line->marker.kind = QI_MARKER_NONE;
        if (!line->marker.kind) continue;
        bool is_item = line->marker.kind == QI_MARKER_BULLET;
        if (n++) {
            qi_placed_line *before = &rows->lines[rows->list[last].first];
            bool pair = qi_marks_follow(before, line);
            is_item |= pair;
            if (!last_is_item && !pair) before->marker.kind = QI_MARKER_NONE;
        }
        last = i;
        last_is_item = is_item;
    }
    if (n && !last_is_item) rows->lines[rows->list[last].first].marker.kind = QI_MARKER_NONE;
}

/* Hanging indents: rows before one that stands out are short, those before an indented one are not.
 */
static bool hangs(const qi_rows *rows) {
    uint32_t n_in = 0, n_out = 0;
    for (uint32_t i = 1; i < rows->n; i++) {
        float step = rows->list[i].x0 - rows->list[i - 1].x0;
        if (fabsf(step) < 0.9f * rows->size || fabsf(step) > 8 * rows->size) continue;
        bool after_short = rows->right - rows->list[i - 1].x1 > 3 * rows->size;
        n_in += step > 0 && after_short;
        n_out += step < 0 && after_short;
    }
    return n_out >= 2 && n_out > n_in;
}

/* Whether a gap between cells of one row stands above one of the other. */
static bool share_gap(const qi_rows *rows, const qi_row *a, const qi_row *b) {
    const qi_cell *cells = rows->cells;
    uint32_t i = first_table_cell(a) + 1, k = first_table_cell(b) + 1;
    while (i < a->first_cell + a->n_cells && k < b->first_cell + b->n_cells) {
        const float start = fmaxf(cells[i - 1].x1, cells[k - 1].x1);
        if (fminf(cells[i].x0, cells[k].x0) - start > 0.5f * rows->size) return true;
        if (cells[i].x0 < cells[k].x0)
            i++;
        else
            k++;
    }
    return false;
}

/* Rows of cells: two such rows with a gap that both have, with at most one between two of them that
 * is a single, not a wide cell; or one with a very wide gap. Otherwise a gap is one of running
 * text: after a heading that stands in its first line, or where ink was lost. */
static void find_tables(qi_rows *rows) {
    for (uint32_t i = 0; i < rows->n; i++) {
        if (rows->list[i].widest_gap <= 0) continue;
        uint32_t end = i + 1, n = 1;
        const bool is_wide = rows->list[i].widest_gap > 6 * rows->size;
        for (uint32_t k = i + 1; k < rows->n; k++) {
            const qi_row *r = &rows->list[k];
            float gap = qi_row_gap(rows, k);
            if (gap < 0 || gap > 2.5f * rows->pitch) break;
            if (r->widest_gap > 0 && share_gap(rows, &rows->list[end - 1], r)) {
                end = k + 1;
                n++;
            } else if (k > end || r->x1 - r->x0 > 0.7f * (rows->x1 - rows->x0)) {
                break;
            }
        }
        for (uint32_t k = i; k < end && (n >= 2 || is_wide); k++)
            rows->list[k].is_table = true;
        i = end - 1;
    }
}

void qi_rows_make(qi_rows *rows, const quire_block *block) {
    make_rows(rows, block);
    measure_gaps(rows);
    measure_block(rows);
    rows->hangs = hangs(rows);
    find_tables(rows);
    find_markers(rows);
}
