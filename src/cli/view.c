/* `quire view RESULT.json`: a page of a result's document with what was read drawn over it, as PNG.
 * The document is opened, and the picture encoded, by helpers (quire_page_image_open,
 * quire_png_new).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/overlay.h"
#include "cli/result_file.h"
#include "cli/result_page.h"

enum { MAX_WIDTH = 30000 };

/* The largest picture; what is larger is of no use to look at. */
static const double max_picture_px = 200e6;

/* How much of the page's blackness is left, so that what is drawn stands out; under text. */
static const double ink = 0.6, ink_under_text = 0.2;

typedef struct view_values {
    const char *output, *document, *password;
    uint32_t page, width;
    unsigned layers;
    bool overwrite;
    quire_options options;
} view_values;

static bool parse_page(const char *text, void *field) {
    return qi_take_whole(text, 1, UINT32_MAX, field);
}

static bool parse_width(const char *text, void *field) {
    return qi_take_whole(text, 1, MAX_WIDTH, field);
}

/* In the order of the bits of qi_layer. */
static const char *layer_choice(size_t i) {
    static const char *const names[] = {"blocks", "lines", "words", "order", "text"};
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

static bool parse_layers(const char *text, void *field) {
    unsigned layers = 0;
    for (const char *at = text;; at++) {
        size_t n = strcspn(at, ","), i = 0;
        const char *name;
        while ((name = layer_choice(i)) && (strlen(name) != n || strncmp(name, at, n) != 0))
            i++;
        if (!name) return false;
        layers |= 1u << i;
        at += n;
        if (!*at) break;
    }
    *(unsigned *)field = layers;
    return true;
}

#define FIELD(name) offsetof(view_values, name)

static const qi_option options[] = {
    {"output", 'o', "FILE", FIELD(output), qi_parse_string, "the name of a file, or -",
     "write the picture (PNG) to FILE; - is stdout", .kind = QI_VALUE_FILE},
    {"document", 0, "FILE", FIELD(document), qi_parse_string, "the name of a file, or -",
     "where the document is now", "where the result says it was", .kind = QI_VALUE_FILE},
    {"page", 0, "N", FIELD(page), parse_page, "the number of a page, from 1",
     "view this page of the document", "the first of the result"},
    {"layers", 0, "LIST", FIELD(layers), parse_layers, "a list such as blocks,words",
     "what to draw", "all but text", layer_choice, ','},
    {"width", 0, "PIXELS", FIELD(width), parse_width, "a number of pixels from 1 to 30000",
     "width of the picture", "the page's own"},
    {"password", 0, "TEXT", FIELD(password), qi_parse_string, "the password of a document",
     "open an encrypted document with this (others see a command line: prefer QUIRE_PASSWORD)"},
    {"timeout", 0, "SECONDS", FIELD(options.timeout_ms), qi_parse_seconds,
     "a time such as 90, 1.5s, 2m or 1h", "for the document, and for the picture", "180"},
    {"max-pixels", 0, "N", FIELD(options.max_pixels), qi_parse_count, "a number such as 200m",
     "largest page", "200m"},
    {"overwrite", 0, NULL, FIELD(overwrite), qi_parse_flag, "yes or no",
     "replace a file that exists"},
};

static const qi_example examples[] = {
    {"quire run -f json -o out scan.tif && quire view -o page.png out/scan.tif.json",
     "what was read of the first page"},
};

const qi_option_table qi_view_options = {
    "view",
    "draw a result over its page, to look at",
    "quire view [options] -o FILE RESULT.json",
    "Draws what was read over its page: a picture (PNG) to look at. RESULT.json is what quire run\n"
    "-f json wrote, - for standard input. Words are framed from red (a confidence of 0.5 or less)\n"
    "over amber (0.8) to green (0.95 or more); blocks are numbered in reading order.\n",
    options,
    sizeof options / sizeof *options,
    .operands = QI_VALUE_FILE,
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
};

static quire_err check(const view_values *v, int n_operands, char **operands, quire_diag *diag) {
    if (n_operands != 1)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "view takes one result, a file of quire run -f json; see quire view --help");
    if (!v->output)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "the picture needs a place; give a file with -o FILE, or -o - for standard "
                       "output");
    if (v->document && !strcmp(v->document, "-") && !strcmp(operands[0], "-"))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "standard input can be used once, as the result or by --document -");
    return QUIRE_ERR_OK;
}

/* Whether the picture of the document is that of the page in the result. PDFs are drawn anew, at a
 * resolution that may have changed, so that their shape alone is compared. */
static bool is_same_page(const quire_page *page, const quire_page_image *image) {
    if (strcmp(image->media_type, "application/pdf") != 0)
        return page->width_px == image->width_px && page->height_px == image->height_px;
    double want = (double)page->height_px * image->width_px / page->width_px;
    double tolerance =
        1 + (double)image->width_px / page->width_px + (double)image->height_px / page->height_px;
    return fabs(want - image->height_px) <= tolerance;
}

static quire_err open_image(const view_values *v, const qi_result_page *result,
                            quire_page_image **ret_image, quire_diag *diag) {
    const char *path = v->document ? v->document : result->document;
    char shown[240];
    qi_printable(shown, sizeof shown, path);
    if (!v->document && !strcmp(path, "-"))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "the document came through standard input; say where it is (--document)");
    quire_page_image *image;
    quire_err err =
        quire_page_image_open(path, v->password, result->page.index, &v->options, &image, diag);
    if (err == QUIRE_ERR_NOT_FOUND && !v->document)
        return qi_fail(diag, err,
                       "%s: the document is not where the result says; say where it is "
                       "(--document)",
                       shown);
    if (err) return err;
    if (!is_same_page(&result->page, image)) {
        qi_fail(diag, QUIRE_ERR_NOT_FOUND,
                "%s: page %u has %u x %u pixels and in the result %u x %u; it is another document "
                "or has changed: read it again, or say where the right one is (--document)",
                shown, result->page.index + 1, image->width_px, image->height_px,
                result->page.width_px, result->page.height_px);
        quire_page_image_close(image);
        return diag->code;
    }
    *ret_image = image;
    return QUIRE_ERR_OK;
}

/* Draws page and layers; the page's pixels are let go before the picture is encoded. */
static quire_err draw(const view_values *v, const qi_result_page *result, qi_canvas *ret_canvas,
                      quire_diag *diag) {
    quire_page_image *image;
    quire_err err = open_image(v, result, &image, diag);
    if (err) return err;
    const quire_page *page = &result->page;
    double width = v->width ? v->width : page->width_px;
    double height = fmax(round(width * page->height_px / page->width_px), 1);
    if (width * height > max_picture_px)
        err = qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                      "the picture would have %.0f x %.0f pixels; make it narrower (--width)",
                      width, height);
    if (!err) {
        err = qi_canvas_init(ret_canvas, (uint32_t)width, (uint32_t)height);
        if (!err)
            err =
                qi_canvas_page(ret_canvas, image, v->layers & QI_LAYER_TEXT ? ink_under_text : ink);
        if (err)
            qi_fail(diag, err,
                    "no memory for a picture of %.0f x %.0f pixels; make it narrower "
                    "(--width)",
                    width, height);
    }
    quire_page_image_close(image);
    if (!err) qi_overlay_draw(ret_canvas, page, v->layers);
    return err;
}

static void note_kept(const char *path) {
    char shown[240];
    fprintf(stderr, "quire: %s: exists and is kept; replace it with --overwrite\n",
            qi_printable(shown, sizeof shown, path));
}

static int write_file(const view_values *v, qi_interrupt *interrupt, const quire_png *png) {
    qi_result_file file;
    int e = qi_result_file_open(v->output, false, interrupt, &file);
    if (e) return e;
    e = qi_write_all(file.fd, png->bytes, png->n_bytes);
    if (!e) e = qi_result_file_sync(&file);
    if (!e) return qi_result_file_commit(&file, v->overwrite);
    qi_result_file_discard(&file);
    return e;
}

/* Returns the exit status. */
static int write_picture(const view_values *v, qi_interrupt *interrupt, const quire_png *png,
                         quire_diag *diag) {
    const bool to_stdout = !strcmp(v->output, "-");
    int e = to_stdout ? qi_write_all(1, png->bytes, png->n_bytes) : write_file(v, interrupt, png);
    if (!e) return 0;
    if (to_stdout && e == EPIPE) return QI_EXIT_PIPE;
    if (!to_stdout && e == EEXIST) { /* it appeared meanwhile */
        note_kept(v->output);
        return 0;
    }
    char shown[240];
    qi_printable(shown, sizeof shown, to_stdout ? "standard output" : v->output);
    qi_fail(diag, QUIRE_ERR_WRITE, "%s: cannot be written: %s; %s", shown, strerror(e),
            e == ENOSPC || e == EDQUOT ? "make room and run again"
            : to_stdout                ? "the picture is not complete"
                                       : "check its folder and permissions");
    return qi_command_fail(diag);
}

/* Reads, draws, encodes. */
static quire_err make_picture(const view_values *v, const char *result_path, quire_png **ret_png,
                              quire_diag *diag) {
    qi_result_page result;
    qi_canvas canvas = {0};
    quire_err err = qi_result_page_load(result_path, v->page, &result, diag);
    if (err) return err;
    err = draw(v, &result, &canvas, diag);
    if (!err)
        err = quire_png_new(canvas.rgb, canvas.width_px, canvas.height_px, canvas.stride_bytes,
                            &v->options, ret_png, diag);
    qi_canvas_done(&canvas);
    qi_result_page_done(&result);
    return err;
}

static int view(const view_values *v, const char *result_path, quire_diag *diag) {
    struct stat st;
    if (strcmp(v->output, "-") != 0 && !v->overwrite && !lstat(v->output, &st)) {
        note_kept(v->output);
        return 0;
    }
    qi_interrupt *interrupt = NULL;
    quire_png *png = NULL;
    quire_err err = qi_interrupt_start(&interrupt, diag);
    if (!err) err = make_picture(v, result_path, &png, diag);
    int status = err ? qi_command_fail(diag) : write_picture(v, interrupt, png, diag);
    quire_png_free(png);
    qi_interrupt_stop(interrupt);
    return status;
}

int qi_command_view(int argc, char **argv) {
    view_values values = {.layers =
                              QI_LAYER_BLOCKS | QI_LAYER_LINES | QI_LAYER_WORDS | QI_LAYER_ORDER};
    quire_options_init(&values.options);
    quire_diag diag;
    int first;
    qi_parse_result parsed =
        qi_options_parse(&qi_view_options, argc, argv, &values, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG || check(&values, argc - first, argv + first, &diag))
        return qi_command_fail(&diag);
    return view(&values, argv[first], &diag);
}
