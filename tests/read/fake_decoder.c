/* A decoder of fake documents; see fakes.h. The page's script travels in its pixels. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode/decoder.h"
#include "fake_script.h"
#include "fakes.h"

fake_counts fakes;

struct qi_decoder {
    fake_script script;
    bool want_image;
    bool is_open;
    int source;
    char name[256];
};

void fake_work(unsigned microseconds) {
    int n = atomic_fetch_add(&fakes.inside, 1) + 1, most = atomic_load(&fakes.most_inside);
    while (n > most && !atomic_compare_exchange_weak(&fakes.most_inside, &most, n))
        continue;
    if (microseconds) usleep(microseconds);
    atomic_fetch_sub(&fakes.inside, 1);
}

static void parse(const char *text, fake_script *ret) {
    static const struct {
        const char *name;
        size_t offset;
    } keys[] = {
#define KEY(k) {" " #k "=", offsetof(fake_script, k)}
        KEY(pages),     KEY(w),         KEY(h),       KEY(lines),     KEY(width),    KEY(bytes),
        KEY(bad),       KEY(dies),      KEY(hangs),   KEY(badbits),   KEY(nolayout), KEY(turned),
        KEY(decode_us), KEY(layout_us), KEY(line_us), KEY(openfails), KEY(noembed),  KEY(held),
        KEY(text),      KEY(copies),    KEY(noimage), KEY(image),     KEY(helper),   KEY(started),
#undef KEY
    };
    *ret = (fake_script){.pages = 1, .w = 100, .h = 100, .lines = 3, .width = 100};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *at = strstr(text, keys[i].name);
        if (!at) continue;
        *(unsigned long *)((char *)ret + keys[i].offset) =
            strtoul(at + strlen(keys[i].name), NULL, 10);
    }
}

quire_err qi_decoder_new(const char *helper_path, const qi_decoder_limits *limits,
                         qi_decoder **ret_decoder, quire_diag *diag) {
    if (helper_path && strcmp(helper_path, "none") == 0)
        return qi_fail(diag, QUIRE_ERR_MISSING, "none: the decoding helper is not there");
    qi_decoder *d = calloc(1, sizeof *d);
    if (!d) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a decoder");
    *ret_decoder = d;
    atomic_fetch_add(&fakes.decoders, 1);
    return QUIRE_ERR_OK;
}

void qi_decoder_use_templates(qi_decoder *decoder, qi_helper_templates *templates) {}

void qi_decoder_free(qi_decoder *d) {
    if (!d) return;
    qi_decoder_close(d);
    atomic_fetch_sub(&fakes.decoders, 1);
    free(d);
}

quire_err qi_decoder_open(qi_decoder *d, int fd, const char *name, const char *password,
                          const qi_deadline *deadline, qi_document_info *ret_info,
                          quire_diag *diag) {
    char text[512];
    fake_work(0);
    if (lseek(fd, 0, SEEK_CUR) != 0)
        return qi_fail(diag, QUIRE_ERR_IO, "%s: %s", name, strerror(errno));
    ssize_t n = pread(fd, text, sizeof text - 1, 0); /* drivers may share it */
    text[n > 0 ? n : 0] = 0;
    if (n == 0) return qi_fail(diag, QUIRE_ERR_EMPTY, "%s: it is empty", name);
    if (strncmp(text, "FAKE", 4) != 0)
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED, "%s: not a fake document", name);
    parse(text, &d->script);
    if (d->script.openfails) return qi_fail(diag, QUIRE_ERR_CORRUPT, "%s: it is damaged", name);
    snprintf(d->name, sizeof d->name, "%s", name);
    d->is_open = true;
    d->source = dup(fd);
    atomic_fetch_add(&fakes.documents_open, 1);
    atomic_fetch_add(&fakes.documents_opened, 1);
    *ret_info = (qi_document_info){.media_type = "image/fake",
                                   .n_pages = (uint32_t)d->script.pages,
                                   .may_have_text = d->script.text,
                                   .pages_bytes = d->script.held,
                                   .source = d->source};
    return QUIRE_ERR_OK;
}

void qi_decoder_close(qi_decoder *d) {
    if (!d->is_open) return;
    atomic_fetch_sub(&fakes.documents_open, 1);
    close(d->source);
    d->is_open = false;
}

quire_err qi_decoder_page_info(qi_decoder *d, uint32_t page, const qi_deadline *deadline,
                               qi_page_info *ret_info, quire_diag *diag) {
    fake_work(0);
    *ret_info = (qi_page_info){.width_px = (uint32_t)d->script.w,
                               .height_px = (uint32_t)d->script.h,
                               .dpi = 300,
                               .decode_bytes = d->script.bytes,
                               .image_room_bytes = d->want_image ? d->script.image : 0,
                               .image_work_bytes = d->want_image ? d->script.image : 0};
    return QUIRE_ERR_OK;
}

quire_err qi_decoder_page(qi_decoder *d, uint32_t page, const qi_deadline *deadline,
                          qi_decoded *ret_decoded, quire_diag *diag) {
    const fake_script *s = &d->script;
    fake_work((unsigned)s->decode_us);
    if (page + 1 == s->dies) return qi_fail(diag, QUIRE_ERR_HELPER, "%s: the helper died", d->name);
    if (page + 1 == s->bad || (page < 64 && s->badbits >> page & 1))
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "%s: it is damaged", d->name);
    while (page + 1 == s->hangs) {
        quire_err err = qi_deadline_check(deadline);
        if (err) return qi_fail(diag, err, "%s: %s", d->name, quire_err_text(err));
        usleep(1000);
    }
    size_t n = s->w * s->h;
    fake_pixels *pixels = calloc(1, n > sizeof *pixels ? n : sizeof *pixels);
    if (!pixels) return QUIRE_ERR_NO_MEMORY;
    pixels->page = s->copies ? 0 : page;
    pixels->script = *s;
    pixels->script.helper = pixels->script.started = 0; /* the same pixels, whoever decodes them */
    snprintf(pixels->name, sizeof pixels->name, "%s", d->name);
    atomic_fetch_add(&fakes.decoded, 1);
    *ret_decoded = (qi_decoded){.grey = {(uint8_t *)pixels, (uint32_t)s->w, (uint32_t)s->h, s->w},
                                .map = pixels,
                                .map_bytes = sizeof *pixels,
                                .helper = {(pid_t)s->helper, s->started},
                                .helper_ns = 1000};
    return QUIRE_ERR_OK;
}

quire_err qi_decoder_text(qi_decoder *d, uint32_t page, bool with_ink, const qi_deadline *deadline,
                          qi_text_layer **ret_layer, uint64_t *ret_helper_ns, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_HELPER, "%s: fake documents have no text layer", d->name);
}

void qi_text_layer_free(qi_text_layer *layer) {
    free(layer);
}

void qi_decoded_done(qi_decoded *decoded) {
    atomic_fetch_sub(&fakes.decoded, 1);
    free(decoded->map);
    *decoded = (qi_decoded){0};
}

void qi_decoder_want_pdf(qi_decoder *decoder, bool want, bool as_pdf_a,
                         uint64_t max_rewrite_bytes) {}

/* The page's number and size, as a PDF would have it. */
quire_err qi_decoder_embed(qi_decoder *d, uint32_t page, const qi_deadline *deadline,
                           qi_embedded *ret_embedded, quire_diag *diag) {
    fake_work(0);
    if (page + 1 == d->script.noembed)
        return qi_fail(diag, QUIRE_ERR_HELPER, "%s: the helper died", d->name);
    uint8_t *bytes = malloc(1);
    if (!bytes) return QUIRE_ERR_NO_MEMORY;
    *bytes = (uint8_t)page;
    atomic_fetch_add(&fakes.embedded, 1);
    *ret_embedded = (qi_embedded){.page = {.kind = QUIRE_PDF_IMAGE, .bytes = bytes, .n_bytes = 1},
                                  .map = bytes,
                                  .map_bytes = 1};
    return QUIRE_ERR_OK;
}

void qi_embedded_done(qi_embedded *embedded) {
    if (embedded->map) atomic_fetch_sub(&fakes.embedded, 1);
    free(embedded->map);
    *embedded = (qi_embedded){0};
}

void qi_decoder_want_image(qi_decoder *d, uint32_t max_px) {
    d->want_image = max_px > 0;
}

/* The page's number, as its image. */
quire_err qi_decoder_image(qi_decoder *d, const qi_decoded *page, const qi_deadline *deadline,
                           qi_image_file *ret_file, quire_diag *diag) {
    const fake_pixels *pixels = page->map;
    fake_work(0);
    if (pixels->page + 1 == d->script.noimage)
        return qi_fail(diag, QUIRE_ERR_HELPER, "%s: the helper died", d->name);
    uint8_t *bytes = malloc(1);
    if (!bytes) return QUIRE_ERR_NO_MEMORY;
    *bytes = (uint8_t)pixels->page;
    atomic_fetch_add(&fakes.images, 1);
    *ret_file = (qi_image_file){
        .bytes = bytes, .n_bytes = 1, .width_px = 50, .height_px = 60, .helper_ns = 700};
    return QUIRE_ERR_OK;
}

void qi_image_file_done(qi_image_file *file) {
    if (file->bytes) atomic_fetch_sub(&fakes.images, 1);
    free(file->bytes);
    *file = (qi_image_file){0};
}
