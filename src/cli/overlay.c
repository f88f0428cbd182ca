/* The drawing of layers; see overlay.h. All measures follow from the size of the picture, so that
 * marks look alike on a receipt and on a poster. */
#include "cli/overlay.h"

#include <math.h>
#include <stdio.h>

#include "cli/stroke_font.h"

static const qi_colour block_colour = {0, 90, 181, 1}, line_colour = {125, 60, 152, 0.75f},
                       order_colour = {0, 90, 181, 0.55f}, text_colour = {20, 20, 20, 1},
                       white = {255, 255, 255, 1};

typedef struct overlay {
    qi_canvas *canvas;
    const quire_page *page;
    double scale_x, scale_y; /* from page to canvas */
    double unit;             /* a thin line */
} overlay;

static qi_point place(const overlay *o, double x, double y) {
    return (qi_point){x * o->scale_x, y * o->scale_y};
}

static qi_colour faint(qi_colour colour, double alpha) {
    colour.alpha = (float)alpha;
    return colour;
}

qi_colour qi_confidence_colour(float confidence) {
    static const struct {
        float at;
        qi_colour colour;
    } stops[] = {{0.5f, {196, 22, 42, 1}}, {0.8f, {240, 160, 0, 1}}, {0.95f, {0, 150, 115, 1}}};
    if (!(confidence > stops[0].at)) return stops[0].colour;
    for (int i = 1; i < 3; i++) {
        if (confidence > stops[i].at) continue;
        const qi_colour a = stops[i - 1].colour, b = stops[i].colour;
        float t = (confidence - stops[i - 1].at) / (stops[i].at - stops[i - 1].at);
        return (qi_colour){(uint8_t)((float)a.r + t * (float)(b.r - a.r) + 0.5f),
                           (uint8_t)((float)a.g + t * (float)(b.g - a.g) + 0.5f),
                           (uint8_t)((float)a.b + t * (float)(b.b - a.b) + 0.5f), 1};
    }
    return stops[2].colour;
}

/* The corners of a box on whole pixels, so that frames are crisp. */
static void corners(const overlay *o, quire_box box, qi_point *ret_a, qi_point *ret_b) {
    *ret_a = (qi_point){floor(box.x0 * o->scale_x), floor(box.y0 * o->scale_y)};
    *ret_b = (qi_point){ceil(box.x1 * o->scale_x), ceil(box.y1 * o->scale_y)};
}

/* The less sure a word is, the more its box is filled. */
static void draw_word(const overlay *o, const quire_word *word) {
    qi_point a, b;
    qi_colour colour = qi_confidence_colour(word->confidence);
    double doubt = fmin(fmax(0.95 - (double)word->confidence, 0), 0.45) / 0.45;
    corners(o, word->box, &a, &b);
    qi_canvas_fill(o->canvas, a, b, faint(colour, 0.1 + 0.2 * doubt));
    qi_canvas_frame(o->canvas, a, b, round(o->unit), faint(colour, 0.9));
}

static void draw_baseline(const overlay *o, const quire_line *line) {
    qi_canvas_stroke(o->canvas, place(o, (double)line->baseline[0], (double)line->baseline[1]),
                     place(o, (double)line->baseline[2], (double)line->baseline[3]), o->unit,
                     line_colour);
}

/* A word's text on its line's baseline, stretched to the width of its box. Works along the
 * baseline, so that it does on pages that stand on their side. */
static void draw_text(const overlay *o, const quire_line *line, const quire_word *word) {
    qi_point from = place(o, (double)line->baseline[0], (double)line->baseline[1]);
    qi_point to = place(o, (double)line->baseline[2], (double)line->baseline[3]);
    double length = hypot(to.x - from.x, to.y - from.y), width = qi_font_width(word->text);
    if (!(length > 0) || !(width > 0)) return;
    qi_point along = {(to.x - from.x) / length, (to.y - from.y) / length}, a, b;
    corners(o, word->box, &a, &b);
    double half = (fabs(along.x) * (b.x - a.x) + fabs(along.y) * (b.y - a.y)) / 2;
    double high = fabs(along.y) * (b.x - a.x) + fabs(along.x) * (b.y - a.y);
    double middle = ((a.x + b.x) / 2 - from.x) * along.x + ((a.y + b.y) / 2 - from.y) * along.y;
    double x_height = (double)line->x_height_px * (o->scale_x + o->scale_y) / 2;
    double unit = x_height > 0 ? x_height / QI_FONT_SMALL : high / QI_FONT_CAPITAL;
    double wide = fmin(2 * half / width, unit * 1.5);
    double start = middle - half;
    qi_text_frame frame = {.at = {from.x + start * along.x, from.y + start * along.y},
                           .right = {along.x * wide, along.y * wide},
                           .down = {-along.y * unit, along.x * unit}};
    qi_font_draw(o->canvas, word->text, &frame, fmax(fmin(wide, unit) * 0.55, 1), text_colour);
}

static void draw_block(const overlay *o, const quire_block *block) {
    qi_point a, b;
    double width = round(2 * o->unit);
    corners(o, block->box, &a, &b);
    qi_canvas_frame(o->canvas, (qi_point){a.x - width, a.y - width},
                    (qi_point){b.x + width, b.y + width}, width, block_colour);
}

/* The block's number, white in a plate outside its first corner, but inside the picture. */
static void draw_number(const overlay *o, const quire_block *block, uint32_t number) {
    char text[12];
    snprintf(text, sizeof text, "%u", number);
    double unit = 2.1 * o->unit, width = qi_font_width(text) * unit, high = QI_FONT_CAPITAL * unit,
           margin = 2.5 * unit;
    qi_point a, b;
    corners(o, block->box, &a, &b);
    double left = fmin(fmax(a.x - margin - width, 0), o->canvas->width_px - width - 2 * margin);
    double top = fmin(fmax(a.y - margin - high, 0), o->canvas->height_px - high - 2 * margin);
    qi_canvas_fill(o->canvas, (qi_point){left, top},
                   (qi_point){left + width + 2 * margin, top + high + 2 * margin}, block_colour);
    qi_text_frame frame = {
        .at = {left + margin, top + margin + high}, .right = {unit, 0}, .down = {0, unit}};
    qi_font_draw(o->canvas, text, &frame, fmax(unit * 1.1, 1), white);
}

static qi_point middle_of(const overlay *o, quire_box box) {
    return place(o, ((double)box.x0 + box.x1) / 2, ((double)box.y0 + box.y1) / 2);
}

/* From the middle of a block to the middle of the next. */
static void draw_arrow(const overlay *o, const quire_block *block, const quire_block *next) {
    qi_point from = middle_of(o, block->box), to = middle_of(o, next->box);
    double length = hypot(to.x - from.x, to.y - from.y), head = 14 * o->unit;
    qi_canvas_stroke(o->canvas, from, from, 8 * o->unit, order_colour);
    if (length < head) return;
    double dx = (to.x - from.x) / length, dy = (to.y - from.y) / length;
    qi_point neck = {to.x - head * dx, to.y - head * dy};
    qi_canvas_stroke(o->canvas, from, neck, 2.5 * o->unit, order_colour);
    const qi_point tip[3] = {to,
                             {neck.x - head * 0.45 * dy, neck.y + head * 0.45 * dx},
                             {neck.x + head * 0.45 * dy, neck.y - head * 0.45 * dx}};
    qi_canvas_triangle(o->canvas, tip, faint(order_colour, 0.9));
}

static void draw_lines(const overlay *o, unsigned layers) {
    const quire_page *p = o->page;
    for (uint32_t i = 0; i < p->n_words && layers & QI_LAYER_WORDS; i++)
        draw_word(o, &p->words[i]);
    for (uint32_t i = 0; i < p->n_lines; i++) {
        const quire_line *line = &p->lines[i];
        if (layers & QI_LAYER_LINES) draw_baseline(o, line);
        for (uint32_t w = 0; w < line->n_words && layers & QI_LAYER_TEXT; w++)
            draw_text(o, line, &p->words[line->first_word + w]);
    }
}

void qi_overlay_draw(qi_canvas *canvas, const quire_page *page, unsigned layers) {
    overlay o = {.canvas = canvas,
                 .page = page,
                 .scale_x = (double)canvas->width_px / page->width_px,
                 .scale_y = (double)canvas->height_px / page->height_px,
                 .unit = fmax(sqrt((double)canvas->width_px * canvas->height_px) / 1400, 1)};
    draw_lines(&o, layers);
    for (uint32_t i = 0; i < page->n_blocks && layers & QI_LAYER_BLOCKS; i++)
        draw_block(&o, &page->blocks[i]);
    for (uint32_t i = 1; i < page->n_blocks && layers & QI_LAYER_ORDER; i++)
        draw_arrow(&o, &page->blocks[i - 1], &page->blocks[i]);
    for (uint32_t i = 0; i < page->n_blocks && layers & QI_LAYER_BLOCKS; i++)
        draw_number(&o, &page->blocks[i], i + 1);
}
