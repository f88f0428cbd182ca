/* Documents and pages on request; see server.h. */
#include "decode/helper/server.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decode/embedding.h"
#include "decode/helper/embed_pixels.h"
#include "decode/helper/orient.h"
#include "decode/helper/png_encoder.h"
#include "decode/helper/sniff.h"
#include "decode/helper/webp_encoder.h"

enum { MIN_DPI = 70, MAX_DPI = 4800 };

static void close_document(qi_server *s) {
    if (s->codec) s->codec->close(s->state);
    if (s->input.bytes) munmap((void *)s->input.bytes, s->input.n_bytes);
    explicit_bzero(s->password, sizeof s->password);
    *s = (qi_server){.program = s->program, .heif = s->heif};
}

void qi_server_done(qi_server *server) {
    close_document(server);
}

/* By the bare system call: the library's fstat goes by a path, which the sandbox forbids. */
static bool file_size(int descriptor, size_t *ret) {
    struct stat st;
    if (syscall(SYS_fstat, descriptor, &st) || !S_ISREG(st.st_mode) || st.st_size < 0) return false;
    *ret = (size_t)st.st_size;
    return true;
}

static quire_err map_input(qi_server *s, int descriptor, quire_diag *diag) {
    size_t n;
    if (!file_size(descriptor, &n)) return qi_fail(diag, QUIRE_ERR_IO, "it is not a regular file");
    if (n == 0)
        return qi_fail(diag, QUIRE_ERR_EMPTY, "it is empty (0 bytes); copy or scan it again");
    void *bytes = mmap(NULL, n, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) return qi_fail(diag, QUIRE_ERR_IO, "it cannot be mapped into memory");
    s->input = (qi_input){.bytes = bytes, .n_bytes = n, .heif = s->heif};
    return QUIRE_ERR_OK;
}

static quire_err identify(qi_server *s, quire_diag *diag) {
    const char *foreign;
    s->format = qi_sniff(&s->input, &foreign);
    if (s->format) return QUIRE_ERR_OK;
    if (foreign)
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s are not supported; convert it to PNG or TIFF", foreign);
    return qi_fail(
        diag, QUIRE_ERR_UNSUPPORTED,
        "not a type that quire reads (PDF, JPEG, PNG, TIFF, WebP, HEIC, AVIF, BMP, PNM); "
        "convert it to PNG");
}

static quire_err open_document(qi_server *s, const qi_request *request, int descriptor,
                               qi_reply *reply, quire_diag *diag) {
    close_document(s);
    s->max_pixels = request->max_pixels;
    quire_err e = map_input(s, descriptor, diag);
    if (!e) e = identify(s, diag);
    if (e) return e;
    const qi_codec *codec = s->program->codecs[s->format];
    if (!codec || (codec == &qi_codec_heif && !s->heif)) {
        close_document(s);
        reply->needs = codec ? QI_HELPER_HEIF : s->program->others;
        return QUIRE_ERR_OK;
    }
    bool must_rewrite = false;
    s->codec = codec;
    memcpy(s->password, request->password, sizeof s->password);
    s->input.password = s->password;
    s->input.want_pdf = request->want_pdf;
    e = s->codec->open(&s->input, &s->state, &s->n_pages, diag);
    if (e) return e;
    if (request->max_pages && s->n_pages > request->max_pages)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "%u pages, the limit is %u; split it", s->n_pages,
                       request->max_pages);
    reply->format = s->format;
    reply->n_pages = s->n_pages;
    if (s->input.want_pdf && codec->original)
        codec->original(s->state, &reply->original, &must_rewrite);
    reply->must_rewrite = must_rewrite;
    return QUIRE_ERR_OK;
}

static float plausible_dpi(const qi_measure *m) {
    double dpi = m->dpi_x > 0 && m->dpi_y > 0 ? sqrt(m->dpi_x * m->dpi_y) : m->dpi_x;
    return isfinite(dpi) && dpi >= MIN_DPI && dpi <= MAX_DPI ? (float)dpi : 0;
}

static quire_err measure_page(qi_server *s, uint32_t page, qi_measure *ret, quire_diag *diag) {
    if (!s->codec || page >= s->n_pages)
        return qi_fail(diag, QUIRE_ERR_HELPER, "there is no page %u", page + 1);
    qi_measure m;
    quire_err e = s->codec->measure(s->state, page, &m, diag);
    if (e) return e;
    uint64_t pixels = (uint64_t)m.width_px * m.height_px;
    if (!pixels)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the image is damaged (%u x %u pixels); copy it again", m.width_px,
                       m.height_px);
    if (pixels > s->max_pixels)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                       "%u x %u pixels, the limit is %llu; raise --max-pixels if you trust it",
                       m.width_px, m.height_px, (unsigned long long)s->max_pixels);
    if (m.orientation != 1) m.decode_bytes += pixels;
    *ret = m;
    return QUIRE_ERR_OK;
}

/* In how many channels the page is stored where it is decoded for the PDF. */
static uint32_t channels(const qi_server *s, const qi_measure *m) {
    return m->is_grey || !s->codec->colour ? 1 : 3;
}

/* What _embed takes: as the page is, or its pixels. */
static void embed_needs(const qi_server *s, const qi_measure *m, qi_reply *reply) {
    reply->embed_bytes = sizeof(qi_embedding) + m->embed_bytes;
    reply->embed_decode_bytes = m->decode_bytes;
    if (m->embed_bytes) return;
    uint32_t n = channels(s, m);
    reply->embed_bytes += qi_embed_pixels_bytes(m->width_px, m->height_px, n);
    reply->embed_decode_bytes = (n == 1 ? m->decode_bytes : m->colour_bytes) +
                                (uint64_t)m->width_px * m->height_px * n +
                                qi_embed_pixels_work_bytes(m->width_px, m->height_px, n);
}

static quire_err measure(qi_server *s, const qi_request *request, qi_reply *reply,
                         quire_diag *diag) {
    qi_measure m;
    quire_err e = measure_page(s, request->page, &m, diag);
    if (e) return e;
    bool turned = m.orientation >= 5;
    reply->width_px = turned ? m.height_px : m.width_px;
    reply->height_px = turned ? m.width_px : m.height_px;
    reply->dpi = plausible_dpi(&m);
    reply->decode_bytes = m.decode_bytes;
    reply->text_bytes = m.text_bytes;
    embed_needs(s, &m, reply);
    return QUIRE_ERR_OK;
}

/* Stores the page as it is, or its pixels. */
static quire_err fill(qi_server *s, uint32_t page, const qi_measure *m, qi_embed *out,
                      quire_diag *diag) {
    if (m->embed_bytes) return s->codec->embed(s->state, page, out, diag);
    uint32_t n_channels = channels(s, m);
    size_t n;
    if (__builtin_mul_overflow((size_t)m->width_px * n_channels, (size_t)m->height_px, &n))
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "its pixels are too many");
    uint8_t *px = calloc(1, n);
    if (!px)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "not enough memory to decode it; use fewer --jobs");
    qi_grey grey = {.px = px, .width = m->width_px, .height = m->height_px, .stride = m->width_px};
    qi_rgb rgb = {.px = px, .width = m->width_px, .height = m->height_px};
    quire_err e = n_channels == 1 ? s->codec->decode(s->state, page, &grey, diag)
                                  : s->codec->colour(s->state, page, &rgb, diag);
    if (!e) e = n_channels == 1 ? qi_embed_grey(&grey, out, diag) : qi_embed_rgb(&rgb, out, diag);
    free(px);
    return e;
}

static float plausible_one(double dpi) {
    return isfinite(dpi) && dpi >= MIN_DPI / 2.0 && dpi <= MAX_DPI ? (float)dpi : 0;
}

static quire_err embed(qi_server *s, const qi_request *request, int descriptor, qi_reply *reply,
                       quire_diag *diag) {
    qi_measure m;
    quire_err e = measure_page(s, request->page, &m, diag);
    if (e) return e;
    size_t granted, n = (size_t)request->room_bytes;
    if (!file_size(descriptor, &granted) || granted < n || n < sizeof(qi_embedding))
        return qi_fail(diag, QUIRE_ERR_HELPER, "the memory granted is too small for its image");
    uint8_t *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (map == MAP_FAILED)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to map its image; use fewer --jobs");
    quire_pdf_page *head = &((qi_embedding *)map)->page;
    bool known = plausible_dpi(&m) > 0;
    *head = (quire_pdf_page){.kind = QUIRE_PDF_IMAGE,
                             .columns = m.width_px,
                             .rows = m.height_px,
                             .orientation = (uint32_t)m.orientation,
                             .dpi_x = known ? plausible_one(m.dpi_x) : 0,
                             .dpi_y = known ? plausible_one(m.dpi_y) : 0,
                             .colour_transform = -1};
    qi_embed out = {
        .head = head, .bytes = map + sizeof(qi_embedding), .capacity = n - sizeof(qi_embedding)};
    e = fill(s, request->page, &m, &out, diag);
    reply->n_bytes = sizeof(qi_embedding) + head->n_covered * sizeof(quire_box) + head->n_bytes;
    munmap(map, n);
    return e;
}

/* Writes the document that is open anew. */
static quire_err rewrite(qi_server *s, const qi_request *request, int descriptor, qi_reply *reply,
                         quire_diag *diag) {
    size_t granted, n = (size_t)request->room_bytes;
    if (!s->codec || !s->codec->rewrite || !file_size(descriptor, &granted) || granted < n)
        return qi_fail(diag, QUIRE_ERR_HELPER, "it cannot be written anew");
    uint8_t *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (map == MAP_FAILED) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to write it anew");
    size_t used = 0;
    quire_err e =
        s->codec->rewrite(s->state, request->kind == QI_MESSAGE_ARCHIVE, map, n, &used, diag);
    reply->n_bytes = used;
    munmap(map, n);
    return e;
}

static quire_err decode_turned(qi_server *s, const qi_request *request, const qi_measure *m,
                               const qi_grey *out, quire_diag *diag) {
    qi_grey stored = {.width = m->width_px, .height = m->height_px, .stride = m->width_px};
    stored.px = calloc(m->height_px, m->width_px);
    if (!stored.px)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "not enough memory to decode it; use fewer --jobs");
    quire_err e = s->codec->decode(s->state, request->page, &stored, diag);
    if (!e) qi_orient(&stored, m->orientation, out);
    free(stored.px);
    return e;
}

static quire_err decode(qi_server *s, const qi_request *request, int descriptor, quire_diag *diag) {
    qi_measure m;
    quire_err e = measure_page(s, request->page, &m, diag);
    if (e) return e;
    bool turned = m.orientation >= 5;
    qi_grey out = {.width = turned ? m.height_px : m.width_px,
                   .height = turned ? m.width_px : m.height_px};
    size_t granted, n = qi_pixels_bytes(out.width, out.height, &out.stride);
    if (out.width != request->width_px || out.height != request->height_px)
        return qi_fail(diag, QUIRE_ERR_IO, "the file changed while it was read; try again");
    if (!n || !file_size(descriptor, &granted) || granted < n)
        return qi_fail(diag, QUIRE_ERR_HELPER, "the memory granted is too small for its pixels");
    void *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (map == MAP_FAILED)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to map its pixels; use fewer --jobs");
    out.px = map;
    e = m.orientation == 1 ? s->codec->decode(s->state, request->page, &out, diag)
                           : decode_turned(s, request, &m, &out, diag);
    munmap(map, n);
    return e;
}

static quire_err text(qi_server *s, const qi_request *request, int descriptor, quire_diag *diag) {
    qi_measure m;
    quire_err e = measure_page(s, request->page, &m, diag);
    if (e) return e;
    size_t granted;
    if (!s->codec->text || m.width_px != request->width_px || m.height_px != request->height_px)
        return qi_fail(diag, QUIRE_ERR_IO, "the file changed while it was read; try again");
    if (!file_size(descriptor, &granted) || granted < sizeof(qi_text_area))
        return qi_fail(diag, QUIRE_ERR_HELPER, "the memory granted is too small for its text");
    qi_text_area *area =
        mmap(NULL, sizeof *area, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (area == MAP_FAILED)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to map its text; use fewer --jobs");
    e = s->codec->text(s->state, request->page, &m, request->with_ink, area, diag);
    munmap(area, sizeof *area);
    return e;
}

/* Maps pixels and the room after them. */
static quire_err map_room(size_t pixel_bytes, const qi_request *request, int descriptor,
                          uint8_t **ret_map, quire_diag *diag) {
    size_t granted, whole = pixel_bytes + request->room_bytes; /* a valid request: it fits */
    if (!file_size(descriptor, &granted) || granted < whole)
        return qi_fail(diag, QUIRE_ERR_HELPER, "the memory granted is too small for its pixels");
    uint8_t *map = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (map == MAP_FAILED) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to map its pixels");
    *ret_map = map;
    return QUIRE_ERR_OK;
}

static quire_err encode(const qi_request *request, int descriptor, qi_reply *reply,
                        quire_diag *diag) {
    size_t stride, n_bytes, n = qi_rgb_bytes(request->width_px, request->height_px, &stride);
    uint8_t *map;
    quire_err e = map_room(n, request, descriptor, &map, diag);
    if (e) return e;
    e = qi_png_encode(map, request->width_px, request->height_px, stride, map + n,
                      request->room_bytes, &n_bytes, diag);
    munmap(map, n + request->room_bytes);
    if (!e) reply->n_bytes = n_bytes;
    return e;
}

static quire_err image(const qi_request *request, int descriptor, qi_reply *reply,
                       quire_diag *diag) {
    qi_grey grey = {.width = request->width_px, .height = request->height_px};
    size_t n_bytes, n = qi_pixels_bytes(grey.width, grey.height, &grey.stride);
    quire_err e = map_room(n, request, descriptor, &grey.px, diag);
    if (e) return e;
    e = qi_webp_encode(&grey, request->shrink, grey.px + n, request->room_bytes, &n_bytes, diag);
    munmap(grey.px, n + request->room_bytes);
    if (!e) reply->n_bytes = n_bytes;
    return e;
}

bool qi_server_serve(qi_server *s, const qi_request *request, int descriptor, qi_reply *ret_reply) {
    qi_reply reply = {.version = QI_MESSAGE_VERSION, .kind = request->kind};
    quire_diag diag = {0};
    quire_err e = QUIRE_ERR_OK;
    if (!qi_request_valid(request, descriptor >= 0))
        e = qi_fail(&diag, QUIRE_ERR_HELPER, "the helper was sent an impossible request");
    else if (request->kind == QI_MESSAGE_OPEN)
        e = open_document(s, request, descriptor, &reply, &diag);
    else if (request->kind == QI_MESSAGE_MEASURE)
        e = measure(s, request, &reply, &diag);
    else if (request->kind == QI_MESSAGE_DECODE)
        e = decode(s, request, descriptor, &diag);
    else if (request->kind == QI_MESSAGE_TEXT)
        e = text(s, request, descriptor, &diag);
    else if (request->kind == QI_MESSAGE_ENCODE)
        e = encode(request, descriptor, &reply, &diag);
    else if (request->kind == QI_MESSAGE_IMAGE)
        e = image(request, descriptor, &reply, &diag);
    else if (request->kind == QI_MESSAGE_EMBED)
        e = embed(s, request, descriptor, &reply, &diag);
    else if (request->kind == QI_MESSAGE_REWRITE || request->kind == QI_MESSAGE_ARCHIVE)
        e = rewrite(s, request, descriptor, &reply, &diag);
    else
        close_document(s);
    if (descriptor >= 0) close(descriptor);
    if (e && request->kind == QI_MESSAGE_OPEN) close_document(s);
    reply.error = e;
    snprintf(reply.text, sizeof reply.text, "%s", diag.text);
    *ret_reply = reply;
    return request->kind != QI_MESSAGE_CLOSE;
}
