/* See pdf_text.h. poppler gives the text of a page as a string, words parted by spaces and lines by
 * line feeds, and a rectangle for each of its characters, separators included. Where a line has
 * letters that run to the left the string is in logical order, with marks of direction that have no
 * rectangle, while the rectangles go from left to right: the marks tell which belongs to which. */
#include "decode/helper/pdf_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "decode/helper/pdf_draw.h"
#include "image/ink_cover.h"

static const double ink_dpi = 75, ink_max_pixels = 1.5e6;
static const unsigned min_told_percent = 95;
static const double picture_min_points = 18; /* smaller ones are signs beside text */

/* A word while its characters come. */
typedef struct open_word {
    double x0, y0, x1, y1;
    double first_x, first_y, last_x, last_y; /* centres of its characters */
    PopplerRectangle last;                   /* the place of its last character */
    double size;
    char text[QI_TEXT_MAX_WORD_BYTES];
    size_t n_bytes;
    uint32_t flags;
    bool any, needs_normal_form;
} open_word;

typedef struct layer {
    const qi_pdf_page *page;
    char *text;
    size_t text_bytes;
    PopplerRectangle *places;
    guint n_places;
    GList *attributes;
    bool has_marks; /* of direction, without places */
    bool tells_all; /* of what a plain page shows */
    qi_text_area *area;
    uint32_t n_words, pool_bytes;
    bool too_much;
} layer;

/* U+202A to U+202E: poppler's, around what runs against the line's direction. */
static bool is_mark(uint32_t code) {
    return code >= 0x202A && code <= 0x202E;
}

/* Whether each character has its place; a text may also hold such marks of its own. */
static bool has_places(layer *l) {
    size_t n = 0, n_marks = 0, length;
    for (size_t at = 0; at < l->text_bytes; at += length, n++) {
        uint32_t code;
        length = qi_utf8_decode(l->text + at, l->text_bytes - at, &code);
        if (!length) return false;
        n_marks += is_mark(code);
    }
    l->has_marks = n_marks && n - n_marks == l->n_places;
    return n == l->n_places || l->has_marks;
}

/* Letters that Unicode has only for older codes: Latin ligatures, Arabic and Hebrew forms. */
static bool is_form(uint32_t code) {
    return (code >= 0xFB00 && code <= 0xFDFF) || (code >= 0xFE70 && code < 0xFEFF);
}

static void append_char(open_word *w, uint32_t code, const char *bytes, size_t n) {
    bool is_control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    if (is_control || code == 0x200B || code == 0xFEFF || code == 0x200E || code == 0x200F ||
        is_mark(code))
        return;
    memcpy(w->text + w->n_bytes, bytes, n);
    w->n_bytes += n;
    w->needs_normal_form |= is_form(code);
}

/* Soft hyphens are hyphens where a line is broken at them, else nothing. */
static void settle_hyphens(open_word *w) {
    size_t n = 0;
    for (size_t i = 0; i < w->n_bytes; i++) {
        bool soft = i + 1 < w->n_bytes && !memcmp(w->text + i, "\xC2\xAD", 2);
        if (!soft) {
            w->text[n++] = w->text[i];
            continue;
        }
        i++;
        if (i + 1 == w->n_bytes) w->text[n++] = '-';
    }
    w->n_bytes = n;
}

static void settle_forms(open_word *w) {
    if (!w->needs_normal_form) return;
    char *normal = g_utf8_normalize(w->text, (gssize)w->n_bytes, G_NORMALIZE_ALL_COMPOSE);
    if (normal && strlen(normal) <= sizeof w->text) {
        w->n_bytes = strlen(normal);
        memcpy(w->text, normal, w->n_bytes);
    }
    g_free(normal);
}

/* The way a word is read, from where its characters lie; a lone one is taken for upright. */
static uint32_t turn_of(const open_word *w) {
    double dx = w->last_x - w->first_x, dy = w->last_y - w->first_y;
    if (fabs(dy) <= 2 * fabs(dx)) return 0;
    return QI_TEXT_TURNED | (dy < 0 ? QI_TEXT_UPWARDS : 0);
}

/* Ends a word; one outside the page is dropped. */
static void close_word(layer *l, open_word *w) {
    settle_hyphens(w);
    settle_forms(w);
    double width = l->page->width_px, height = l->page->height_px;
    double across = width / l->page->width_pt, down = height / l->page->height_pt;
    double x0 = w->x0 * across, x1 = fmax(w->x1 * across, x0 + 0.01);
    double y0 = w->y0 * down, y1 = fmax(w->y1 * down, y0 + 0.01);
    bool on_page = x1 > 0 && y1 > 0 && x0 < width && y0 < height && x0 >= 1 - width &&
                   y0 >= 1 - height && x1 <= 2 * width - 1 && y1 <= 2 * height - 1;
    if (w->any && w->n_bytes && on_page) {
        if (l->n_words == QI_TEXT_MAX_WORDS || QI_TEXT_POOL_BYTES - l->pool_bytes < w->n_bytes) {
            l->too_much = true;
        } else {
            l->area->words[l->n_words++] = (qi_text_word){
                .x0 = (float)x0,
                .y0 = (float)y0,
                .x1 = (float)x1,
                .y1 = (float)y1,
                .size_px = (float)fmin(fmax(w->size * down, 0), 1e6),
                .text_at = l->pool_bytes,
                .text_bytes = (uint32_t)w->n_bytes,
                .flags = w->flags | turn_of(w),
            };
            memcpy(l->area->pool + l->pool_bytes, w->text, w->n_bytes);
            l->pool_bytes += (uint32_t)w->n_bytes;
            w->flags = 0;
        }
    }
    w->any = w->needs_normal_form = false;
    w->n_bytes = 0;
}

static void add_place(open_word *w, const PopplerRectangle *r, double size) {
    double x = (r->x1 + r->x2) / 2, y = (r->y1 + r->y2) / 2;
    if (!w->any) {
        w->any = true;
        w->x0 = r->x1, w->y0 = r->y1, w->x1 = r->x2, w->y1 = r->y2;
        w->first_x = x, w->first_y = y;
        w->size = size;
    }
    w->x0 = fmin(w->x0, r->x1), w->y0 = fmin(w->y0, r->y1);
    w->x1 = fmax(w->x1, r->x2), w->y1 = fmax(w->y1, r->y2);
    w->last_x = x, w->last_y = y;
    w->last = *r;
}

/* poppler runs the end of one block and the beginning of the next together where they lie side by
 * side, and the first two words of a line that runs to the left: a word that jumps is two. Returns
 * the flags of the second, 0 where there is none. a: what is there of the word, b: what follows,
 * least: sizes of type between them that part them. */
static uint32_t jump(const open_word *w, const PopplerRectangle *a, const PopplerRectangle *b,
                     double least) {
    double x = fmax(b->x1 - a->x2, a->x1 - b->x2), y = fmax(b->y1 - a->y2, a->y1 - b->y2);
    double size = w->size > 0 ? w->size : b->y2 - b->y1, gap = fmax(x, y);
    if (!w->any || gap <= least * size) return 0;
    bool far = gap > 1.5 * size || (x > 0.2 * size && y > 0);
    return far ? QI_TEXT_LINE_START : QI_TEXT_SPACE_BEFORE;
}

/* The font's size at a character; *at moves forward. */
static double size_at(GList **at, guint index) {
    while (*at && (guint)((PopplerTextAttributes *)(*at)->data)->end_index < index)
        *at = (*at)->next;
    return *at ? ((PopplerTextAttributes *)(*at)->data)->font_size : 0;
}

/* A character of a line: its number in the text and among the places. */
typedef struct line_char {
    uint32_t code, logical, visual;
    uint32_t run; /* counts the stretches of one direction */
    const char *bytes;
    uint8_t n_bytes;
} line_char;

static int compare_visual(const void *a, const void *b) {
    const line_char *x = a, *y = b;
    return (x->visual > y->visual) - (x->visual < y->visual);
}

static int compare_logical(const void *a, const void *b) {
    const line_char *x = a, *y = b;
    return (x->logical > y->logical) - (x->logical < y->logical);
}

static void reverse(uint32_t *v, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        uint32_t t = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = t;
    }
}

/* The characters of a line without its marks. Places of what lies between a mark to the right and
 * its end are in the opposite order, save those of what is marked left within. Returns how many.
 * order is scratch. */
static size_t take_line(const layer *l, size_t at, size_t end, line_char *chars, uint32_t *order) {
    size_t n = 0, length, right_from = SIZE_MAX, left_from = SIZE_MAX;
    uint32_t run = 0;
    for (; at < end; at += length) {
        uint32_t code = 0;
        length = qi_utf8_decode(l->text + at, end - at, &code);
        if (l->has_marks && code == 0x202B) {
            right_from = n;
            run++;
        } else if (l->has_marks && code == 0x202A) {
            left_from = n;
        } else if (l->has_marks && code == 0x202C) {
            /* A run to the left inside one to the right is turned twice. */
            size_t *from = left_from != SIZE_MAX ? &left_from : &right_from;
            if (*from != SIZE_MAX) reverse(order + *from, n - *from);
            run += from == &right_from;
            *from = SIZE_MAX;
        } else if (!l->has_marks || !is_mark(code)) {
            order[n] = (uint32_t)n;
            chars[n] = (line_char){.code = code,
                                   .logical = (uint32_t)n,
                                   .run = run,
                                   .bytes = l->text + at,
                                   .n_bytes = (uint8_t)length};
            n++;
        }
    }
    for (size_t i = 0; i < n; i++)
        chars[order[i]].visual = (uint32_t)i;
    return n;
}

/* The letters of a word come in logical order whatever the order of its places. */
static void add_text(open_word *w, line_char *chars, size_t n, bool is_turned) {
    if (is_turned) qsort(chars, n, sizeof *chars, compare_logical);
    for (size_t i = 0; i < n; i++)
        append_char(w, chars[i].code, chars[i].bytes, chars[i].n_bytes);
}

/* What follows of the line's character i: itself where it goes on a run, else all the run's next
 * word. */
static PopplerRectangle next_place(const line_char *chars, size_t n, size_t i,
                                   const PopplerRectangle *places) {
    PopplerRectangle r = places[i];
    if (!i || chars[i].run == chars[i - 1].run) return r;
    for (size_t k = i + 1; k < n && chars[k].run == chars[i].run && chars[k].code != ' '; k++) {
        r.x1 = fmin(r.x1, places[k].x1), r.y1 = fmin(r.y1, places[k].y1);
        r.x2 = fmax(r.x2, places[k].x2), r.y2 = fmax(r.y2, places[k].y2);
    }
    return r;
}

/* Whether, and how, a new word begins with character i of the line, or its end. */
static uint32_t word_start(const open_word *w, const line_char *chars, size_t n, size_t i,
                           const PopplerRectangle *places) {
    if (i == n) return QI_TEXT_LINE_START;
    if (chars[i].code == ' ') return QI_TEXT_SPACE_BEFORE;
    bool same_run = i && chars[i].run == chars[i - 1].run;
    PopplerRectangle all = {.x1 = w->x0, .y1 = w->y0, .x2 = w->x1, .y2 = w->y1};
    PopplerRectangle next = next_place(chars, n, i, places);
    return same_run ? jump(w, &w->last, &next, 0.2) : jump(w, &all, &next, 0.08);
}

/* The words of a line; places: those of its characters, in the order of visual. */
static void add_line(layer *l, line_char *chars, size_t n, const PopplerRectangle *places,
                     guint first, GList **attribute, open_word *w) {
    size_t start = 0;
    bool is_turned = n && chars[n - 1].run; /* some of it runs to the left */
    if (is_turned) qsort(chars, n, sizeof *chars, compare_visual);
    for (size_t i = 0; i <= n && !l->too_much; i++) {
        uint32_t flags = word_start(w, chars, n, i, places);
        bool full = 4 * (i - start + 1) > sizeof w->text;
        if (flags || full) {
            add_text(w, chars + start, i - start, is_turned);
            close_word(l, w);
            w->flags |= flags;
            start = i;
        }
        if (i == n) break;
        if (chars[i].code == ' ')
            start = i + 1;
        else
            add_place(w, &places[i], size_at(attribute, first + (guint)i));
    }
}

static void add_words(layer *l) {
    line_char *chars = g_new(line_char, l->n_places);
    uint32_t *order = g_new(uint32_t, l->n_places);
    open_word w = {.flags = QI_TEXT_LINE_START};
    GList *attribute = l->attributes;
    guint place = 0;
    for (size_t at = 0; at < l->text_bytes && !l->too_much;) {
        const char *end = memchr(l->text + at, '\n', l->text_bytes - at);
        size_t stop = end ? (size_t)(end - l->text) : l->text_bytes;
        size_t n = take_line(l, at, stop, chars, order);
        add_line(l, chars, n, l->places + place, place, &attribute, &w);
        place += (guint)n + 1; /* the line feed has one too */
        at = stop + 1;
    }
    g_free(order);
    g_free(chars);
}

/* Whether all letters of a word may lie outside the middle of its box. */
static bool has_low_marks(const char *s, size_t n) {
    size_t length;
    for (size_t at = 0; at < n; at += length) {
        uint32_t code = 0;
        length = qi_utf8_decode(s + at, n - at, &code);
        if (!length) return false;
        bool mark = code < 0x80 ? strchr(".,'\"`^~-_*:;=+", (int)code) != NULL
                                : (code >= 0x2010 && code <= 0x2027) || code == 0xB0 ||
                                      code == 0xB7 || code == 0xB4 || code == 0xAF;
        if (!mark) return false;
    }
    return true;
}

static void mark_pictures(const layer *l, qi_text_word *words) {
    double across = l->page->width_px / l->page->width_pt;
    double down = l->page->height_px / l->page->height_pt;
    GList *pictures = poppler_page_get_image_mapping(l->page->page);
    for (GList *at = pictures; at; at = at->next) {
        const PopplerRectangle *r = &((PopplerImageMapping *)at->data)->area;
        if (!(r->x2 - r->x1 >= picture_min_points) || !(r->y2 - r->y1 >= picture_min_points))
            continue;
        for (uint32_t i = 0; i < l->n_words; i++) {
            double x = ((double)words[i].x0 + (double)words[i].x1) / 2 / across;
            double y = ((double)words[i].y0 + (double)words[i].y1) / 2 / down;
            if (x > r->x1 && x < r->x2 && y > r->y1 && y < r->y2)
                words[i].flags |= QI_TEXT_OVER_PICTURE;
        }
    }
    poppler_page_free_image_mapping(pictures);
}

/* Compares the words, a copy of which only this process sees, with a drawing of the page. */
static quire_err look(const layer *l, const qi_grey *drawing, qi_arena *arena, qi_text_word *words,
                      qi_text_head *head) {
    qi_ink_word *inks = qi_arena_alloc(arena, l->n_words, sizeof *inks);
    if (!inks) return QUIRE_ERR_NO_MEMORY;
    float fx = (float)drawing->width / (float)l->page->width_px;
    float fy = (float)drawing->height / (float)l->page->height_px;
    for (uint32_t i = 0; i < l->n_words; i++) {
        const qi_text_word *w = &words[i];
        inks[i] = (qi_ink_word){
            .x0 = w->x0 * fx,
            .y0 = w->y0 * fy,
            .x1 = w->x1 * fx,
            .y1 = w->y1 * fy,
            .low_marks = has_low_marks(l->area->pool + w->text_at, w->text_bytes),
            .believed = !(w->flags & QI_TEXT_OVER_PICTURE),
        };
    }
    qi_ink_cover cover;
    quire_err e = qi_ink_cover_find(drawing, inks, l->n_words, NULL, arena, &cover);
    if (e) return e;
    for (uint32_t i = 0; i < l->n_words; i++)
        if (inks[i].shown) words[i].flags |= QI_TEXT_SHOWN;
    head->ink_px = cover.ink_px;
    head->covered_px = cover.covered_px;
    head->uncovered_px = cover.uncovered_px;
    head->n_regions = cover.n_regions;
    for (uint32_t i = 0; i < cover.n_regions; i++) {
        const quire_box *b = &cover.regions[i];
        head->regions[i] = (qi_text_region){(float)b->x0 / fx, (float)b->y0 / fy, (float)b->x1 / fx,
                                            (float)b->y1 / fy};
    }
    return QUIRE_ERR_OK;
}

static uint32_t as_count(uint64_t n) {
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* Whether there may be text to look at: not on scans, whose text is invisible where there is any.
 */
static bool shows_text(const qi_pdf_page *p) {
    const qi_pdf_content *c = p->content;
    return !c->is_complete || c->n_visible_bytes || (p->has_annotations && !c->n_invisible_bytes);
}

/* What the page draws, in which order: text that comes after all pictures lies on them for certain,
 * so that its ink is its own. */
static void look_at_content(const layer *l, qi_text_head *head) {
    const qi_pdf_content *c = l->page->content;
    if (c->is_complete) {
        head->n_visible = as_count(c->n_visible_bytes);
        head->n_invisible = as_count(c->n_invisible_bytes);
    }
    bool on_top = c->is_complete && !c->n_bytes_before_image && !c->n_invisible_bytes;
    if (shows_text(l->page) && !on_top) mark_pictures(l, l->area->words);
}

/* The page drawn small, in the arena. Poppler keeps the text of what it draws, so that a page drawn
 * before its text is asked for is interpreted once. */
static quire_err draw_small(const qi_pdf_page *p, qi_arena *arena, qi_grey *ret_drawing,
                            quire_diag *diag) {
    double scale = fmin(ink_dpi / 72, sqrt(ink_max_pixels / (p->width_pt * p->height_pt)));
    qi_grey small = {.width = (uint32_t)fmax(1, round(p->width_pt * scale)),
                     .height = (uint32_t)fmax(1, round(p->height_pt * scale))};
    small.stride = small.width;
    small.px = qi_arena_alloc_unset(arena, small.height, small.stride);
    if (!small.px) return QUIRE_ERR_NO_MEMORY;
    *ret_drawing = small;
    return qi_pdf_draw(p->page, p->number, small.width / p->width_pt, small.height / p->height_pt,
                       &small, arena, diag);
}

/* Characters of a text but marks of direction; *ret_has_marks: there are such. */
static size_t count(const char *text, bool *ret_has_marks) {
    size_t n = 0;
    *ret_has_marks = false;
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        bool mark = is_mark(g_utf8_get_char(at));
        *ret_has_marks |= mark;
        n += !mark;
    }
    return n;
}

/* poppler selects from one corner of the area to the other, and on a page that is read from right
 * to left it finds all only from the upper right to the lower left. */
static void fetch(layer *l) {
    PopplerPage *page = l->page->page;
    double width, height;
    bool has_marks;
    poppler_page_get_size(page, &width, &height);
    PopplerRectangle area = {.x1 = 0, .y1 = 0, .x2 = width, .y2 = height};
    l->text = poppler_page_get_text_for_area(page, &area);
    if (!l->text || !*l->text || !g_utf8_validate(l->text, -1, NULL)) return;
    size_t n = count(l->text, &has_marks);
    if (has_marks) {
        PopplerRectangle mirrored = {.x1 = width, .y1 = 0, .x2 = 0, .y2 = height};
        char *other = poppler_page_get_text_for_area(page, &mirrored);
        bool more = other && g_utf8_validate(other, -1, NULL) && count(other, &has_marks) > n;
        if (more) area = mirrored;
        g_free(more ? l->text : other);
        if (more) l->text = other;
    }
    l->text_bytes = strlen(l->text);
    poppler_page_get_text_layout_for_area(page, &area, &l->places, &l->n_places);
    l->attributes = poppler_page_get_text_attributes_for_area(page, &area);
}

/* Whether the text has a character for nearly every code that the page shows: glyphs that stand for
 * no character are not in it. */
static bool tells_all(const layer *l) {
    const qi_pdf_content *c = l->page->content;
    uint64_t n = 0;
    for (const char *at = l->text; l->text_bytes && *at; at = g_utf8_next_char(at))
        n += *at == ' ' ? c->has_type0 : *at != '\n';
    return n * 100 >= c->n_codes * (uint64_t)min_told_percent;
}

static void take_words(layer *l, qi_text_head *head) {
    fetch(l);
    l->tells_all = tells_all(l);
    if (l->text_bytes && !has_places(l))
        head->flags = QI_TEXT_UNUSABLE;
    else
        add_words(l);
    if (l->too_much) {
        head->flags = QI_TEXT_TOO_MUCH;
        l->n_words = l->pool_bytes = 0;
    }
    poppler_page_free_text_attributes(l->attributes);
    g_free(l->places);
    g_free(l->text);
}

/* Compares the words with the drawing, or with one that is made now. */
static quire_err judge(const layer *l, qi_grey *drawing, qi_arena *scratch, qi_text_head *head,
                       quire_diag *diag) {
    const qi_pdf_page *p = l->page;
    look_at_content(l, head);
    if (p->is_plain && l->tells_all) {
        for (uint32_t i = 0; i < l->n_words; i++)
            l->area->words[i].flags |= QI_TEXT_SHOWN;
        return QUIRE_ERR_OK;
    }
    if (!shows_text(p)) return QUIRE_ERR_OK;
    quire_err e = drawing->px ? QUIRE_ERR_OK : draw_small(p, scratch, drawing, diag);
    if (!e) e = look(l, drawing, scratch, l->area->words, head);
    return e;
}

quire_err qi_pdf_text(const qi_pdf_page *page, bool with_ink, qi_arena *scratch, qi_text_area *area,
                      quire_diag *diag) {
    layer l = {.page = page, .area = area};
    qi_text_head head = {0};
    qi_grey drawing = {0};
    quire_err e = QUIRE_ERR_OK;
    bool draws_first = with_ink ? !page->is_plain && shows_text(page) : page->has_annotations;
    qi_arena_reset(scratch);
    if (draws_first) e = draw_small(page, scratch, &drawing, diag);
    if (!with_ink && e == QUIRE_ERR_NO_MEMORY) e = QUIRE_ERR_OK; /* the drawing is not looked at */
    if (!e) take_words(&l, &head);
    if (!e && l.n_words && with_ink) e = judge(&l, &drawing, scratch, &head, diag);
    head.n_words = l.n_words;
    head.pool_bytes = l.pool_bytes;
    area->head = head;
    if (e == QUIRE_ERR_NO_MEMORY)
        qi_fail(diag, e, "not enough memory to look at it; use fewer --jobs");
    return e;
}
