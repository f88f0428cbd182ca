/* Paths and colours of a content stream; see pdf_content.h. */
#include <math.h>
#include <string.h>

#include "decode/helper/pdf_matrix.h"
#include "decode/helper/pdf_scan.h"

enum {
    MAX_SHAPES = 400,  /* of a plain page: more may be a drawing with letters of its own */
    MAX_CORNERS = 16,  /* of a frame */
    MAX_SPACES = 1000, /* looked up; each takes some handles of qpdf */
};
static const double rule_pt = 3, light = 0.8;

qi_pdf_box qi_pdf_box_under(const double m[6], double x0, double y0, double x1, double y1) {
    qi_pdf_box b = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (int i = 0; i < 4; i++) {
        double x = i & 1 ? x1 : x0, y = i & 2 ? y1 : y0;
        double u = m[0] * x + m[2] * y + m[4], v = m[1] * x + m[3] * y + m[5];
        b.x0 = fmin(b.x0, u);
        b.x1 = fmax(b.x1, u);
        b.y0 = fmin(b.y0, v);
        b.y1 = fmax(b.y1, v);
    }
    return b;
}

void qi_pdf_clip_to(qi_pdf_state *t, const qi_pdf_box *b, bool is_box) {
    if (!is_box) t->is_clip_complex = true;
    t->clip = (qi_pdf_box){fmax(t->clip.x0, b->x0), fmax(t->clip.y0, b->y0),
                           fmin(t->clip.x1, b->x1), fmin(t->clip.y1, b->y1)};
}

static void add_box(qi_pdf_path *path, qi_pdf_box b, uint32_t n_points) {
    if (!path->n_points) {
        path->box = b;
    } else {
        path->box = (qi_pdf_box){fmin(path->box.x0, b.x0), fmin(path->box.y0, b.y0),
                                 fmax(path->box.x1, b.x1), fmax(path->box.y1, b.y1)};
    }
    if (path->n_points <= MAX_CORNERS) path->n_points += n_points;
}

static void add_rectangle(qi_pdf_scan *s, const double n[4]) {
    const qi_pdf_state *t = qi_pdf_scan_state(s);
    s->path.is_box = !s->path.n_points && qi_pdf_matrix_is_upright(t->ctm);
    add_box(&s->path, qi_pdf_box_under(t->ctm, n[0], n[1], n[0] + n[2], n[1] + n[3]), 4);
}

/* n: x and y. */
static void add_point(qi_pdf_scan *s, const double n[2]) {
    s->path.is_box = false;
    add_box(&s->path, qi_pdf_box_under(qi_pdf_scan_state(s)->ctm, n[0], n[1], n[0], n[1]), 1);
}

static void add_curve(qi_pdf_scan *s, const double *numbers, int n) {
    s->path.has_curves = true;
    for (int i = 6 - n; i < 6; i += 2)
        add_point(s, numbers + i);
}

static void end_path(qi_pdf_scan *s) {
    static const qi_pdf_box everything = {-INFINITY, -INFINITY, INFINITY, INFINITY};
    bool is_box = s->path.is_box;
    if (s->clips) qi_pdf_clip_to(qi_pdf_scan_state(s), is_box ? &s->path.box : &everything, is_box);
    s->clips = false;
    s->path = (qi_pdf_path){0};
}

/* A page stays plain with rules, frames, and a light ground under all of its text. */
static void judge_path(qi_pdf_scan *s, const char *op) {
    const qi_pdf_state *t = qi_pdf_scan_state(s);
    const qi_pdf_path *p = &s->path;
    bool strokes = op[0] != 'f' && op[0] != 'F', fills = op[0] != 'S' && op[0] != 's';
    double wide = strokes ? fabs(t->line_width) *
                                fmax(hypot(t->ctm[0], t->ctm[1]), hypot(t->ctm[2], t->ctm[3]))
                          : 0;
    double thick = fmin(p->box.x1 - p->box.x0, p->box.y1 - p->box.y0) + wide;
    bool is_rule = thick <= rule_pt;
    bool is_frame = !fills && !p->has_curves && p->n_points <= MAX_CORNERS && wide <= rule_pt;
    bool is_ground = !strokes && t->fill.lightness >= light && !s->out->n_visible_bytes;
    bool is_nothing = !p->n_points;
    if (!is_nothing && !is_rule && !is_frame && !is_ground) s->has_doubt = true;
    if (s->out->n_paths > MAX_SHAPES) s->has_doubt = true;
}

static bool is_one_of(const char *op, const char *const *list) {
    for (; *list; list++)
        if (strcmp(op, *list) == 0) return true;
    return false;
}

bool qi_pdf_scan_path(qi_pdf_scan *s, const char *op, const qi_pdf_operands *o) {
    static const char *const paints[] = {"S", "s", "f", "F", "f*", "B", "B*", "b", "b*", NULL};
    if (!strcmp(op, "re")) {
        add_rectangle(s, o->numbers + 2);
    } else if (!strcmp(op, "m") || !strcmp(op, "l")) {
        add_point(s, o->numbers + 4);
    } else if (!strcmp(op, "c")) {
        add_curve(s, o->numbers, 6);
    } else if (!strcmp(op, "v") || !strcmp(op, "y")) {
        add_curve(s, o->numbers, 4);
    } else if (is_one_of(op, paints)) {
        s->out->n_paths++;
        judge_path(s, op);
        end_path(s);
    } else if (!strcmp(op, "n")) {
        end_path(s);
    } else if (!strcmp(op, "W") || !strcmp(op, "W*")) {
        s->clips = true;
    } else if (!strcmp(op, "w")) {
        qi_pdf_scan_state(s)->line_width = o->numbers[5];
    } else {
        return false;
    }
    return true;
}

/* A colour of n values, the last given; with fewer, viewers leave things as they are. */
static void fill_device(qi_pdf_fill *fill, int n, const qi_pdf_operands *o) {
    qi_pdf_fill_device(fill, n, o->numbers + 6 - n);
    if (o->n_numbers < (size_t)n) fill->lightness = NAN;
}

bool qi_pdf_scan_colour(qi_pdf_scan *s, qpdf_oh resources, const char *op,
                        const qi_pdf_operands *o) {
    qi_pdf_fill *fill = &qi_pdf_scan_state(s)->fill;
    if (!strcmp(op, "g")) {
        fill_device(fill, 1, o);
    } else if (!strcmp(op, "rg")) {
        fill_device(fill, 3, o);
    } else if (!strcmp(op, "k")) {
        fill_device(fill, 4, o);
    } else if (!strcmp(op, "cs")) {
        if (s->n_spaces++ < MAX_SPACES)
            qi_pdf_fill_space(fill, s->q, resources, o->name);
        else
            *fill = (qi_pdf_fill){NAN, 0};
    } else if (!strcmp(op, "sc") || !strcmp(op, "scn")) {
        size_t n = o->n_numbers < 6 ? o->n_numbers : 6;
        qi_pdf_fill_values(fill, o->has_name ? 0 : n, o->numbers + 6 - n);
    } else {
        return false;
    }
    return true;
}
