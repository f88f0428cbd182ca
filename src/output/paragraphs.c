/* The finding of paragraphs.h. A block's lines are put into rows (the cells of a table's row are
 * lines side by side); then each boundary between two rows is judged:
 *
 * - a *sure* one: more space than usual, another size of type, an indented first line (or, where
 *   the block is set with hanging indents, one that is not indented), the mark of a list item;
 * - a *likely* one: the row before is so short that the first word of the next would have fitted.
 *
 * Between sure boundaries, rows that are all alone stay rows: an address, a poem. Text is narrower
 * beside a picture, so a row's length is judged by its neighbours' before the block's. */
#include "output/paragraphs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum boundary { WITHIN, LIKELY, SURE } boundary;

/* A row of a block, and the boundary before it. */
typedef struct row {
    uint32_t first, n; /* lines */
    float x0, x1, base, size;
    float word_width; /* of its first word */
    float widest_gap; /* before one of its cells; 0 when it has one cell */
    bool is_table;
    boundary before;
} row;

typedef struct finder {
    const quire_page *page;
    qi_paragraphs *out;
    row *rows; /* of the block at hand */
    uint32_t n_rows;
    float *values;
    float pitch;       /* usual distance of the block's rows */
    float x0, x1;      /* of the block */
    float left, right; /* where most of its rows begin and end */
    float size;        /* usual size of its type */
    bool hangs;        /* first lines stand out, the others are indented */
} finder;

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

/* A point of the stored page on the page made upright by its rotation. */
static void turn(const quire_page *page, float x, float y, float *ret_x, float *ret_y) {
    float w = (float)page->width_px, h = (float)page->height_px;
    *ret_x = page->rotation == 90    ? h - y
             : page->rotation == 180 ? w - x
             : page->rotation == 270 ? y
                                     : x;
    *ret_y = page->rotation == 90    ? x
             : page->rotation == 180 ? h - y
             : page->rotation == 270 ? w - x
                                     : y;
}

static float finite_or(float v, float other) {
    return isfinite(v) ? v : other;
}

/* The line's box on the upright page, its baseline taken through it, and both made level. */
static qi_placed_line place(const quire_page *page, const quire_line *line) {
    float x0, y0, x1, y1, bx0, by0, bx1, by1;
    turn(page, (float)line->box.x0, (float)line->box.y0, &x0, &y0);
    turn(page, (float)line->box.x1, (float)line->box.y1, &x1, &y1);
    turn(page, line->baseline[0], line->baseline[1], &bx0, &by0);
    turn(page, line->baseline[2], line->baseline[3], &bx1, &by1);
    float left = fminf(x0, x1), right = fmaxf(x0, x1), bottom = fmaxf(y0, y1);
    float height = fabsf(y1 - y0), slope = bx1 - bx0 >= 1 ? (by1 - by0) / (bx1 - bx0) : 0;
    slope = fmaxf(-1, fminf(1, finite_or(slope, 0)));
    float at = finite_or(by0 + slope * (left - bx0), bottom);
    float angle = finite_or(page->skew_degrees, 0) * 3.14159265f / 180;
    float c = cosf(angle), s = sinf(angle);
    float run = slope * (right - left);
    qi_placed_line p = {.x0 = left * c - at * s,
                        .x1 = right * c - (at + run) * s,
                        .base = ((at + at + run) * c + (left + right) * s) / 2};
    p.size = fminf(finite_or(line->x_height_px, 0), fmaxf(height - fabsf(run), 1));
    p.n_letters = (uint32_t)qi_text_letters(line->text);
    p.right_to_left = qi_text_is_right_to_left(line->text);
    return p;
}

/* Places a block's lines; where most run from right to left, x is mirrored. */
static void place_block(finder *f, const quire_block *block) {
    qi_placed_line *lines = f->out->lines + block->first_line;
    uint32_t n_right = 0;
    for (uint32_t i = 0; i < block->n_lines; i++) {
        lines[i] = place(f->page, &f->page->lines[block->first_line + i]);
        n_right += lines[i].right_to_left;
    }
    for (uint32_t i = 0; i < block->n_lines && n_right * 2 > block->n_lines; i++) {
        float x0 = lines[i].x0;
        lines[i].x0 = -lines[i].x1;
        lines[i].x1 = -x0;
    }
}

static float width_of_first_word(const quire_page *page, const quire_line *line) {
    if (!line->n_words) return 0;
    const quire_box *b = &page->words[line->first_word].box;
    return page->rotation % 180 ? (float)b->y1 - (float)b->y0 : (float)b->x1 - (float)b->x0;
}

/* Lines that stand on one level make a row. A line on the level of the row that does not come after
 * it is a stray mark, and part of the row all the same. */
static void make_rows(finder *f, const quire_block *block) {
    qi_placed_line *lines = f->out->lines;
    f->n_rows = 0;
    for (uint32_t i = block->first_line; i < block->first_line + block->n_lines; i++) {
        qi_placed_line *line = &lines[i];
        row *r = f->n_rows ? &f->rows[f->n_rows - 1] : NULL;
        float size = r ? fmaxf(fmaxf(r->size, line->size), 1) : 0;
        if (r && fabsf(line->base - r->base) < 0.6f * size) {
            line->in_row = true;
            line->follows = line->x0 >= r->x1 - 0.3f * size;
            if (line->follows) r->widest_gap = fmaxf(r->widest_gap, fmaxf(line->x0 - r->x1, 1));
            r->n++;
            if (line->n_letters > 3 || line->follows) r->x1 = fmaxf(r->x1, line->x1);
            continue;
        }
        f->rows[f->n_rows++] =
            (row){.first = i,
                  .n = 1,
                  .x0 = line->x0,
                  .x1 = line->x1,
                  .base = line->base,
                  .size = line->size,
                  .word_width = width_of_first_word(f->page, &f->page->lines[i])};
    }
}

static void measure_block(finder *f) {
    uint32_t n = 0;
    for (uint32_t i = 1; i < f->n_rows; i++)
        if (f->rows[i].base > f->rows[i - 1].base)
            f->values[n++] = f->rows[i].base - f->rows[i - 1].base;
    f->pitch = quantile(f->values, n, 0.5f);
    for (uint32_t i = 0; i < f->n_rows; i++)
        f->values[i] = f->rows[i].x1;
    f->right = quantile(f->values, f->n_rows, 0.9f);
    f->x1 = f->n_rows ? f->values[f->n_rows - 1] : 0;
    for (uint32_t i = 0; i < f->n_rows; i++)
        f->values[i] = f->rows[i].x0;
    f->left = quantile(f->values, f->n_rows, 0.2f);
    f->x0 = f->values[0];
    n = 0;
    for (uint32_t i = 0; i < f->n_rows; i++)
        if (f->rows[i].size > 0) f->values[n++] = f->rows[i].size;
    f->size = fmaxf(quantile(f->values, n, 0.5f), 1);
}

static float gap_before(const finder *f, uint32_t i) {
    return f->rows[i].base - f->rows[i - 1].base;
}

/* More space before row i than between its neighbours, or than is usual. Rows that go back up
 * begin something new as well. */
static bool is_spaced(const finder *f, uint32_t i) {
    float gap = gap_before(f, i), usual = f->pitch, beside = 0;
    if (gap < -f->size) return true;
    if (i > 1) beside = gap_before(f, i - 1);
    if (i + 1 < f->n_rows) beside = fmaxf(beside, gap_before(f, i + 1));
    if (beside > 0.5f * usual) usual = fminf(usual, beside);
    /* Large type has more of it. */
    float size = fminf(f->rows[i - 1].size, f->rows[i].size);
    if (size > 1.2f * f->out->body_size) usual = fmaxf(usual, 2.4f * size);
    return gap > 1.25f * usual && gap - usual > 0.5f * f->size;
}

/* Rows of clearly another size. What is smaller than the page's text is often misjudged and must
 * be much smaller. */
static bool is_resized(const finder *f, const row *a, const row *b) {
    const qi_placed_line *lines = f->out->lines;
    if (lines[a->first].n_letters < 3 || lines[b->first].n_letters < 3) return false;
    float low = fminf(a->size, b->size), high = fmaxf(a->size, b->size);
    if (low <= 0) return false;
    return high > 1.42f * low || (high > 1.2f * low && high > 1.2f * f->out->body_size);
}

/* Marks of items. A bullet is one; a dash or a number may also begin a line of running text, and
 * needs another like it that is as far in. */
static bool is_followed_by(const qi_placed_line *a, const qi_placed_line *b) {
    const qi_marker *m = &a->marker, *n = &b->marker;
    if (m->kind != n->kind || m->sign != n->sign) return false;
    if (fabsf(a->x0 - b->x0) > 1.5f * fmaxf(a->size, 4)) return false;
    return m->kind != QI_MARKER_NUMBER || n->number == m->number + 1;
}

static void find_markers(finder *f) {
    const qi_paragraphs *out = f->out;
    uint32_t last = 0, n = 0; /* rows with marks so far, and the last of them */
    bool last_is_item = false;
    for (uint32_t i = 0; i < f->n_rows; i++) {
        qi_placed_line *line = &out->lines[f->rows[i].first];
        if (f->rows[i].is_table) continue;
        line->marker = qi_text_marker(f->page->lines[f->rows[i].first].text);
        /* Running text begins further left in the row below a dash that opens speech. */
        if (line->marker.kind == QI_MARKER_DASH && i + 1 < f->n_rows &&
            f->rows[i + 1].x0 < line->x0 - f->size && !is_spaced(f, i + 1))
            line->marker.kind = QI_MARKER_NONE;
        if (!line->marker.kind) continue;
        bool is_item = line->marker.kind == QI_MARKER_BULLET;
        if (n++) {
            qi_placed_line *before = &out->lines[f->rows[last].first];
            bool pair = is_followed_by(before, line);
            is_item |= pair;
            if (!last_is_item && !pair) before->marker.kind = QI_MARKER_NONE;
        }
        last = i;
        last_is_item = is_item;
    }
    if (n && !last_is_item) out->lines[f->rows[last].first].marker.kind = QI_MARKER_NONE;
}

static bool is_item(const finder *f, uint32_t i) {
    return f->out->lines[f->rows[i].first].marker.kind != QI_MARKER_NONE;
}

/* Where rows near row i end, as far as both those above and those below say so. */
static float right_near(const finder *f, uint32_t i) {
    float above = -INFINITY, below = -INFINITY;
    for (uint32_t k = i >= 2 ? i - 2 : 0; k < i; k++)
        above = fmaxf(above, f->rows[k].x1);
    for (uint32_t k = i + 1; k <= i + 2 && k < f->n_rows; k++)
        below = fmaxf(below, f->rows[k].x1);
    if (above == -INFINITY) return below;
    return below == -INFINITY ? above : fminf(above, below);
}

/* Whether row i ends so early that the first word of the next one would have fitted. */
static bool is_short(const finder *f, uint32_t i) {
    const row *r = &f->rows[i];
    const float need = f->rows[i + 1].word_width + 1.6f * f->size;
    const char *text = f->page->lines[r->first + r->n - 1].text;
    size_t n_bytes;
    if (qi_text_join(text, f->page->lines[f->rows[i + 1].first].text, &n_bytes) == QI_JOIN_HYPHEN)
        return false;
    if (right_near(f, i) - r->x1 > need) return true;
    /* Beside a picture several rows end alike, and not very early. */
    const float left_over = f->right - r->x1, width = f->x1 - f->x0;
    uint32_t n_alike = 0;
    for (uint32_t k = i >= 2 ? i - 2 : 0; k <= i + 2 && k < f->n_rows; k++)
        n_alike += k != i && fabsf(r->x1 - f->rows[k].x1) < 1.5f * f->size;
    return left_over > fmaxf(need, (n_alike < 2 ? 0.18f : 0.6f) * width);
}

static bool share_middle(const finder *f, uint32_t i, float most) {
    const row *a = &f->rows[i - 1], *b = &f->rows[i];
    const float least = 0.5f * f->size;
    return fabsf(a->x0 + a->x1 - b->x0 - b->x1) < most && fabsf(a->x0 - b->x0) > least &&
           fabsf(a->x1 - b->x1) > least;
}

/* Row i and the one before are set about a common middle, with edges that differ: by chance as well
 * where one of them is a full line, and then a third row has to agree. */
static bool are_centred(const finder *f, uint32_t i) {
    if (!share_middle(f, i, 2 * f->size)) return false;
    if (fmaxf(f->rows[i - 1].x1, f->rows[i].x1) < f->x1 - f->size) return true;
    return share_middle(f, i, f->size) && ((i > 1 && share_middle(f, i - 1, f->size)) ||
                                           (i + 1 < f->n_rows && share_middle(f, i + 1, f->size)));
}

/* Hanging indents: rows before one that stands out are short, those before an indented one are not.
 */
static bool hangs(const finder *f) {
    uint32_t n_in = 0, n_out = 0;
    for (uint32_t i = 1; i < f->n_rows; i++) {
        float step = f->rows[i].x0 - f->rows[i - 1].x0;
        if (fabsf(step) < 0.9f * f->size || fabsf(step) > 8 * f->size) continue;
        bool after_short = f->right - f->rows[i - 1].x1 > 3 * f->size;
        n_in += step > 0 && after_short;
        n_out += step < 0 && after_short;
    }
    return n_out >= 2 && n_out > n_in;
}

/* Whether row i is indented as a paragraph's first line is. */
static bool is_indented(const finder *f, uint32_t i) {
    const row *r = &f->rows[i];
    const float least = 0.9f * f->size;
    float step = r->x0 - f->rows[i - 1].x0;
    bool goes_back = i + 1 == f->n_rows || f->rows[i + 1].x0 < r->x0 - least;
    if (f->hangs) return step < -least && f->rows[i - 1].before == WITHIN;
    if (step > least && !goes_back) { /* a single row of speech, or text beside a picture's edge */
        const float early = 1.5f * f->size;
        return r->x0 > f->left + least && step < 6 * f->size &&
               (right_near(f, i - 1) - f->rows[i - 1].x1 > early ||
                right_near(f, i) - r->x1 > early);
    }
    if (step > least) return true;
    if (fabsf(step) > 0.5f * f->size || f->rows[i - 1].before == WITHIN) return false;
    float margin = r->x0; /* another after one that was a single row */
    for (uint32_t k = i >= 6 ? i - 6 : 0; k < f->n_rows && k < i + 6; k++)
        margin = fminf(margin, f->rows[k].x0);
    return r->x0 - margin > least && r->x0 - margin < 6 * f->size;
}

/* Rows of cells: two such rows, with at most one between two of them that is a single, not a wide
 * cell; or one with a very wide gap. Otherwise a gap is one of running text: after a heading that
 * stands in its first line, or where ink was lost. */
static void find_tables(finder *f) {
    for (uint32_t i = 0; i < f->n_rows; i++) {
        if (f->rows[i].widest_gap <= 0) continue;
        uint32_t end = i + 1, n = 1;
        const bool is_wide = f->rows[i].widest_gap > 6 * f->size;
        for (uint32_t k = i + 1; k < f->n_rows; k++) {
            const row *r = &f->rows[k];
            float gap = gap_before(f, k);
            if (gap < 0 || gap > 2.5f * f->pitch) break;
            if (r->widest_gap > 0) {
                end = k + 1;
                n++;
            } else if (k > end || r->x1 - r->x0 > 0.7f * (f->x1 - f->x0)) {
                break;
            }
        }
        for (uint32_t k = i; k < end && (n >= 2 || is_wide); k++)
            f->rows[k].is_table = true;
        i = end - 1;
    }
}

/* The boundary before row i; item is the row that began the list item i may go on, or UINT32_MAX.
 */
static boundary judge(const finder *f, uint32_t i, uint32_t item) {
    const row *r = &f->rows[i], *before = &f->rows[i - 1];
    if (r->is_table || before->is_table) return r->is_table && before->is_table ? WITHIN : SURE;
    if (is_spaced(f, i) || is_resized(f, before, r) || is_item(f, i)) return SURE;
    if (item != UINT32_MAX) {
        float in = f->rows[item].x0 + 0.5f * f->size;
        if (i > item + 1 && before->x0 > in && r->x0 <= in) return SURE;
        return r->x0 <= in && is_short(f, i - 1) ? SURE : WITHIN;
    }
    if (are_centred(f, i)) return LIKELY;
    if (is_indented(f, i)) return SURE;
    return is_short(f, i - 1) ? LIKELY : WITHIN;
}

static void judge_block(finder *f) {
    uint32_t item = UINT32_MAX;
    f->hangs = hangs(f);
    for (uint32_t i = 0; i < f->n_rows; i++) {
        f->rows[i].before = i ? judge(f, i, item) : SURE;
        if (is_item(f, i))
            item = i;
        else if (f->rows[i].before == SURE)
            item = UINT32_MAX;
    }
}

static void add_paragraph(finder *f, uint32_t block, uint32_t first_row, uint32_t end_row,
                          bool keeps_rows) {
    const row *last = &f->rows[end_row - 1];
    const uint32_t first = f->rows[first_row].first;
    f->out->list[f->out->n++] =
        (qi_paragraph){first, last->first + last->n - first, block, keeps_rows};
}

/* Paragraphs from boundaries: single rows with likely boundaries between them stay rows of one. */
static void add_paragraphs(finder *f, uint32_t block) {
    for (uint32_t i = 0; i < f->n_rows;) {
        uint32_t end = i + 1;
        while (end < f->n_rows && f->rows[end].before == WITHIN)
            end++;
        bool alone = end == i + 1, rows = false;
        while (alone && end < f->n_rows && f->rows[end].before == LIKELY &&
               (end + 1 == f->n_rows || f->rows[end + 1].before != WITHIN)) {
            end++;
            rows = true;
        }
        add_paragraph(f, block, i, end, rows || f->rows[i].is_table);
        i = end;
    }
}

/* The size that half of the page's letters do not exceed. */
static float body_size_of(finder *f) {
    float low = 0, high = 0;
    uint64_t total = 0;
    for (uint32_t i = 0; i < f->page->n_lines; i++) {
        const qi_placed_line *line = &f->out->lines[i];
        if (line->size <= 0) continue;
        total += line->n_letters;
        high = fmaxf(high, line->size);
    }
    for (int step = 0; step < 24 && total; step++) {
        float middle = (low + high) / 2;
        uint64_t below = 0;
        for (uint32_t i = 0; i < f->page->n_lines; i++)
            if (f->out->lines[i].size <= middle && f->out->lines[i].size > 0)
                below += f->out->lines[i].n_letters;
        if (below * 2 >= total)
            high = middle;
        else
            low = middle;
    }
    return high;
}

bool qi_paragraphs_find(const quire_page *page, qi_paragraphs *ret_paragraphs) {
    qi_paragraphs out = {0};
    const size_t n = page->n_lines;
    finder f = {.page = page, .out = &out};
    out.lines = calloc(n + 1, sizeof *out.lines);
    out.list = calloc(n + 1, sizeof *out.list);
    f.rows = calloc(n + 1, sizeof *f.rows);
    f.values = calloc(n + 1, sizeof *f.values);
    const bool ok = out.lines && out.list && f.rows && f.values;
    if (ok) {
        for (uint32_t b = 0; b < page->n_blocks; b++)
            place_block(&f, &page->blocks[b]);
        out.body_size = body_size_of(&f);
        for (uint32_t b = 0; b < page->n_blocks; b++) {
            make_rows(&f, &page->blocks[b]);
            measure_block(&f);
            find_tables(&f);
            find_markers(&f);
            judge_block(&f);
            add_paragraphs(&f, b);
        }
        *ret_paragraphs = out;
    } else {
        qi_paragraphs_done(&out);
    }
    free(f.rows);
    free(f.values);
    return ok;
}

void qi_paragraphs_done(qi_paragraphs *paragraphs) {
    free(paragraphs->list);
    free(paragraphs->lines);
    *paragraphs = (qi_paragraphs){0};
}

void qi_paragraph_put_text(qi_strbuf *out, const quire_page *page, uint32_t first_line,
                           uint32_t n_lines) {
    for (uint32_t i = first_line; i < first_line + n_lines; i++) {
        const char *text = page->lines[i].text;
        size_t n = strlen(text);
        qi_line_join join = QI_JOIN_NOTHING;
        if (i + 1 < first_line + n_lines) join = qi_text_join(text, page->lines[i + 1].text, &n);
        qi_strbuf_append(out, text, n);
        if (join == QI_JOIN_SPACE) qi_strbuf_append(out, " ", 1);
    }
}

uint32_t qi_row_end(const qi_paragraphs *paragraphs, uint32_t line, uint32_t end) {
    while (++line < end && paragraphs->lines[line].in_row)
        ;
    return line;
}
