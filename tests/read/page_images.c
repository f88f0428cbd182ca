/* Reads files with images of their pages, for the tests to look at: OUT_DIR/N.webp, N counting
 * pages from 0 over all files, and a line each: width and height of the page, then of the image,
 * where the text comes from, words.
 *
 *     page_images OUT_DIR MAX_PX FILE... */
#include <stdio.h>
#include <stdlib.h>

#include "quire/quire.h"

static int fail(const char *text) {
    fprintf(stderr, "%s\n", text);
    return 1;
}

static int write_image(const char *folder, unsigned n, const quire_page *p) {
    char path[4096];
    const quire_image *image = p->image;
    if (p->error || !image) return fail(quire_err_text(p->error ? p->error : p->image_error));
    snprintf(path, sizeof path, "%s/%u.webp", folder, n);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(image->bytes, 1, image->n_bytes, f) != image->n_bytes || fclose(f))
        return fail(path);
    if (!image->encode_ns) return fail("encoding took no time");
    printf("%u %u %u %u %s %u\n", p->width_px, p->height_px, image->width_px, image->height_px,
           quire_text_source_name(p->text_source), p->n_words);
    return 0;
}

int main(int argc, char **argv) {
    quire_options options;
    quire_request request;
    quire_reader *reader;
    quire_diag diag;
    if (argc < 4) return 97;
    quire_options_init(&options);
    quire_request_init(&request);
    request.want_image = true;
    request.image_max_px = (uint32_t)strtoul(argv[2], NULL, 10);
    options.jobs = 2;
    options.one_document_helpers = request.image_max_px > 0; /* so both are tried */
    if (quire_reader_open(&options, &reader, &diag)) return fail(diag.text);
    for (int i = 3; i < argc; i++)
        if (quire_reader_add_file(reader, argv[i], &request, NULL, &diag)) return fail(diag.text);
    quire_item item;
    int status = 0;
    for (unsigned n = 0; quire_reader_next(reader, &item), item.kind != QUIRE_ITEM_IDLE;) {
        if (item.kind == QUIRE_ITEM_PAGE) status |= write_image(argv[1], n++, item.page);
        if (item.error) status = fail(item.diag.text);
        quire_item_done(&item);
    }
    quire_reader_close(reader);
    return status;
}
