/* Quire: documents in, text with layout out. The public C API.
 *
 * A *reader* is a running pipeline: documents are added to it, finished pages come out of it in the
 * order the documents were added and in page order, whatever the number of threads. Everything but
 * a reader is a value or plain read-only data. No globals, no output to stdout or stderr.
 *
 *     quire_options o;
 *     quire_options_init(&o);
 *     quire_reader *r;
 *     quire_diag d;
 *     if (quire_reader_open(&o, &r, &d)) return fail(&d);
 *     quire_reader_add_file(r, "scan.tif", NULL, NULL, &d);
 *     quire_item it;
 *     while (quire_reader_next(r, &it), it.kind != QUIRE_ITEM_IDLE) {
 *         if (it.kind == QUIRE_ITEM_PAGE) use(it.page);
 *         quire_item_done(&it);
 *     }
 *     quire_reader_close(r);
 *
 * Threads: every quire_reader_ function may be called from any thread, _close from one, last.
 * Errors are values: a function that can fail returns a quire_err and fills the optional
 * quire_diag; outputs are untouched on failure. */
#ifndef QUIRE_QUIRE_H
#define QUIRE_QUIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define QUIRE_API __attribute__((visibility("default")))
#else
#define QUIRE_API
#endif

#define QUIRE_VERSION "0.1.0"

/* The one list of errors: code, stable name, exit status of the command, HTTP status, whether the
 * same call may work later (0 never, 1 perhaps), text. */
#define QUIRE_ERRORS(X)                                                                            \
    X(OK, "ok", 0, 200, 0, "no error")                                                             \
    X(USAGE, "usage", 1, 400, 0, "the arguments are wrong")                                        \
    X(CORRUPT, "corrupt", 2, 422, 0, "the file is damaged")                                        \
    X(EMPTY, "empty", 2, 422, 0, "the file is empty")                                              \
    X(MODEL_MISSING, "model-missing", 3, 422, 0, "no model for this language is installed")        \
    X(MODEL_CORRUPT, "model-corrupt", 3, 500, 0, "the model file is damaged")                      \
    X(MODEL_UNSUPPORTED, "model-unsupported", 3, 422, 0, "the model is of a kind not supported")   \
    X(MISSING, "missing-part", 3, 500, 0, "a part of the installation is missing")                 \
    X(UNSUPPORTED, "unsupported-type", 4, 415, 0, "the file is of a type that is not supported")   \
    X(NOT_FOUND, "not-found", 5, 404, 0, "no such file")                                           \
    X(NO_PERMISSION, "no-permission", 5, 403, 0, "permission denied")                              \
    X(IO, "io", 5, 500, 1, "reading or writing failed")                                            \
    X(WRITE, "write", 6, 507, 1, "the output could not be written")                                \
    X(CONFLICT, "conflict", 6, 409, 0, "two inputs have the same output")                          \
    X(HELPER, "helper", 7, 500, 1, "the decoding helper died")                                     \
    X(ENCRYPTED, "encrypted", 8, 422, 0, "the document is encrypted")                              \
    X(TOO_LARGE, "too-large", 9, 413, 0, "a limit on size was exceeded")                           \
    X(TIMEOUT, "timeout", 9, 504, 1, "the time limit was exceeded")                                \
    X(NO_MEMORY, "no-memory", 9, 503, 1, "memory ran out")                                         \
    X(PAGES, "pages-failed", 2, 422, 0, "pages of the document failed")                            \
    X(INTERNAL, "internal", 15, 500, 0, "an internal error")                                       \
    X(CANCELLED, "cancelled", 130, 499, 1, "cancelled")

typedef enum quire_err {
#define QUIRE_X(code, ...) QUIRE_ERR_##code,
    QUIRE_ERRORS(QUIRE_X)
#undef QUIRE_X
} quire_err;

/* What went wrong, for people: names the input, the reason and the remedy. UTF-8, NUL-terminated;
 * bytes of a file name that are not UTF-8 are written as \xNN. */
typedef struct quire_diag {
    quire_err code;
    char text[500];
} quire_diag;

QUIRE_API const char *quire_version(void);
QUIRE_API const char *quire_err_name(quire_err code); /* "not-found"; static storage */
QUIRE_API const char *quire_err_text(quire_err code); /* "no such file"; static storage */
QUIRE_API int quire_err_exit_status(quire_err code);

/* ---- results: plain data, owned by the page, immutable ------------------------------------- */

/* Where text comes from: read from pixels, or taken from a PDF's own text layer; MIXED: a page of
 * both. */
#define QUIRE_TEXT_SOURCES(X)                                                                      \
    X(PIXELS, "pixels")                                                                            \
    X(LAYER, "layer")                                                                              \
    X(MIXED, "mixed")

typedef enum quire_text_source {
#define QUIRE_X(code, name) QUIRE_SOURCE_##code,
    QUIRE_TEXT_SOURCES(QUIRE_X)
#undef QUIRE_X
} quire_text_source;

/* Why a page's text comes from where it does: code, stable name. docs/json.md says when. */
#define QUIRE_TEXT_REASONS(X)                                                                      \
    X(NO_LAYER, "no-layer")                                                                        \
    X(NOT_ASKED, "not-asked")                                                                      \
    X(ONLY_LAYER, "only-layer")                                                                    \
    X(GOOD_LAYER, "good-layer")                                                                    \
    X(BLANK, "blank")                                                                              \
    X(NO_TEXT, "no-text")                                                                          \
    X(INVISIBLE, "invisible-text")                                                                 \
    X(UNMAPPED, "unmapped-text")                                                                   \
    X(OFF_INK, "text-off-ink")                                                                     \
    X(OVER_PICTURE, "text-over-picture")                                                           \
    X(UNCOVERED, "uncovered-ink")                                                                  \
    X(TOO_MUCH, "too-much-text")                                                                   \
    X(UNUSABLE, "unusable-layer")                                                                  \
    X(DIFFERS, "layer-differs")

typedef enum quire_text_reason {
#define QUIRE_X(code, name) QUIRE_REASON_##code,
    QUIRE_TEXT_REASONS(QUIRE_X)
#undef QUIRE_X
} quire_text_reason;

QUIRE_API const char *quire_text_source_name(quire_text_source source); /* static storage */
QUIRE_API const char *quire_text_reason_name(quire_text_reason reason); /* static storage */

/* Half-open box in pixels of the page as stored (after EXIF orientation), origin top left. */
typedef struct quire_box {
    int32_t x0, y0, x1, y1;
} quire_box;

typedef struct quire_word {
    quire_box box;
    const char *text;  /* UTF-8, NUL-terminated, logical order */
    float confidence;  /* calibrated probability that the word is right, 0–1 */
    bool space_before; /* a space separates it from the word before it on the line */
} quire_word;

typedef struct quire_line {
    quire_box box;
    float baseline[4]; /* x0, y0, x1, y1: from the line's first to its last pixel, page pixels */
    float x_height_px; /* 0 when unknown */
    float confidence;
    const char *text;             /* words in logical order, joined by their spaces */
    const char *language;         /* of the model that read it: "eng"; NULL: of the text layer */
    uint32_t first_word, n_words; /* into quire_page.words */
    quire_text_source source;     /* PIXELS or LAYER */
} quire_line;

typedef struct quire_block {
    quire_box box;
    uint32_t first_line, n_lines; /* into quire_page.lines */
} quire_block;

/* What a searchable PDF takes over of a page, made in the helper: the image as it is to be stored,
 * or the page's object of the original with the places where text and font are to be named. Numbers
 * have been checked, bytes are the file's. See docs/api.md. */
typedef enum quire_pdf_kind { QUIRE_PDF_IMAGE = 1, QUIRE_PDF_ORIGINAL } quire_pdf_kind;
typedef enum quire_pdf_coding { QUIRE_PDF_FLATE, QUIRE_PDF_DCT, QUIRE_PDF_FAX } quire_pdf_coding;

typedef struct quire_pdf_page {
    uint32_t kind;
    const uint8_t *bytes; /* the image's data, or the text of the page's object */
    uint64_t n_bytes;
    /* IMAGE */
    uint32_t coding, columns, rows; /* as stored: before orientation */
    uint32_t bits, n_channels;      /* of a channel; 1 grey (or palette), 3 RGB, 4 inks */
    uint32_t orientation;           /* EXIF's 1–8 */
    float dpi_x, dpi_y;             /* as stored, before orientation; 0 unknown */
    uint32_t inverted;              /* 0 or 1: the largest value is dark */
    uint32_t predicted;             /* FLATE: rows begin with PNG's filter byte */
    int32_t colour_transform;       /* DCT: as in PDF's dictionary; -1: as the data say */
    int32_t fax_k;                  /* FAX: as in PDF's dictionary */
    uint32_t fax_black_is_1;
    uint32_t n_palette; /* entries of three bytes; 0: none */
    uint8_t palette[768];
    /* ORIGINAL */
    uint32_t object, generation;
    char font_name[16];           /* that no other font of the page has */
    uint64_t font_at, content_at; /* offsets in bytes: an entry of the fonts, of the contents */
    double to_points[6];          /* from the page's pixels: x' = ax + cy + e, y' = bx + dy + f */
    const quire_box *covered;     /* where the page has text already */
    uint64_t n_covered;
} quire_pdf_page;

/* The PDF that the pages are of, as an update is appended to it. */
typedef struct quire_pdf_original {
    uint64_t n_bytes;
    uint64_t xref_at;   /* of its last cross-reference section */
    uint32_t xref_kind; /* 0 a table, 1 a stream */
    uint32_t next_object;
    uint32_t root, root_generation, info, info_generation; /* objects; info 0: none */
    uint32_t n_id;
    uint8_t id[32]; /* the first part of its identifier, if it is that short */
} quire_pdf_original;

/* A stage's time, in nanoseconds of one core, for this page. */
typedef struct quire_timings {
    uint64_t decode_ns, layout_ns, crop_ns, recognise_ns, text_ns, compose_ns;
} quire_timings;

/* A page as an image file, for people to look at: what its reader saw, grey, lossy. It lies as the
 * page is stored, so results' boxes fit it when they are scaled by width_px to the page's. */
typedef struct quire_image {
    const uint8_t *bytes;
    size_t n_bytes;
    const char *media_type; /* "image/webp"; static storage */
    uint32_t width_px, height_px;
    uint64_t encode_ns; /* of one core, beside the page's timings */
} quire_image;

/* One page's result. Blocks, lines and words are in reading order. */
typedef struct quire_page {
    uint32_t index;  /* 0-based page of its document */
    quire_err error; /* not OK: nothing was read; error_text says why */
    const char *error_text;
    uint32_t width_px, height_px;
    float dpi; /* as stored, or estimated from the text */
    bool dpi_estimated;
    int32_t rotation;   /* 0, 90, 180, 270: degrees clockwise that turn the stored page upright */
    float skew_degrees; /* of the upright page; positive: text climbs to the right */
    float confidence;   /* mean of its words, 0 when there is none */
    quire_text_source text_source; /* where the text comes from, and why */
    quire_text_reason text_reason;
    const quire_block *blocks;
    const quire_line *lines;
    const quire_word *words;
    uint32_t n_blocks, n_lines, n_words;
    quire_timings timings;
    uint64_t elapsed_ns; /* from its turn to be decoded until it was finished, waiting included */
    const quire_pdf_page
        *pdf; /* with want_pdf, also of a page with an error; NULL: there is none */
    const quire_image
        *image;            /* with want_image, also of a page with an error; NULL: there is none */
    quire_err image_error; /* … and why; a page may well be read without one */
} quire_page;

/* ---- reading -------------------------------------------------------------------------------- */

typedef struct quire_reader quire_reader;

/* What is made of the text layer of PDF pages. */
typedef enum quire_text_layer {
    QUIRE_TEXT_LAYER_AUTO,     /* used where it is what the page shows */
    QUIRE_TEXT_LAYER_VERIFIED, /* and where a sample of its lines reads alike from the pixels */
    QUIRE_TEXT_LAYER_ONLY,     /* always; pixels are never read: images have no text */
    QUIRE_TEXT_LAYER_OFF,      /* never; all is read from pixels */
} quire_text_layer;

/* Strings are copied by quire_reader_open. */
typedef struct quire_options {
    const char *languages;     /* "eng", "eng+deu" */
    const char *model_dir;     /* NULL: TESSDATA_PREFIX, then where Debian installs models */
    const char *decode_helper; /* NULL: beside the running program, then the libexec folder */
    uint32_t jobs; /* compute threads, a helper beside them if several; 0: the cgroup's cores */
    uint64_t memory_bytes; /* of the whole process tree; 0: 400 MB, or less where the cgroup says */
    uint64_t max_pixels;   /* per page; 0: 200 million */
    uint32_t timeout_ms;   /* for opening a document, and for each of its pages anew; 0: 180 s */
    bool strict;           /* a failed page fails its document */
    quire_text_layer text_layer;
    bool anew;      /* lines and pages that were read a while ago are read again: for measuring */
    bool any_order; /* a document's items do not wait for those of documents added before it */
    /* No process that decodes ever holds two documents, nor memory that another document was in:
     * for readers whose documents are of several owners. */
    bool one_document_helpers;
} quire_options;

/* Pages of a document that an earlier run has read, all before first_index. They are not read
 * again, and count where the document's fate is settled. A page's `pdf` is nothing that could be
 * kept; with want_pdf it is made again for pages listed, which come as EARLIER items. {0}: none.
 */
typedef struct quire_earlier_pages {
    uint32_t first_index; /* 0-based: reading starts here */
    uint32_t n_pages, n_failed;
    uint32_t first_failed;    /* 0-based index of the first that failed, */
    quire_err error;          /* … why … */
    const char *error_text;   /* … and its text, which is copied */
    bool errors_differ;       /* of those that failed */
    const uint32_t *with_pdf; /* 0-based indices, rising, of those that had `pdf`; copied */
    uint32_t n_with_pdf;
} quire_earlier_pages;

/* Per document. Units of a region: px, or % of the page when percent[i]. */
typedef struct quire_request {
    const char *pages;    /* "1-3,7", 1-based; NULL: all */
    const char *password; /* of an encrypted document; NULL: none */
    /* Some of the reader's languages, the likeliest first: "deu+eng"; NULL: all, as they are. */
    const char *languages;
    struct {
        bool set;
        float value[4]; /* x, y, width, height */
        bool percent[4];
    } region;        /* only what lies inside is read; boxes stay those of the whole page */
    bool ahead;      /* with any_order: opened and read before all that are not */
    bool want_pdf;   /* pages and documents come with what a searchable PDF is made of */
    bool want_pdf_a; /* with want_pdf: PDFs come as PDF/A-2b; UNSUPPORTED where that cannot be */
    bool want_image; /* pages come with an image, those whose text needs no pixels too */
    uint32_t image_max_px; /* of its sides; larger pages are shrunk by whole numbers; 0: 16383, the
                              most that WebP can hold */
    quire_earlier_pages earlier;
} quire_request;

typedef enum quire_item_kind {
    QUIRE_ITEM_IDLE,     /* everything added so far has been handed out */
    QUIRE_ITEM_DOCUMENT, /* a document was opened (n_pages known) */
    QUIRE_ITEM_PAGE,     /* a page is finished: page is set */
    QUIRE_ITEM_END,      /* a document has met its fate: error and diag are set */
    QUIRE_ITEM_EARLIER,  /* a page of earlier.with_pdf: page has its index, size and pdf alone */
} quire_item_kind;

typedef struct quire_item {
    quire_item_kind kind;
    void *user;             /* as given to _add_ */
    const char *name;       /* the document's path or name */
    const char *media_type; /* "image/jpeg"; NULL before it is known */
    uint32_t n_pages;       /* of the document; those to be read may be fewer */
    uint32_t n_failed;      /* END: pages that failed */
    const quire_page *page;
    const quire_pdf_original *original; /* DOCUMENT, with want_pdf: of a PDF; else NULL */
    quire_err error;                    /* END: OK, or why the document failed */
    quire_diag diag;
    void *owner; /* the library's */
} quire_item;

/* What was read line by line, a line counting once for each model that it was given to. Widths are
 * of lines scaled to the model's height. */
typedef struct quire_line_counts {
    uint64_t lines;
    uint64_t reused;             /* of them: known from before and not read; 0 with anew */
    uint64_t width_px;           /* of the others, together */
    uint64_t inverted_px;        /* of those that were read again inverted */
    uint64_t inverted_better_px; /* … and read better so */
    uint64_t smoothed_px, smoothed_better_px; /* the same of those read again smoothed */
    /* Steps of recurrent layers read lines (or columns) beside each other: how many they could
     * have, and how many they did. What is not taken is not computed. */
    uint64_t places, places_taken;
} quire_line_counts;

typedef struct quire_progress {
    uint64_t documents_added, documents_done, documents_failed, pages_done, pages_failed;
    uint32_t pages_in_flight;
    uint64_t bytes_in_flight, bytes_peak;
    uint64_t bytes_budget;   /* for pages in flight; one that is larger goes alone */
    uint32_t jobs;           /* threads that compute */
    quire_timings timings;   /* summed over pages done */
    uint64_t pages_reused;   /* of those done: known from before and not read; 0 with anew */
    quire_line_counts lines; /* of the other pages */
} quire_progress;

/* One model a reader uses. Strings live as long as the reader. */
typedef struct quire_model_info {
    const char *language, *path;
    const char *sha256;  /* of the file, 64 hexadecimal digits */
    const char *network; /* "[1,36,0,1 Ct3,3,16 …]" */
    bool integer;
} quire_model_info;

QUIRE_API void quire_options_init(quire_options *options);
QUIRE_API void quire_request_init(quire_request *request);

/* Loads the models, starts the threads. On success the reader is the caller's, freed by _close. */
QUIRE_API quire_err quire_reader_open(const quire_options *options, quire_reader **ret_reader,
                                      quire_diag *diag);
/* Stops what runs, frees all. NULL does nothing. Items must have been released. */
QUIRE_API void quire_reader_close(quire_reader *reader);

/* Queues a document; returns at once. path, "-" for standard input, is opened when its turn comes.
 * request may be NULL. What is wrong with the file comes as its END item; only a bad request fails
 * here. A caller with very many documents keeps a bounded number queued (the command: 256). */
QUIRE_API quire_err quire_reader_add_file(quire_reader *reader, const char *path,
                                          const quire_request *request, void *user,
                                          quire_diag *diag);
/* The same for bytes in memory, which are copied. name is for messages. */
QUIRE_API quire_err quire_reader_add_buffer(quire_reader *reader, const void *bytes, size_t n_bytes,
                                            const char *name, const quire_request *request,
                                            void *user, quire_diag *diag);
/* The same for an open file (on a disk, or a memfd), read from its beginning whatever fd's offset
 * is, which stays where it is as long as the file may still be opened by /proc. fd is the caller's
 * and may be closed at once; the reader holds a descriptor of its own for each document queued.
 * name is for messages. USAGE: not a regular file, or fd is not open for reading. */
QUIRE_API quire_err quire_reader_add_fd(quire_reader *reader, int fd, const char *name,
                                        const quire_request *request, void *user, quire_diag *diag);

/* Whether a document may be added with this request: what _add_ would say of it. */
QUIRE_API quire_err quire_reader_check_request(const quire_reader *reader,
                                               const quire_request *request, quire_diag *diag);

/* Waits for the next item, in order: DOCUMENT, its EARLIERs, PAGEs, END, one document after the
 * other (with any_order, in turns as they are finished); IDLE when nothing is queued. The item's
 * pointers live until quire_item_done, which also returns the page's memory to the budget: call it
 * soon. */
QUIRE_API void quire_reader_next(quire_reader *reader, quire_item *ret_item);
QUIRE_API void quire_item_done(quire_item *item);
/* Of a DOCUMENT item with original: its bytes from offset on, all n of them. A PDF that is damaged
 * or encrypted is written anew when it is opened, and its bytes are those of the new one. IO. */
QUIRE_API quire_err quire_item_read_original(const quire_item *item, uint64_t offset, void *to,
                                             size_t n, quire_diag *diag);

/* Ends all that is queued with QUIRE_ERR_CANCELLED; pages in flight are finished and handed out.
 * Async-signal-safe. */
QUIRE_API void quire_reader_cancel(quire_reader *reader);
/* The same for the documents that were added with this user and whose END has not been handed out;
 * returns how many. None where all their pages are in flight: these end as if nothing had been
 * said. Any thread, but not a signal handler. */
QUIRE_API uint32_t quire_reader_cancel_documents(quire_reader *reader, const void *user);
QUIRE_API void quire_reader_progress(const quire_reader *reader, quire_progress *ret_progress);
QUIRE_API uint32_t quire_reader_models(const quire_reader *reader, const quire_model_info **ret);

/* ---- looking at pages ----------------------------------------------------------------------- */

/* A page's pixels as a reader sees them, before anything is done to them: 8-bit grey, 0 black, row
 * y at grey + y * stride_bytes, as stored (after EXIF orientation). Results' boxes lie on them. */
typedef struct quire_page_image {
    const uint8_t *grey;
    uint32_t width_px, height_px;
    size_t stride_bytes;
    const char *media_type; /* of the document; static storage */
    uint32_t n_pages;       /* of the document */
} quire_page_image;

/* Opens a document (path, "-" for standard input) in a helper of its own and decodes a page of it.
 * index: 0-based. password: of an encrypted document; NULL: none. Of the options decode_helper,
 * max_pixels and timeout_ms count; NULL: the defaults. Blocks. The image is the caller's, freed by
 * _close, and immutable. USAGE: the document has no such page; and the errors documents end with.
 */
QUIRE_API quire_err quire_page_image_open(const char *path, const char *password, uint32_t index,
                                          const quire_options *options,
                                          quire_page_image **ret_image, quire_diag *diag);
QUIRE_API void quire_page_image_close(quire_page_image *image);

/* A PNG file in memory. */
typedef struct quire_png {
    const uint8_t *bytes;
    size_t n_bytes;
} quire_png;

/* Encodes RGB pixels, three bytes each, rows stride_bytes apart, in a helper of its own. Of the
 * options decode_helper and timeout_ms count; NULL: the defaults. Blocks; holds a copy of the
 * pixels and as much again. The PNG is the caller's, freed by _free, and immutable. USAGE: a size
 * that cannot be. TIMEOUT, NO_MEMORY, MISSING, HELPER. */
QUIRE_API quire_err quire_png_new(const uint8_t *rgb, uint32_t width_px, uint32_t height_px,
                                  size_t stride_bytes, const quire_options *options,
                                  quire_png **ret_png, quire_diag *diag);
QUIRE_API void quire_png_free(quire_png *png);

/* ---- what is there -------------------------------------------------------------------------- */

/* A model file that is installed. */
typedef struct quire_installed_model {
    quire_model_info info; /* with an error: network and sha256 are NULL */
    uint64_t n_bytes;
    quire_err error;        /* OK, or why it cannot be used … */
    const char *error_text; /* … for people */
} quire_installed_model;

typedef struct quire_installed_models quire_installed_models;

/* Finds and opens all models, by language, where quire_options.model_dir says. None at all is no
 * error. The list is the caller's, freed by _close; it is immutable. NO_MEMORY. */
QUIRE_API quire_err quire_installed_models_open(const char *model_dir,
                                                quire_installed_models **ret_models,
                                                quire_diag *diag);
QUIRE_API uint32_t quire_installed_models_view(const quire_installed_models *models,
                                               const quire_installed_model **ret);
QUIRE_API void quire_installed_models_close(quire_installed_models *models);

/* What this machine grants, and whether the decoding helper works and how it is confined. */
typedef struct quire_system {
    const char *cpu_level_max; /* the processor's, without QUIRE_CPU's cap */
    uint32_t cores;            /* by affinity and control group */
    uint64_t memory_bytes;     /* by control group, or all */
    quire_diag helper;         /* code OK, or why it does not start */
    bool helper_seccomp, helper_landlock;
    bool helper_heif;      /* libheif is there: HEIC and AVIF can be read */
    quire_diag helper_pdf; /* code OK, or why PDF cannot be read */
} quire_system;

/* Starts the helper (NULL: see quire_options) and ends it. */
QUIRE_API void quire_system_probe(const char *decode_helper, quire_system *ret_system);

/* "scalar", "avx2", "avx512vnni", "amx": what kernels run at, after QUIRE_CPU's cap. */
QUIRE_API const char *quire_cpu_level(void);

#ifdef __cplusplus
}
#endif
#endif
