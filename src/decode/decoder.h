/* The client of quire-decode: opens documents in a sandboxed helper process and brings their pages
 * over as grey pixels in shared memory. One qi_decoder is one helper process, owned by one thread
 * at a time; it is started at the first use and started anew after it died or was killed. It also
 * dies with the thread that started it; a decoder handed to another thread then starts a new one.
 *
 * Opening is two steps: measure (type, pages, sizes), then decode into memory that the caller's
 * budget granted. Whatever the helper says is checked; only pixels are read in place. */
#ifndef QI_DECODE_DECODER_H
#define QI_DECODE_DECODER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/err.h"
#include "decode/embedding.h"
#include "decode/helper_templates.h"
#include "decode/message.h"
#include "decode/pixels.h"
#include "decode/text_layer.h"
#include "image/grey.h"

typedef struct qi_decoder qi_decoder;

typedef struct qi_decoder_limits {
    uint64_t max_pixels; /* per page */
    uint32_t max_pages;  /* 0: none */
} qi_decoder_limits;

typedef struct qi_document_info {
    const char *media_type; /* static storage */
    uint32_t n_pages;
    bool may_have_text;          /* qi_decoder_text makes sense */
    quire_pdf_original original; /* of a PDF, where wanted; n_bytes 0: none */
    uint64_t pages_bytes;        /* of memory that the helper comes to keep of its pages */
    uint64_t rewritten_bytes;    /* of memory that it takes while it is open, written anew */
    int source;                  /* with original: its bytes; borrowed until _close */
} qi_document_info;

typedef struct qi_page_info {
    uint32_t width_px, height_px; /* after EXIF orientation */
    float dpi;                    /* 0 where the file has none, or a value that cannot be */
    uint64_t decode_bytes;        /* worst case of the helper's own memory for this page */
    uint64_t text_bytes;          /* of _text with ink, beside QI_DECODER_TEXT_BYTES */
    uint64_t embed_bytes, embed_decode_bytes; /* of _embed: the memory it fills, the helper's own */
    uint64_t image_room_bytes; /* of _image: beside the page's pixels, and of its file at most … */
    uint64_t image_work_bytes; /* … and the helper's own */
} qi_page_info;

/* A helper, as no other is called: process ids come again. */
typedef struct qi_helper_id {
    pid_t pid;
    uint64_t started_ns;
} qi_helper_id;

/* A decoded page: grey pixels in shared memory, rows 64 bytes apart or a multiple; given back by
 * qi_decoded_done, from any thread, also after the decoder was freed. A decoder keeps up to
 * QI_PIXELS_IDLE_BYTES of what was given back for its next pages. */
typedef struct qi_decoded {
    qi_grey grey;
    void *map; /* NULL: nothing to give back */
    size_t map_bytes;
    int memory; /* what is mapped */
    qi_pixel_pool *pool;
    qi_helper_id helper; /* that wrote it, and could still write */
    uint64_t helper_ns;  /* processor time the helper used */
} qi_decoded;

/* A PNG in shared memory, given back by qi_encoded_done, as a decoded page is. What is in it is
 * what the helper left there. */
typedef struct qi_encoded {
    const uint8_t *bytes;
    size_t n_bytes;
    qi_pixels pixels; /* memory that holds it */
    qi_pixel_pool *pool;
} qi_encoded;

/* An image file of a page, by qi_image_file_done. Its bytes begin as they should and are of the
 * right number; what follows is what the helper wrote. */
typedef struct qi_image_file {
    uint8_t *bytes; /* NULL: none */
    size_t n_bytes;
    uint32_t width_px, height_px;
    uint64_t helper_ns; /* processor time that encoding it took */
} qi_image_file;

/* A page's part of a searchable PDF, in shared memory; given back by qi_embedded_done, from any
 * thread, also after the decoder was freed. */
typedef struct qi_embedded {
    quire_pdf_page page; /* points into map */
    void *map;           /* NULL: nothing */
    size_t map_bytes;
} qi_embedded;

/* helper_path NULL: QUIRE_DECODE in the environment, else quire-decode beside the running program,
 * else the libexec folder. MISSING when there is none. Starts no process. */
quire_err qi_decoder_new(const char *helper_path, const qi_decoder_limits *limits,
                         qi_decoder **ret_decoder, quire_diag *diag);
void qi_decoder_free(qi_decoder *decoder); /* kills the helper */

/* From now on no helper ever holds two documents: each is opened in one of its own, made of a
 * template (borrowed), which ends when the document is closed; and no memory that was shared with a
 * helper is used for another document. */
void qi_decoder_use_templates(qi_decoder *decoder, qi_helper_templates *templates);

/* What the helper has put between itself and the world. */
typedef struct qi_confinement {
    bool seccomp, landlock;
    uint32_t landlock_abi; /* what the kernel offers; 0: no Landlock */
} qi_confinement;

/* Starts the helper where none runs, which otherwise happens at the first open, and tells how it is
 * confined. MISSING where the program, or a library that this kind needs, is not installed. HELPER,
 * TIMEOUT, NO_MEMORY. */
quire_err qi_decoder_start(qi_decoder *decoder, qi_helper_kind kind,
                           qi_confinement *ret_confinement, quire_diag *diag);

/* Takes the document in fd (any readable descriptor: file, pipe; borrowed) and measures it. name is
 * for messages. password: of an encrypted document, NULL for none. What was open before is closed.
 * EMPTY, UNSUPPORTED (names the type where it is known), CORRUPT, TOO_LARGE, TIMEOUT, HELPER,
 * ENCRYPTED, IO. */
quire_err qi_decoder_open(qi_decoder *decoder, int fd, const char *name, const char *password,
                          const qi_deadline *deadline, qi_document_info *ret_info,
                          quire_diag *diag);
quire_err qi_decoder_page_info(qi_decoder *decoder, uint32_t page, const qi_deadline *deadline,
                               qi_page_info *ret_info, quire_diag *diag);
quire_err qi_decoder_page(qi_decoder *decoder, uint32_t page, const qi_deadline *deadline,
                          qi_decoded *ret_decoded, quire_diag *diag);
/* From now on documents are opened for a searchable PDF as well, or not; as_pdf_a: PDFs for one
 * that is PDF/A-2b. A PDF that cannot be appended to, or is not PDF/A-2b yet, is then written anew
 * at its opening, in max_rewrite_bytes at most. */
void qi_decoder_want_pdf(qi_decoder *decoder, bool want, bool as_pdf_a, uint64_t max_rewrite_bytes);
/* What the PDF takes over of a page; no map where a PDF's page cannot be changed. */
quire_err qi_decoder_embed(qi_decoder *decoder, uint32_t page, const qi_deadline *deadline,
                           qi_embedded *ret_embedded, quire_diag *diag);
void qi_embedded_done(qi_embedded *embedded);

/* What qi_decoder_text takes at most, but for a page's text_bytes, of the helper's memory and its
 * own, for the budget. */
#define QI_DECODER_TEXT_BYTES (UINT64_C(56) << 20)

/* The text layer of a page of a document that may have one; the caller's, freed by
 * qi_text_layer_free. with_ink: compared with what the page shows. helper_ns: processor time the
 * helper used. */
quire_err qi_decoder_text(qi_decoder *decoder, uint32_t page, bool with_ink,
                          const qi_deadline *deadline, qi_text_layer **ret_layer,
                          uint64_t *ret_helper_ns, quire_diag *diag);
/* From now on pages are decoded with room for an image of each, whose sides have max_px at most, or
 * what WebP can hold; 0: without. */
void qi_decoder_want_image(qi_decoder *decoder, uint32_t max_px);
/* The image of a page that was decoded so, of the document that is open, as WebP: grey, shrunk by a
 * whole number where it is larger. TOO_LARGE: a side is, or the file is larger than its room. */
quire_err qi_decoder_image(qi_decoder *decoder, const qi_decoded *page, const qi_deadline *deadline,
                           qi_image_file *ret_file, quire_diag *diag);
void qi_image_file_done(qi_image_file *file);
void qi_decoder_close(
    qi_decoder *decoder); /* the document; the helper stays, but for one of a template */
void qi_decoded_done(qi_decoded *decoded);

/* RGB pixels (three bytes each, rows stride_bytes apart) as PNG, encoded by the helper; a document
 * that is open stays so. name is for messages. USAGE: the size is 0 or past what PNG can hold.
 * TIMEOUT, HELPER, NO_MEMORY. */
quire_err qi_decoder_encode_png(qi_decoder *decoder, const uint8_t *rgb, uint32_t width_px,
                                uint32_t height_px, size_t stride_bytes, const char *name,
                                const qi_deadline *deadline, qi_encoded *ret_encoded,
                                quire_diag *diag);
void qi_encoded_done(qi_encoded *encoded);

#endif
