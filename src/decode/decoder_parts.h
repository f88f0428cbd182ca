/* The decoder's inside: what its files share. */
#ifndef QI_DECODE_DECODER_PARTS_H
#define QI_DECODE_DECODER_PARTS_H

#include "decode/decoder.h"
#include "decode/helper_process.h"

enum { QI_DECODER_NAME_BYTES = 240 };

struct qi_decoder {
    char *path, *pdf_path;
    qi_decoder_limits limits;
    qi_helper helper;
    qi_helper_templates *templates; /* NULL: a helper serves many documents */
    qi_pixel_pool *pool;            /* NULL: none yet for the next document */
    int source;                     /* -1: no document */
    uint64_t source_bytes;
    bool given;           /* the helper now running holds the document … */
    uint32_t n_measured;  /* … has been asked for so many of its pages … */
    uint64_t began_bytes; /* … and had so much memory after the first; 0: unknown */
    qi_helper_kind needs; /* the kind of helper the document is for */
    uint32_t n_pages;
    const char *media_type;
    bool may_have_text;
    qi_pixels text;        /* shared memory for text layers; map NULL: not made yet */
    qi_page_info measured; /* of page measured_page, while is_measured */
    uint32_t measured_page;
    bool is_measured;
    uint32_t image_px; /* of a side of pages' images, at most; 0: none are wanted */
    bool want_pdf, want_pdf_a;
    bool is_ready, rewritten; /* for the PDF that is wanted */
    uint64_t max_rewrite_bytes;
    quire_pdf_original original;      /* n_bytes 0: none */
    char name[QI_DECODER_NAME_BYTES]; /* printable */
    char password[QI_PASSWORD_BYTES];
};

/* decoder.c */
quire_err qi_decoder_ensure_helper(qi_decoder *decoder, qi_helper_kind kind,
                                   const qi_deadline *deadline, quire_diag *diag);
/* Sees to it that a living helper holds the document. */
quire_err qi_decoder_ensure_given(qi_decoder *decoder, const qi_deadline *deadline,
                                  quire_diag *diag);
/* Shared memory of at least n_bytes; false: there is none. */
bool qi_decoder_take_pixels(qi_decoder *decoder, size_t n_bytes, qi_pixels *ret_pixels);
/* What the helper may keep of a PDF's pages. */
uint64_t qi_decoder_pages_bytes(const qi_decoder *decoder);

/* decoder_encode.c: fills in what a page's image takes. */
void qi_decoder_measure_image(const qi_decoder *decoder, qi_page_info *info);

#endif
