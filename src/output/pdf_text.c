/* The text layer: invisible text (render mode 3) that lies where the words are. A line is one
 * coordinate system, its origin at the start of the baseline, its unit the size of the text, turned
 * by quarters as the text is; its words are moved to and stretched to their width. Of a line that
 * climbs each word has its own height on the baseline, but stands level: programs that extract text
 * take a slanted word apart. A space that follows a word is shown with it. Words come in logical
 * order; the letters of one that runs from right to left are shown from left to right, as PDFs have
 * them, with the space before. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "output/emit.h"
#include "output/pdf_parts.h"

enum { MAX_LETTERS = 1024 /* of a word */, DIGITS = 3 };

/* A line on the page, in pixels: where its baseline starts, along and up by quarter turns, how much
 * it climbs for each pixel along, and how tall its text is. */
typedef struct frame {
    double x, y, along[2], up[2], climb, size;
} frame;

/* A word in its line's frame. */
typedef struct extent {
    double from, length, bottom, height; /* of its box */
    double above, thickness;             /* of the slanted word in it: its top over the baseline */
} extent;

typedef struct word_run {
    uint32_t letters[MAX_LETTERS];
    size_t n;
    bool right_to_left;
} word_run;

static bool is_right_to_left(uint32_t c) {
    return (c >= 0x590 && c <= 0x8FF && !(c >= 0x660 && c <= 0x669) &&
            !(c >= 0x6F0 && c <= 0x6F9)) ||
           (c >= 0xFB1D && c <= 0xFDFF) || (c >= 0xFE70 && c <= 0xFEFE) ||
           (c >= 0x10800 && c <= 0x10FFF) || (c >= 0x1E800 && c <= 0x1EFFF);
}

/* Letters and digits that run from left to right, in a word that otherwise does not. */
static bool is_left_to_right(uint32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= 0x660 && c <= 0x669) || (c >= 0x6F0 && c <= 0x6F9) || (c >= 0xC0 && c <= 0x58F);
}

static void reverse(uint32_t *v, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        uint32_t t = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = t;
    }
}

/* The letters as they stand from left to right. */
static void order_letters(word_run *w) {
    reverse(w->letters, w->n);
    for (size_t i = 0; i < w->n; i++) {
        size_t end = i, last = i;
        while (end < w->n && !is_right_to_left(w->letters[end])) {
            if (is_left_to_right(w->letters[end])) last = end + 1;
            end++;
        }
        if (last > i && is_left_to_right(w->letters[i])) {
            reverse(w->letters + i, last - i);
            i = last - 1;
        }
    }
}

static void read_word(const char *text, word_run *ret) {
    size_t left = strlen(text);
    ret->n = 0;
    ret->right_to_left = false;
    while (left && ret->n < MAX_LETTERS) {
        uint32_t c = 0;
        size_t n = qi_utf8_decode(text, left, &c);
        if (!n) {
            c = 0xFFFD;
            n = 1;
        }
        text += n;
        left -= n;
        if (c < 0x20) continue;
        ret->letters[ret->n++] = c;
        ret->right_to_left |= is_right_to_left(c);
    }
    if (ret->right_to_left) order_letters(ret);
}

/* How a box lies in a line. A slanted word of length l and thickness t is bounded by l + st and
 * t + sl, s the sine of the slant (and its cosine nearly 1, as slants are less than 45 degrees). */
static extent measure(const frame *f, quire_box b) {
    const double corners[2][2] = {{b.x0 - f->x, b.y0 - f->y}, {b.x1 - f->x, b.y1 - f->y}};
    double s[2], u[2];
    for (int i = 0; i < 2; i++) {
        s[i] = corners[i][0] * f->along[0] + corners[i][1] * f->along[1];
        u[i] = corners[i][0] * f->up[0] + corners[i][1] * f->up[1];
    }
    extent e = {.from = fmin(s[0], s[1]),
                .length = fmax(fabs(s[1] - s[0]), 1),
                .bottom = fmin(u[0], u[1]),
                .height = fmax(fabs(u[1] - u[0]), 1)};
    double cosine = 1 / sqrt(1 + f->climb * f->climb), sine = fabs(f->climb) * cosine;
    double det = cosine * cosine - sine * sine;
    e.thickness = det > 0.3 ? (e.height * cosine - e.length * sine) / det : e.height;
    e.thickness = fmin(fmax(e.thickness, 1), e.height);
    double middle = e.from + e.length / 2;
    e.above = e.bottom + e.height / 2 - f->climb * middle + e.thickness / 2;
    return e;
}

static void take_direction(frame *f, const quire_page *page, const quire_line *line) {
    static const double ways[4][2] = {{1, 0}, {0, -1}, {-1, 0}, {0, 1}};
    double dx = (double)line->baseline[2] - (double)line->baseline[0];
    double dy = (double)line->baseline[3] - (double)line->baseline[1];
    int way = page->rotation / 90 & 3; /* of a line without a direction of its own */
    for (int i = 0; i < 4; i++) {
        double along = dx * ways[i][0] + dy * ways[i][1];
        if (along >= 1 && along >= hypot(dx, dy) * 0.7071) way = i;
    }
    f->along[0] = ways[way][0], f->along[1] = ways[way][1];
    f->up[0] = f->along[1], f->up[1] = -f->along[0];
    double along = dx * f->along[0] + dy * f->along[1], up = dx * f->up[0] + dy * f->up[1];
    /* Less than a pixel or so is the baseline's own uncertainty. */
    f->climb = fabs(up) > 2 && along >= 1 ? up / along : 0;
}

/* The line's frame. The text is about as tall as its tallest word, within what its x-height allows;
 * a little less, to be nearer to the words that have no ascenders. */
static frame frame_of(const quire_page *page, const quire_line *line) {
    frame f = {.x = (double)line->baseline[0], .y = (double)line->baseline[1]};
    take_direction(&f, page, line);
    double thickest = 1, x_height = (double)line->x_height_px, above = 0, lowest = INFINITY;
    const quire_word *words = &page->words[line->first_word];
    for (uint32_t i = 0; i < line->n_words; i++)
        thickest = fmax(thickest, measure(&f, words[i].box).thickness);
    for (uint32_t i = 0; i < line->n_words; i++) {
        extent e = measure(&f, words[i].box);
        above = fmax(above, e.above);
        if (e.thickness > 0.4 * thickest) lowest = fmin(lowest, e.above);
    }
    if (lowest < above) above -= 0.35 * (above - lowest);
    if (x_height > 0) above = fmin(fmax(above, x_height), 2.2 * x_height);
    above = fmin(fmax(above, 0.4 * thickest), 1.6 * thickest);
    f.size = above / QI_PDF_FONT_ASCENT;
    return f;
}

static bool is_covered(const quire_pdf_page *covered, quire_box b) {
    int64_t x = ((int64_t)b.x0 + b.x1) / 2, y = ((int64_t)b.y0 + b.y1) / 2;
    for (uint64_t i = 0; covered && i < covered->n_covered; i++) {
        const quire_box *c = &covered->covered[i];
        if (x >= c->x0 && x < c->x1 && y >= c->y0 && y < c->y1) return true;
    }
    return false;
}

/* Whether most of the words are text already: what else was read of such a page is its pictures. */
static bool is_text_already(const quire_pdf_page *covered, const quire_page *page) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < page->n_words; i++)
        n += is_covered(covered, page->words[i].box);
    return n > page->n_words / 2;
}

static void put_code(qi_strbuf *out, uint16_t code) {
    static const char digits[] = "0123456789abcdef";
    char hex[4];
    for (int i = 0; i < 4; i++)
        hex[i] = digits[code >> (12 - 4 * i) & 15];
    qi_strbuf_append(out, hex, sizeof hex);
}

/* Where a line's words go, one after the other. */
typedef struct pen {
    qi_strbuf *out;
    qi_pdf_font *font;
    const char *font_name;
    double along, up, size; /* in units of the line, as written so far */
} pen;

static double rounded(double v) {
    return round(v * 1000) / 1000;
}

/* Goes to a place, in pixels, where text of a size is to stand. */
static void move(pen *p, const frame *f, double along, double up, double size) {
    along = rounded(along / f->size);
    up = rounded(up / f->size);
    size = rounded(size / f->size);
    if (size != p->size) {
        qi_strbuf_puts(p->out, "/");
        qi_strbuf_puts(p->out, p->font_name);
        qi_strbuf_puts(p->out, " ");
        qi_emit_fixed(p->out, size, DIGITS);
        qi_strbuf_puts(p->out, " Tf ");
    }
    qi_emit_fixed(p->out, along - p->along, DIGITS);
    qi_strbuf_puts(p->out, " ");
    qi_emit_fixed(p->out, up - p->up, DIGITS);
    qi_strbuf_puts(p->out, " Td ");
    p->along = along;
    p->up = up;
    p->size = size;
}

/* Shows a word stretched to its length. A line that hardly climbs has one size of text; in one that
 * does, a word is as tall as its box. */
static void show(pen *p, const frame *f, const extent *e, const word_run *w, bool with_space) {
    double size = f->size, up = f->climb * (e->from + e->length / 2);
    if (fabs(f->climb) * e->length > 0.15 * f->size) {
        size = e->height;
        up = e->bottom + size * (1 - QI_PDF_FONT_ASCENT);
    }
    bool space_first = with_space && w->right_to_left;
    double space = space_first ? e->length / (double)w->n : 0;
    move(p, f, e->from - space, up, size);
    double stretch = e->length / ((double)w->n * QI_PDF_FONT_ADVANCE * p->size * f->size);
    qi_emit_fixed(p->out, fmax(stretch * 100, 0.01), 2);
    qi_strbuf_puts(p->out, " Tz<");
    if (space_first) put_code(p->out, qi_pdf_font_code(p->font, ' '));
    for (size_t i = 0; i < w->n; i++)
        put_code(p->out, qi_pdf_font_code(p->font, w->letters[i]));
    if (with_space && !space_first) put_code(p->out, qi_pdf_font_code(p->font, ' '));
    qi_strbuf_puts(p->out, ">Tj\n");
}

/* By how much two words that a space parts are to come nearer, each. Programs that extract text
 * take a gap of 0.7 of the size for one between columns. */
static double nearer(const frame *f, const extent *a, const extent *b) {
    double gap = fmax(b->from - (a->from + a->length), a->from - (b->from + b->length));
    double excess = gap - 0.66 * f->size;
    return excess > 0 && excess < 0.5 * f->size ? excess / 2 : 0;
}

/* Stretches a word towards one beside it. */
static void reach(const frame *f, extent *e, quire_box beside) {
    extent other = measure(f, beside);
    double by = nearer(f, e, &other);
    if (other.from < e->from) e->from -= by;
    e->length += by;
}

static void put_matrix(pen *p, const frame *f, const double m[6]) {
    const double v[6] = {
        (m[0] * f->along[0] + m[2] * f->along[1]) * f->size,
        (m[1] * f->along[0] + m[3] * f->along[1]) * f->size,
        (m[0] * f->up[0] + m[2] * f->up[1]) * f->size,
        (m[1] * f->up[0] + m[3] * f->up[1]) * f->size,
        m[0] * f->x + m[2] * f->y + m[4],
        m[1] * f->x + m[3] * f->y + m[5],
    };
    for (int i = 0; i < 6; i++) {
        qi_emit_fixed(p->out, v[i], 4);
        qi_strbuf_append(p->out, " ", 1);
    }
    qi_strbuf_puts(p->out, "Tm\n");
    p->along = p->up = 0;
}

static bool put_line(pen *p, const quire_page *page, const quire_line *line, const double m[6],
                     const quire_pdf_page *covered, word_run *w) {
    frame f = frame_of(page, line);
    bool any = false;
    for (uint32_t i = 0; i < line->n_words; i++) {
        const quire_word *word = &page->words[line->first_word + i];
        const quire_word *next = i + 1 < line->n_words ? word + 1 : NULL;
        read_word(word->text, w);
        if (!w->n || is_covered(covered, word->box)) continue;
        extent e = measure(&f, word->box);
        /* What follows without a space is to touch, or viewers would see one. */
        if (next && !next->space_before && !w->right_to_left) {
            double gap = measure(&f, next->box).from - (e.from + e.length);
            if (gap > 0 && gap < 2 * f.size) e.length += gap;
        }
        if (next && next->space_before) reach(&f, &e, next->box);
        if (i && word->space_before) reach(&f, &e, (word - 1)->box);
        if (!any) put_matrix(p, &f, m);
        any = true;
        show(p, &f, &e, w, !next || next->space_before);
    }
    return any;
}

bool qi_pdf_text(qi_strbuf *out, const quire_page *page, const char *font_name,
                 const double to_points[6], const quire_pdf_page *covered, qi_pdf_font *font) {
    if (!page->n_words || is_text_already(covered, page)) return false;
    word_run *w = malloc(sizeof *w);
    if (!w) {
        out->failed = true;
        return false;
    }
    const size_t start = out->length;
    pen p = {.out = out, .font = font, .font_name = font_name};
    bool any = false;
    qi_strbuf_puts(out, "q BT 3 Tr\n");
    for (uint32_t i = 0; i < page->n_lines; i++)
        any |= put_line(&p, page, &page->lines[i], to_points, covered, w);
    qi_strbuf_puts(out, "ET Q\n");
    free(w);
    if (!any && !out->failed) out->length = start;
    return any;
}
