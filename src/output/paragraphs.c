/* The finding of paragraphs.h. Each boundary between two rows of a block is judged:
 *
 * - a *sure* one: more space than usual, another size of type, an indented first line (or, where
 *   the block is set with hanging indents, one that is not indented), the mark of a list item;
 * - a *likely* one: the row before is so short that the first word of the next would have fitted;
 * - none, whatever the space, where a full row ends within a sentence and a small letter follows.
 *
 * Between sure boundaries, rows that are all alone stay rows: an address, a poem. Text is narrower
 * beside a picture, so a row's length is judged by its neighbours' before the block's. */
#include "output/paragraphs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/rows.h"

/* Rows of clearly another size. What is smaller than the page's text is often misjudged and must
 * be much smaller. */
static bool is_resized(const qi_rows *rows, const qi_row *a, const qi_row *b) {
    const qi_placed_line *lines = rows->lines;
    if (lines[a->first].n_letters < 3 || lines[b->first].n_letters < 3) return false;
    float low = fminf(a->size, b->size), high = fmaxf(a->size, b->size);
    if (low <= 0) return false;
    return high > 1.42f * low || (high > 1.2f * low && high > 1.2f * rows->body_size);
}

static bool is_item(const qi_rows *rows, uint32_t i) {
    return rows->lines[rows->list[i].first].marker.kind != QI_MARKER_NONE;
}

/* Where rows near row i end, as far as both those above and those below say so. */
static float right_near(const qi_rows *rows, uint32_t i) {
    float above = -INFINITY, below = -INFINITY;
    for (uint32_t k = i >= 2 ? i - 2 : 0; k < i; k++)
        above = fmaxf(above, rows->list[k].x1);
    for (uint32_t k = i + 1; k <= i + 2 && k < rows->n; k++)
        below = fmaxf(below, rows->list[k].x1);
    if (above == -INFINITY) return below;
    return below == -INFINITY ? above : fminf(above, below);
}

/* Whether row i ends so early that the first word of the next one would have fitted. */
static bool is_short(const qi_rows *rows, uint32_t i) {
    const qi_row *r = &rows->list[i];
    const float need = rows->list[i + 1].word_width + 1.6f * rows->size;
    const char *text = rows->page->lines[r->last].text;
    size_t n_bytes;
    if (qi_text_join(text, rows->page->lines[rows->list[i + 1].first].text, &n_bytes) ==
        QI_JOIN_HYPHEN)
        return false;
    if (right_near(rows, i) - r->x1 > need) return true;
    /* Beside a picture several rows end alike, and not very early. */
    const float left_over = rows->right - r->x1, width = rows->x1 - rows->x0;
    uint32_t n_alike = 0;
    for (uint32_t k = i >= 2 ? i - 2 : 0; k <= i + 2 && k < rows->n; k++)
        n_alike += k != i && fabsf(r->x1 - rows->list[k].x1) < 1.5f * rows->size;
    return left_over > fmaxf(need, (n_alike < 2 ? 0.18f : 0.6f) * width);
}

static bool share_middle(const qi_rows *rows, uint32_t i, float most) {
    const qi_row *a = &rows->list[i - 1], *b = &rows->list[i];
    const float least = 0.5f * rows->size;
    return fabsf(a->x0 + a->x1 - b->x0 - b->x1) < most && fabsf(a->x0 - b->x0) > least &&
           fabsf(a->x1 - b->x1) > least;
}

/* Row i and the one before are set about a common middle, with edges that differ: by chance as well
 * where one of them is a full line, and then a third row has to agree. */
static bool are_centred(const qi_rows *rows, uint32_t i) {
    if (!share_middle(rows, i, 2 * rows->size)) return false;
    if (fmaxf(rows->list[i - 1].x1, rows->list[i].x1) < rows->x1 - rows->size) return true;
    return share_middle(rows, i, rows->size) &&
           ((i > 1 && share_middle(rows, i - 1, rows->size)) ||
            (i + 1 < rows->n && share_middle(rows, i + 1, rows->size)));
}

/* Whether row i is indented as a paragraph's first line is. */
static bool is_indented(const qi_rows *rows, uint32_t i) {
    const qi_row *r = &rows->list[i];
    const float least = 0.9f * rows->size;
    float step = r->x0 - rows->list[i - 1].x0;
    bool goes_back = i + 1 == rows->n || rows->list[i + 1].x0 < r->x0 - least;
    if (rows->hangs) return step < -least && rows->list[i - 1].before == QI_WITHIN;
    if (step > least && !goes_back) { /* a single row of speech, or text beside a picture's edge */
        const float early = 1.5f * rows->size;
        return r->x0 > rows->left + least && step < 6 * rows->size &&
               (right_near(rows, i - 1) - rows->list[i - 1].x1 > early ||
                right_near(rows, i) - r->x1 > early);
    }
    if (step > least) return true;
    if (fabsf(step) > 0.5f * rows->size || rows->list[i - 1].before == QI_WITHIN) return false;
    float margin = r->x0; /* another after one that was a single row */
    for (uint32_t k = i >= 6 ? i - 6 : 0; k < rows->n && k < i + 6; k++)
        margin = fminf(margin, rows->list[k].x0);
    return r->x0 - margin > least && r->x0 - margin < 6 * rows->size;
}

/* Whether a text begins in a small letter that does not mark an item: o or b) or c. */
static bool begins_small(const char *text) {
    const char first[] = {text[0], 0};
    const bool is_mark = text[0] && ((text[1] == ' ' && qi_text_is_like_bullet(first)) ||
                                     text[1] == ')' || (text[1] == '.' && text[2] == ' '));
    return !is_mark && qi_text_shape_of(text).begins_small;
}

/* Whether the text itself says that row i goes on what the row before began. */
static bool goes_on(const qi_rows *rows, uint32_t i) {
    const qi_row *r = &rows->list[i], *before = &rows->list[i - 1];
    const float gap = qi_row_gap(rows, i);
    return gap > 0 && gap < 3 * rows->pitch && before->x1 - before->x0 > 0.5f * (r->x1 - r->x0) &&
           !is_short(rows, i - 1) && !are_centred(rows, i) &&
           qi_text_is_open(rows->page->lines[before->last].text) &&
           begins_small(rows->page->lines[r->first].text);
}

static bool has_leader(const qi_rows *rows, const qi_row *r) {
    return qi_text_has_leader(rows->page->lines[r->first].text);
}

/* The boundary before row i; item is the row that began the list item i may go on, or UINT32_MAX.
 */
static qi_boundary judge(const qi_rows *rows, uint32_t i, uint32_t item) {
    const qi_row *r = &rows->list[i], *before = &rows->list[i - 1];
    if (r->is_table || before->is_table)
        return r->is_table && before->is_table ? QI_WITHIN : QI_SURE;
    if (is_resized(rows, before, r) || is_item(rows, i)) return QI_SURE;
    if (goes_on(rows, i)) return QI_WITHIN;
    if (qi_row_is_spaced(rows, i)) return QI_SURE;
    if (has_leader(rows, before) || has_leader(rows, r)) return QI_LIKELY;
    if (item != UINT32_MAX) {
        float in = rows->list[item].x0 + 0.5f * rows->size;
        if (i > item + 1 && before->x0 > in && r->x0 <= in) return QI_SURE;
        return r->x0 <= in && is_short(rows, i - 1) ? QI_SURE : QI_WITHIN;
    }
    if (are_centred(rows, i)) return QI_LIKELY;
    if (is_indented(rows, i)) return QI_SURE;
    return is_short(rows, i - 1) ? QI_LIKELY : QI_WITHIN;
}

static void judge_rows(qi_rows *rows) {
    uint32_t item = UINT32_MAX;
    for (uint32_t i = 0; i < rows->n; i++) {
        rows->list[i].before = i ? judge(rows, i, item) : QI_SURE;
        if (is_item(rows, i))
            item = i;
        else if (rows->list[i].before == QI_SURE)
            item = UINT32_MAX;
    }
}

static void add_paragraph(qi_paragraphs *out, const qi_rows *rows, uint32_t block, uint32_t first,
                          uint32_t end, bool keeps_rows) {
    const qi_row *last = &rows->list[end - 1];
    const uint32_t first_line = rows->list[first].first;
    out->list[out->n++] = (qi_paragraph){
        .first_line = first_line,
        .n_lines = last->first + last->n - first_line,
        .block = block,
        .keeps_rows = keeps_rows,
        .ends_full = rows->n > 1 && last->x1 > rows->right - 3 * rows->size,
    };
}

/* Whether row i is part of a full line of running text, or all of it. */
static bool is_full(const qi_rows *rows, uint32_t i) {
    const qi_row *r = &rows->list[i];
    return r->x0 < rows->left + rows->size && r->x1 - r->x0 > 0.75f * (rows->x1 - rows->x0);
}

/* Paragraphs from boundaries: single rows with likely boundaries between them stay rows of one, but
 * for full ones where most others are running text. */
static void add_paragraphs(qi_paragraphs *out, const qi_rows *rows, uint32_t block) {
    uint32_t n_within = 0;
    for (uint32_t i = 0; i < rows->n; i++)
        n_within += rows->list[i].before == QI_WITHIN;
    const bool is_prose = n_within * 2 >= rows->n;
    for (uint32_t i = 0; i < rows->n;) {
        uint32_t end = i + 1;
        while (end < rows->n && rows->list[end].before == QI_WITHIN)
            end++;
        const bool alone = end == i + 1 && !(is_prose && is_full(rows, i));
        bool keeps_rows = rows->list[i].is_table;
        while (alone && end < rows->n && rows->list[end].before == QI_LIKELY &&
               !(is_prose && is_full(rows, end)) &&
               (end + 1 == rows->n || rows->list[end + 1].before != QI_WITHIN)) {
            end++;
            keeps_rows = true;
        }
        add_paragraph(out, rows, block, i, end, keeps_rows);
        i = end;
    }
}

bool qi_paragraphs_find(const quire_page *page, qi_paragraphs *ret_paragraphs) {
    const size_t n = (size_t)page->n_lines + 1;
    uint32_t n_cells = 0;
    qi_paragraphs out = {.list = calloc(n, sizeof *out.list),
                         .lines = calloc(n, sizeof *out.lines),
                         .cells = calloc(n + page->n_words, sizeof *out.cells)};
    qi_rows rows = {.page = page,
                    .lines = out.lines,
                    .cells = out.cells,
                    .list = calloc(n, sizeof *rows.list),
                    .values = calloc(n, sizeof *rows.values)};
    const bool ok = out.list && out.lines && out.cells && rows.list && rows.values;
    if (ok) {
        for (uint32_t b = 0; b < page->n_blocks; b++)
            qi_place_block(page, &page->blocks[b], out.lines, out.cells, &n_cells);
        out.body_size = rows.body_size = qi_body_size(out.lines, page->n_lines);
        for (uint32_t b = 0; b < page->n_blocks; b++) {
            qi_rows_make(&rows, &page->blocks[b]);
            judge_rows(&rows);
            add_paragraphs(&out, &rows, b);
        }
        *ret_paragraphs = out;
    } else {
        qi_paragraphs_done(&out);
    }
    free(rows.list);
    free(rows.values);
    return ok;
}

void qi_paragraphs_done(qi_paragraphs *paragraphs) {
    free(paragraphs->list);
    free(paragraphs->lines);
    free(paragraphs->cells);
    *paragraphs = (qi_paragraphs){0};
}

bool qi_paragraph_is_next_item(const qi_paragraphs *paragraphs, uint32_t i) {
    if (!i) return false;
    const qi_paragraph *p = &paragraphs->list[i];
    const qi_marker *a = &paragraphs->lines[p[-1].first_line].marker;
    const qi_marker *b = &paragraphs->lines[p->first_line].marker;
    return a->kind != QI_MARKER_NONE && a->kind == b->kind && a->sign == b->sign;
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

void qi_cell_put_text(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                      const qi_cell *cell) {
    if (paragraphs->lines[cell->line].n_cells == 1) {
        qi_strbuf_puts(out, page->lines[cell->line].text);
        return;
    }
    for (uint32_t w = cell->first_word; w < cell->first_word + cell->n_words; w++) {
        if (w > cell->first_word && page->words[w].space_before) qi_strbuf_append(out, " ", 1);
        qi_strbuf_puts(out, page->words[w].text);
    }
}

uint32_t qi_row_end(const qi_paragraphs *paragraphs, uint32_t line, uint32_t end) {
    while (++line < end && paragraphs->lines[line].in_row)
        ;
    return line;
}
