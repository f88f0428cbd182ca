/* What a PDF page paints, found by reading its content stream without drawing it: the page's
 * /Contents and the form XObjects it shows, with their graphics state as far as it matters here.
 *
 * Counted, once for each time it is shown:
 *   - bytes of the strings of Tj, TJ, ' and " (not characters: fonts of two bytes a glyph count
 *     double), apart by text render mode: 3 and 7 are invisible, all others visible. The mode is
 *     the graphics state's: q and Q, a form and its end restore it, BT and ET do not.
 *   - visible bytes by the size of their font on the page (Tf, Tm, cm), apart for type 3 fonts,
 *     whose size says nothing;
 *   - images, XObjects and inline ones, stencil masks among them;
 *   - path painting operators (S s f F f* B B* b b*) and shadings (sh).
 * Not looked at for these: colours (white on white is visible), whether something lies outside the
 * page or under something else, the content of patterns, of type 3 fonts and of annotations. What
 * optional content hides is counted, and has_optional set.
 *
 * A page that has nothing but dark text, thin rules and frames, and a light ground painted before
 * the text, all of them opaque, is told apart (is_plain): its text is what it shows. The text must
 * begin in its clip path, which must be a rectangle of a column's width, and not be tiny. Any doubt
 * makes it not plain.
 *
 * Hostile data: bytes, operators, nesting and forms shown are bounded; where a bound is reached or
 * a stream cannot be decoded is_complete is false, and the counts are of what came before. */
#ifndef QI_HELPER_PDF_CONTENT_H
#define QI_HELPER_PDF_CONTENT_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    QI_PDF_IMAGES_KEPT = 4,
    QI_PDF_FONTS_KEPT = 64,
    QI_PDF_TEXT_SIZES = 64, /* points; the last also holds what is larger */
    QI_PDF_DPI_STEP = 25,   /* dpi of a class of images' resolutions */
    QI_PDF_DPI_CLASSES = 64,
};

typedef struct qi_pdf_box {
    double x0, y0, x1, y1;
} qi_pdf_box;

typedef struct qi_pdf_image {
    double matrix[6];       /* of the unit square to the page's default user space */
    qi_pdf_box clip;        /* the clip path, where it is a rectangle; infinite: none */
    bool is_clip_complex;   /* it is not: clip is larger than it */
    bool is_blended;        /* under transparency, a soft mask or a blend mode */
    bool is_stencil;        /* /ImageMask */
    int object, generation; /* of its stream; 0: inline, or a stream that is no object */
    uint32_t width_px, height_px;
} qi_pdf_image;

typedef struct qi_pdf_object {
    int number, generation;
} qi_pdf_object;

typedef struct qi_pdf_content {
    bool is_complete;
    bool has_optional; /* marked or XObject content of an optional content group */
    bool has_groups;   /* a form that is a transparency group, or a soft mask */
    uint64_t n_visible_bytes, n_invisible_bytes;
    uint64_t n_bytes_before_image;             /* the visible ones shown before the last image */
    uint64_t n_type3_bytes;                    /* of the visible ones */
    uint64_t bytes_of_size[QI_PDF_TEXT_SIZES]; /* the other visible ones, by rounded size */
    uint64_t n_images, n_inline_images;        /* the latter are of the former */
    uint64_t n_paths, n_shadings;
    qi_pdf_image images[QI_PDF_IMAGES_KEPT]; /* the first ones */
    double area_of_dpi[QI_PDF_DPI_CLASSES];  /* points², of images by their resolution, rounded
                                                to a step; the last also holds what is finer */
    uint64_t image_bytes;                    /* what drawing one of the images takes at most */
    bool is_one_image;                       /* complete, and one image is all that is visible */
    bool is_plain;
    uint64_t n_codes; /* of visible text, spaces not counted; of fonts of type 0, they are */
    bool has_type0;   /* fonts, some of whose codes are spaces */
    uint32_t n_fonts; /* of visible text */
    qi_pdf_object fonts[QI_PDF_FONTS_KEPT]; /* is_plain: all of them */
} qi_pdf_content;

/* Reads the content of a page, a dictionary of q. Handles of q that are made meanwhile are left to
 * the caller to release (qpdf_oh_release_all). A page that cannot be read is incomplete.
 */
void qi_pdf_content_scan(qpdf_data q, qpdf_oh page, qi_pdf_content *ret_content);

/* Reads a content stream's decoded bytes; resources: a dictionary of q, or null. */
void qi_pdf_content_scan_bytes(qpdf_data q, qpdf_oh resources, const uint8_t *bytes, size_t n_bytes,
                               qi_pdf_content *ret_content);

/* The decoded streams of a page's contents, one after the other with newlines between, from malloc,
 * the caller's also on failure; NULL where there is nothing. False where a stream is not there
 * whole: what there is of others is given. Packed and decoded bytes are taken from *budget_bytes.
 */
bool qi_pdf_page_content(qpdf_data q, qpdf_oh page, size_t *budget_bytes, uint8_t **ret_bytes,
                         size_t *ret_n_bytes);

/* An entry of a page that it may inherit (/Resources, /MediaBox, /CropBox, /Rotate); null handle
 * where it has none. */
qpdf_oh qi_pdf_page_entry(qpdf_data q, qpdf_oh page, const char *key);

/* Whether it has annotations that draw: all but links and what pops up, where these have no
 * appearance of their own. */
bool qi_pdf_has_drawn_annotations(qpdf_data q, qpdf_oh page);

/* Whether it has annotations of any kind. */
bool qi_pdf_has_annotations(qpdf_data q, qpdf_oh page);

#endif
