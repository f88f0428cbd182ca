/* The state of a reading of a content stream (see pdf_content.h), which the files that read it
 * share: pdf_content.c (text, images, forms) and pdf_shapes.c (paths and colours). */
#ifndef QI_HELPER_PDF_SCAN_H
#define QI_HELPER_PDF_SCAN_H

#include "decode/helper/pdf_content.h"
#include "decode/helper/pdf_fill.h"
#include "decode/helper/pdf_token.h"

/* The graphics state, as q saves it. */
typedef struct qi_pdf_state {
    double ctm[6];
    qi_pdf_box clip;
    bool is_clip_complex, has_alpha, has_soft_mask, has_blend_mode;
    bool is_type0, is_type3;
    int render_mode;
    double font_size, leading, line_width;
    qi_pdf_object font;
    qi_pdf_fill fill;
} qi_pdf_state;

/* What stands before an operator. */
typedef struct qi_pdf_operands {
    double numbers[6]; /* the last ones, the last of all at [5] */
    size_t n_numbers;
    char name[QI_PDF_NAME_BYTES]; /* the last one */
    bool has_name;
    size_t n_string_bytes, n_spaces;
} qi_pdf_operands;

typedef struct qi_pdf_path {
    bool is_box; /* one upright rectangle and nothing else */
    bool has_curves;
    uint32_t n_points;
    qi_pdf_box box; /* round its points, in default user space */
} qi_pdf_path;

typedef struct qi_pdf_scan {
    qpdf_data q;
    qi_pdf_content *out;
    size_t bytes_left;
    uint32_t asks; /* that are left, of images how they are packed */
    uint32_t n_operators, n_forms, n_spaces;
    qi_pdf_state *states; /* the last is the current one */
    size_t n_states;
    double tm[6]; /* the text matrix where a line begins */
    qi_pdf_path path;
    bool clips, clips_text;
    bool stopped, has_doubt; /* that the page is plain */
} qi_pdf_scan;

static inline qi_pdf_state *qi_pdf_scan_state(qi_pdf_scan *s) {
    return &s->states[s->n_states - 1];
}

/* The upright box round a rectangle under a matrix. */
qi_pdf_box qi_pdf_box_under(const double m[6], double x0, double y0, double x1, double y1);
void qi_pdf_clip_to(qi_pdf_state *state, const qi_pdf_box *box, bool is_box);

/* These take an operator that is theirs; false where it is not. */
bool qi_pdf_scan_path(qi_pdf_scan *scan, const char *op, const qi_pdf_operands *operands);
bool qi_pdf_scan_colour(qi_pdf_scan *scan, qpdf_oh resources, const char *op,
                        const qi_pdf_operands *operands);

#endif
