/* Decodes files through the helper, as the pipeline does, for the tests to look at: one line a
 * document, one a page, and the pixels as OUT_DIR/N.pgm, N counting pages from 0 over all files.
 *
 *     decode_pages [--max-pixels N] [--max-pages N] [--timeout-ms N] [--password P]
 *                  [--one-document 1] OUT_DIR FILE...
 *
 * "-" is standard input. Lines: `document TYPE PAGES`, `page W H DPI DECODE_BYTES`,
 * `error CODE TEXT`. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode/decoder.h"

typedef struct options {
    qi_decoder_limits limits;
    bool one_document; /* a helper for each */
    uint64_t timeout_ns;
    const char *password;
    const char *out_dir;
    unsigned n_written;
} options;

static void report(const quire_diag *diag) {
    printf("error %s %s\n", quire_err_name(diag->code), diag->text);
}

static void write_page(options *o, const qi_grey *g) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%u.pgm", o->out_dir, o->n_written++);
    FILE *f = fopen(path, "wb");
    if (!f) exit(99);
    fprintf(f, "P5\n%u %u\n255\n", g->width, g->height);
    for (uint32_t y = 0; y < g->height; y++)
        fwrite(qi_grey_row(g, y), 1, g->width, f);
    fclose(f);
}

static void decode_file(qi_decoder *decoder, options *o, const char *path) {
    quire_diag diag;
    qi_deadline deadline = {.at_ns = o->timeout_ns ? qi_clock_ns() + o->timeout_ns : 0};
    int fd = strcmp(path, "-") == 0 ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) exit(98);
    qi_document_info info;
    quire_err e = qi_decoder_open(decoder, fd, path, o->password, &deadline, &info, &diag);
    if (fd > 0) close(fd);
    if (e) {
        report(&diag);
        return;
    }
    printf("document %s %u\n", info.media_type, info.n_pages);
    for (uint32_t i = 0; i < info.n_pages; i++) {
        qi_page_info page;
        qi_decoded decoded;
        e = qi_decoder_page_info(decoder, i, &deadline, &page, &diag);
        if (!e) e = qi_decoder_page(decoder, i, &deadline, &decoded, &diag);
        if (e) {
            report(&diag);
            continue;
        }
        printf("page %u %u %.2f %llu\n", page.width_px, page.height_px, (double)page.dpi,
               (unsigned long long)page.decode_bytes);
        write_page(o, &decoded.grey);
        qi_decoded_done(&decoded);
    }
    qi_decoder_close(decoder);
}

int main(int argc, char **argv) {
    options o = {.limits = {.max_pixels = 200000000}};
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--max-pixels")) o.limits.max_pixels = value;
        if (!strcmp(argv[i], "--max-pages")) o.limits.max_pages = (uint32_t)value;
        if (!strcmp(argv[i], "--one-document")) o.one_document = value;
        if (!strcmp(argv[i], "--password")) o.password = argv[i + 1];
        if (!strcmp(argv[i], "--timeout-ms")) o.timeout_ns = value * 1000000;
    }
    if (i + 1 >= argc) return 97;
    o.out_dir = argv[i++];
    qi_decoder *decoder;
    quire_diag diag;
    qi_helper_templates *templates = o.one_document ? qi_helper_templates_new() : NULL;
    if (qi_decoder_new(NULL, &o.limits, &decoder, &diag)) {
        report(&diag);
        return 1;
    }
    qi_decoder_use_templates(decoder, templates);
    for (; i < argc; i++)
        decode_file(decoder, &o, argv[i]);
    qi_decoder_free(decoder);
    qi_helper_templates_free(templates);
    return 0;
}
