/* See layer_page.h. A block goes on as long as the next line lies below the last one, close to it,
 * in about the same size: poppler's own order keeps columns together, so that its lines need no
 * sorting. Words of a line with letters of Arabic or Hebrew come from left to right and are turned
 * round; words of other scripts beside each other keep their order among themselves, after the
 * Unicode bidirectional algorithm, of which whole words are enough here. */
#include "read/layer_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "read/text_decision.h"

/* A word of a layer that is what the page shows is right, but for rare slips of its producer's
 * tables; one with characters that stand for none is known to be wrong. */
static const float word_confidence = 0.99f;

typedef struct maker {
    const qi_text_layer *layer;
    quire_page *page;
    qi_arena *arena;
    quire_word *words;
    quire_line *lines;
    quire_block *blocks;
    float *sizes;      /* of the fonts, one a line */
    uint32_t *turns;   /* of the lines */
    uint32_t *indexes; /* scratch: the words of a line, in order of reading */
} maker;

static int32_t clamp(float v, uint32_t limit) {
    return v < 0 ? 0 : v > (float)limit ? (int32_t)limit : (int32_t)v;
}

static quire_box box_on_page(float x0, float y0, float x1, float y1, uint32_t width,
                             uint32_t height) {
    quire_box b = {clamp(floorf(x0), width - 1), clamp(floorf(y0), height - 1),
                   clamp(ceilf(x1), width), clamp(ceilf(y1), height)};
    if (b.x1 <= b.x0) b.x1 = b.x0 + 1;
    if (b.y1 <= b.y0) b.y1 = b.y0 + 1;
    return b;
}

static quire_box word_box(const qi_text_word *w, const quire_page *page) {
    return box_on_page(w->x0, w->y0, w->x1, w->y1, page->width_px, page->height_px);
}

static void grow(quire_box *b, quire_box by) {
    if (by.x0 < b->x0) b->x0 = by.x0;
    if (by.y0 < b->y0) b->y0 = by.y0;
    if (by.x1 > b->x1) b->x1 = by.x1;
    if (by.y1 > b->y1) b->y1 = by.y1;
}

static bool is_kept(const qi_text_word *w, bool all, quire_box only, const quire_page *page) {
    if (!all && (!qi_text_word_seen(w) || (w->flags & QI_TEXT_OVER_PICTURE))) return false;
    quire_box b = word_box(w, page);
    int32_t x = (b.x0 + b.x1) / 2, y = (b.y0 + b.y1) / 2;
    return x >= only.x0 && x < only.x1 && y >= only.y0 && y < only.y1;
}

static bool is_right_to_left(uint32_t c) {
    return (c >= 0x590 && c <= 0x8FF) || (c >= 0xFB1D && c <= 0xFDFF) ||
           (c >= 0xFE70 && c <= 0xFEFF) || (c >= 0x10800 && c <= 0x10FFF) ||
           (c >= 0x1E800 && c <= 0x1EFFF);
}

typedef enum direction { NEUTRAL, LEFT_TO_RIGHT, RIGHT_TO_LEFT } direction;

/* By the first letter. */
static direction direction_of(const maker *m, const qi_text_word *w) {
    const char *s = m->layer->pool + w->text_at;
    for (size_t at = 0; at < w->text_bytes;) {
        uint32_t c = 0;
        at += qi_utf8_decode(s + at, w->text_bytes - at, &c);
        if (is_right_to_left(c)) return RIGHT_TO_LEFT;
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0xC0) return LEFT_TO_RIGHT;
    }
    return NEUTRAL;
}

static void reverse(uint32_t *v, uint32_t n) {
    for (uint32_t i = 0; i < n / 2; i++) {
        uint32_t t = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = t;
    }
}

/* Turns round each run of words that go against: a run begins and ends with such a word. */
static void reverse_runs(const maker *m, uint32_t *v, uint32_t n, direction against) {
    for (uint32_t i = 0; i < n;) {
        uint32_t last = i;
        if (direction_of(m, &m->layer->words[v[i]]) != against) {
            i++;
            continue;
        }
        for (uint32_t j = i; j < n; j++) {
            direction d = direction_of(m, &m->layer->words[v[j]]);
            if (d == against) last = j;
            if (d != against && d != NEUTRAL) break;
        }
        reverse(v + i, last - i + 1);
        i = last + 1;
    }
}

static int compare_left(const void *a, const void *b, void *words) {
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    float x = ((const qi_text_word *)words)[i].x0, y = ((const qi_text_word *)words)[j].x0;
    if (x != y) return x < y ? -1 : 1;
    return (i > j) - (i < j);
}

/* Brings a line's words into logical order. True where the order was changed. */
static bool order_words(const maker *m, uint32_t *v, uint32_t n) {
    uint32_t counts[3] = {0};
    for (uint32_t i = 0; i < n; i++)
        counts[direction_of(m, &m->layer->words[v[i]])]++;
    if (!counts[RIGHT_TO_LEFT]) return false;
    qsort_r(v, n, sizeof *v, compare_left, (void *)m->layer->words);
    if (counts[RIGHT_TO_LEFT] >= counts[LEFT_TO_RIGHT]) {
        reverse(v, n);
        reverse_runs(m, v, n, LEFT_TO_RIGHT);
    } else {
        reverse_runs(m, v, n, RIGHT_TO_LEFT);
    }
    return true;
}

static float confidence_of(const char *s, size_t n) {
    for (size_t at = 0; at < n;) {
        uint32_t code = 0;
        at += qi_utf8_decode(s + at, n - at, &code);
        if (qi_text_code_bad(code)) return 0;
    }
    return word_confidence;
}

/* How far below the baseline a line's box reaches, from its height and its font's size: fonts whose
 * boxes are higher reach deeper. */
static float descent_of(float height, float size) {
    if (size <= 0) return 0.2f * height;
    return size * (0.21f + 0.75f * fmaxf(0, height / size - 1.11f));
}

static void set_baseline(quire_line *line, float size, uint32_t turn) {
    float x0 = (float)line->box.x0, y0 = (float)line->box.y0;
    float x1 = (float)line->box.x1, y1 = (float)line->box.y1;
    float *b = line->baseline;
    if (!(turn & QI_TEXT_TURNED)) {
        float y = y1 - descent_of(y1 - y0, size);
        b[0] = x0, b[1] = y, b[2] = x1, b[3] = y;
    } else if (turn & QI_TEXT_UPWARDS) {
        float x = x1 - descent_of(x1 - x0, size);
        b[0] = x, b[1] = y1, b[2] = x, b[3] = y0;
    } else {
        float x = x0 + descent_of(x1 - x0, size);
        b[0] = x, b[1] = y0, b[2] = x, b[3] = y1;
    }
}

/* The line of these words of the layer. */
static quire_err add_line(maker *m, uint32_t *v, uint32_t n) {
    quire_page *p = m->page;
    quire_line line = {.source = QUIRE_SOURCE_LAYER, .first_word = p->n_words, .n_words = n};
    bool ordered = order_words(m, v, n);
    size_t text_bytes = 1;
    float size = 0, confidence = 0;
    uint32_t turn = m->layer->words[v[0]].flags & (QI_TEXT_TURNED | QI_TEXT_UPWARDS);
    for (uint32_t i = 0; i < n; i++)
        text_bytes += m->layer->words[v[i]].text_bytes + 1;
    char *text = qi_arena_alloc(m->arena, text_bytes, 1);
    if (!text) return QUIRE_ERR_NO_MEMORY;
    line.text = text;
    for (uint32_t i = 0; i < n; i++) {
        const qi_text_word *w = &m->layer->words[v[i]];
        quire_word out = {.box = word_box(w, p),
                          .space_before = i && (ordered || (w->flags & QI_TEXT_SPACE_BEFORE))};
        out.text = qi_arena_strndup(m->arena, m->layer->pool + w->text_at, w->text_bytes);
        if (!out.text) return QUIRE_ERR_NO_MEMORY;
        out.confidence = confidence_of(out.text, w->text_bytes);
        confidence += out.confidence;
        if (out.space_before) *text++ = ' ';
        memcpy(text, out.text, w->text_bytes);
        text += w->text_bytes;
        if (i)
            grow(&line.box, out.box);
        else
            line.box = out.box;
        size = fmaxf(size, w->size_px);
        m->words[p->n_words++] = out;
    }
    line.confidence = confidence / (float)n;
    line.x_height_px = 0.48f * size;
    set_baseline(&line, size, turn);
    m->sizes[p->n_lines] = size;
    m->turns[p->n_lines] = turn;
    m->lines[p->n_lines++] = line;
    return QUIRE_ERR_OK;
}

/* Whether line i goes on the block of the line before it. */
static bool continues(const maker *m, uint32_t i) {
    quire_box a = m->lines[i - 1].box, b = m->lines[i].box;
    if (m->turns[i] != m->turns[i - 1]) return false;
    if (m->turns[i] & QI_TEXT_TURNED) { /* as if the page were turned: rows become columns */
        bool up = m->turns[i] & QI_TEXT_UPWARDS;
        quire_box s = a, t = b;
        a = (quire_box){s.y0, up ? s.x0 : -s.x1, s.y1, up ? s.x1 : -s.x0};
        b = (quire_box){t.y0, up ? t.x0 : -t.x1, t.y1, up ? t.x1 : -t.x0};
    }
    float low = fminf((float)(a.y1 - a.y0), (float)(b.y1 - b.y0));
    float gap = (float)(b.y0 - a.y1),
          overlap = (float)((a.x1 < b.x1 ? a.x1 : b.x1) - (a.x0 > b.x0 ? a.x0 : b.x0));
    float sizes =
        fmaxf(m->sizes[i], m->sizes[i - 1]) / fmaxf(fminf(m->sizes[i], m->sizes[i - 1]), 1);
    return sizes < 1.3f && overlap > 0 && gap < 0.7f * low && b.y0 > a.y0 && b.y1 > a.y1;
}

static void make_blocks(maker *m) {
    quire_page *p = m->page;
    for (uint32_t i = 0; i < p->n_lines; i++) {
        if (!i || !continues(m, i))
            m->blocks[p->n_blocks++] = (quire_block){.box = m->lines[i].box, .first_line = i};
        quire_block *b = &m->blocks[p->n_blocks - 1];
        grow(&b->box, m->lines[i].box);
        b->n_lines++;
    }
}

static quire_err make_lines(maker *m, bool all, quire_box only) {
    uint32_t n = 0;
    double confidence = 0;
    for (uint32_t i = 0; i < m->layer->head.n_words; i++) {
        const qi_text_word *w = &m->layer->words[i];
        if (n && (w->flags & QI_TEXT_LINE_START)) {
            quire_err err = add_line(m, m->indexes, n);
            if (err) return err;
            n = 0;
        }
        if (is_kept(w, all, only, m->page)) m->indexes[n++] = i;
    }
    quire_err err = n ? add_line(m, m->indexes, n) : QUIRE_ERR_OK;
    for (uint32_t i = 0; i < m->page->n_words; i++)
        confidence += (double)m->words[i].confidence;
    if (m->page->n_words) m->page->confidence = (float)(confidence / m->page->n_words);
    return err;
}

quire_err qi_layer_page(const qi_text_layer *layer, bool all, quire_box only, qi_arena *arena,
                        quire_page *page) {
    size_t n = layer->head.n_words;
    maker m = {
        .layer = layer,
        .page = page,
        .arena = arena,
        .words = qi_arena_alloc(arena, n, sizeof *m.words),
        .lines = qi_arena_alloc(arena, n, sizeof *m.lines),
        .blocks = qi_arena_alloc(arena, n, sizeof *m.blocks),
        .sizes = qi_arena_alloc(arena, n, sizeof *m.sizes),
        .turns = qi_arena_alloc(arena, n, sizeof *m.turns),
        .indexes = qi_arena_alloc(arena, n, sizeof *m.indexes),
    };
    if (!m.words || !m.lines || !m.blocks || !m.sizes || !m.turns || !m.indexes)
        return QUIRE_ERR_NO_MEMORY;
    page->n_words = page->n_lines = page->n_blocks = 0;
    page->confidence = 0;
    quire_err err = make_lines(&m, all, only);
    if (err) return err;
    make_blocks(&m);
    page->words = m.words;
    page->lines = m.lines;
    page->blocks = m.blocks;
    return QUIRE_ERR_OK;
}

quire_err qi_layer_uncovered(const qi_text_layer *layer, uint32_t width_px, uint32_t height_px,
                             qi_arena *arena, quire_box **ret_boxes, uint32_t *ret_n) {
    const qi_text_head *h = &layer->head;
    uint32_t n = h->n_regions, at = 0;
    for (uint32_t i = 0; i < h->n_words; i++)
        n += (layer->words[i].flags & QI_TEXT_OVER_PICTURE) != 0;
    quire_box *boxes = qi_arena_alloc(arena, n, sizeof *boxes);
    if (!boxes) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < h->n_regions; i++) {
        const qi_text_region *r = &h->regions[i];
        boxes[at++] = box_on_page(r->x0, r->y0, r->x1, r->y1, width_px, height_px);
    }
    for (uint32_t i = 0; i < h->n_words; i++) {
        const qi_text_word *w = &layer->words[i];
        if (!(w->flags & QI_TEXT_OVER_PICTURE)) continue;
        float pad = 0.5f * fminf(w->y1 - w->y0, w->x1 - w->x0);
        boxes[at++] =
            box_on_page(w->x0 - pad, w->y0 - pad, w->x1 + pad, w->y1 + pad, width_px, height_px);
    }
    *ret_boxes = boxes;
    *ret_n = n;
    return QUIRE_ERR_OK;
}
