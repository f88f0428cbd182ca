/* The decoder's public face: documents and pages over a helper that may die at any time; see
 * decoder.h. The input stays open here, so that a page that killed the helper costs only itself:
 * the next one starts a new helper and hands it the input again. */
#include "decode/decoder_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "decode/helper_folder.h"
#include "decode/source.h"

/* Poppler and cairo keep what they learned of every page, and fonts: a helper that has grown by so
 * much since its first page of a PDF is followed by another. That one has to find its way to the
 * page at hand, which takes seconds in a PDF of 100,000, so helpers are not changed after a number
 * of pages. Where growth cannot be seen, a page counts as so much. */
#define PDF_GROWTH_BYTES  (UINT64_C(32) << 20)
#define PDF_LEARNED_BYTES (UINT64_C(128) << 10)

/* What checking a PDF for PDF/A takes beside: the content of a page. */
#define CHECK_BYTES (UINT64_C(24) << 20)

/* What a helper keeps of each page of a PDF up to the one at hand, as is usual and at most; of more
 * than MANY_PAGES, which a document may only say it has, it gets no memory to do so. */
enum { MANY_PAGES = 1 << 17, PAGE_BYTES = 2304, PAGE_MOST_BYTES = 4096 };

static char *beside_program(void) {
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0) return NULL;
    exe[n] = 0;
    char *slash = strrchr(exe, '/');
    char *path = NULL;
    if (!slash || asprintf(&path, "%.*s/quire-decode", (int)(slash - exe), exe) < 0) return NULL;
    if (access(path, X_OK) == 0) return path;
    free(path);
    return NULL;
}

/* What was given, or the helper beside the program or where helpers are installed. */
static char *find_helper(const char *given) {
    if (given && *given) return strdup(given);
    char *path = beside_program();
    if (path) return path;
    return asprintf(&path, "%s/quire-decode", qi_helper_folder) < 0 ? NULL : path;
}

quire_err qi_decoder_new(const char *helper_path, const qi_decoder_limits *limits,
                         qi_decoder **ret_decoder, quire_diag *diag) {
    qi_decoder *d = calloc(1, sizeof *d);
    if (d) {
        d->source = -1;
        if (!helper_path || !*helper_path) helper_path = getenv("QUIRE_DECODE");
        d->path = find_helper(helper_path);
        if (d->path && asprintf(&d->pdf_path, "%s" QI_HELPER_PDF_SUFFIX, d->path) < 0)
            d->pdf_path = NULL;
    }
    if (!d || !d->path || !d->pdf_path) {
        qi_decoder_free(d);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a decoder");
    }
    d->limits = *limits;
    if (access(d->path, X_OK)) {
        char path[QI_DECODER_NAME_BYTES];
        quire_err e = qi_fail(diag, QUIRE_ERR_MISSING,
                              "%s: the decoding helper is not there: %s; install quire-decode "
                              "beside quire or set QUIRE_DECODE",
                              qi_printable(path, sizeof path, d->path), strerror(errno));
        qi_decoder_free(d);
        return e;
    }
    *ret_decoder = d;
    return QUIRE_ERR_OK;
}

void qi_decoder_use_templates(qi_decoder *d, qi_helper_templates *templates) {
    d->templates = templates;
}

/* Ends all that may hold something of a document: its helper, and memory that was shared with it.
 * Pages that are still in use keep theirs. */
static void forget(qi_decoder *d) {
    qi_helper_stop(&d->helper);
    if (d->text.map) qi_pixels_give_back(d->pool, &d->text);
    d->text = (qi_pixels){0};
    qi_pixel_pool_unref(d->pool);
    d->pool = NULL;
}

void qi_decoder_free(qi_decoder *d) {
    if (!d) return;
    forget(d);
    if (d->source >= 0) close(d->source);
    free(d->path);
    free(d->pdf_path);
    explicit_bzero(d->password, sizeof d->password);
    free(d);
}

void qi_decoder_close(qi_decoder *d) {
    if (d->templates) forget(d);
    if (d->source < 0) return;
    close(d->source);
    d->source = -1;
    if (d->given && d->helper.pid) {
        qi_request r = {.version = QI_MESSAGE_VERSION, .kind = QI_MESSAGE_CLOSE};
        qi_message_send(d->helper.socket, &r, sizeof r, -1);
    }
    d->given = false;
}

quire_err qi_decoder_ensure_helper(qi_decoder *d, qi_helper_kind kind, const qi_deadline *deadline,
                                   quire_diag *diag) {
    /* One that has the HEIC codecs reads all other images too. */
    bool serves =
        d->helper.kind == kind || (kind == QI_HELPER_IMAGES && d->helper.kind == QI_HELPER_HEIF);
    if (qi_helper_alive(&d->helper) && serves) return QUIRE_ERR_OK;
    qi_helper_stop(&d->helper);
    d->given = false;
    const char *path = kind == QI_HELPER_PDF ? d->pdf_path : d->path;
    quire_err e = d->templates ? qi_helper_templates_fork(d->templates, path, kind, deadline,
                                                          &d->helper, diag)
                               : qi_helper_start(&d->helper, path, kind, false, deadline, diag);
    if (e == QUIRE_ERR_TIMEOUT) /* the document's, not the helper's */
        qi_fail(diag, e, "%s: opening took longer than the time limit; raise --timeout", d->name);
    return e;
}

quire_err qi_decoder_start(qi_decoder *d, qi_helper_kind kind, qi_confinement *ret_confinement,
                           quire_diag *diag) {
    quire_err e = qi_decoder_ensure_helper(d, kind, NULL, diag);
    if (e) return e;
    *ret_confinement = (qi_confinement){
        .seccomp = d->helper.confinement & QI_CONFINED_SECCOMP,
        .landlock = d->helper.confinement & QI_CONFINED_LANDLOCK,
        .landlock_abi = d->helper.landlock_abi,
    };
    return QUIRE_ERR_OK;
}

bool qi_decoder_take_pixels(qi_decoder *d, size_t n_bytes, qi_pixels *ret) {
    if (!d->pool) d->pool = qi_pixel_pool_new();
    return d->pool && qi_pixels_take(d->pool, n_bytes, ret);
}

static quire_err give(qi_decoder *d, const qi_deadline *deadline, qi_reply *ret_reply,
                      quire_diag *diag) {
    qi_request request = {.version = QI_MESSAGE_VERSION,
                          .kind = QI_MESSAGE_OPEN,
                          .max_pages = d->limits.max_pages,
                          .max_pixels = d->limits.max_pixels,
                          .want_pdf = d->want_pdf};
    memcpy(request.password, d->password, sizeof request.password);
    uint64_t held = d->source_bytes < QI_SOURCE_MAX_BYTES ? d->source_bytes : QI_SOURCE_MAX_BYTES;
    return qi_helper_call(&d->helper, &request, d->source, held, d->name, deadline, ret_reply,
                          diag);
}

/* Shared memory for the helper to write into, of a fixed size. */
static int granted_memory(uint64_t n_bytes) {
    int memory = memfd_create("quire-granted", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) return -1;
    if (n_bytes <= PTRDIFF_MAX && ftruncate(memory, (off_t)n_bytes) == 0 &&
        fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
        return memory;
    close(memory);
    return -1;
}

/* Puts a file of its true length in the place of what was granted. */
static int exact_copy(int from, uint64_t n_bytes) {
    int to = memfd_create("quire-document", MFD_CLOEXEC);
    off_t at = 0;
    while (to >= 0 && (uint64_t)at < n_bytes) {
        ssize_t n = sendfile(to, from, &at, n_bytes - (uint64_t)at);
        if (n > 0 || (n < 0 && errno == EINTR)) continue;
        close(to);
        to = -1;
    }
    return to;
}

/* Has the PDF that the helper holds written anew, whole and without encryption, and takes that for
 * the document; *ret_rewritten is false where it stays as it is. */
static quire_err rewrite(qi_decoder *d, const qi_deadline *deadline, bool *ret_rewritten,
                         quire_diag *diag) {
    uint64_t granted = d->source_bytes * 2 + (UINT64_C(1) << 20);
    uint64_t needed = granted + (d->want_pdf_a ? CHECK_BYTES : 0);
    if (needed > d->max_rewrite_bytes)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                       "%s: the PDF must be written anew (%s) and is too large for that within the "
                       "memory allowed; allow more (--memory)",
                       d->name, d->want_pdf_a ? "for --pdfa" : "it is damaged or encrypted");
    int memory = granted_memory(granted);
    if (memory < 0)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory to write the PDF anew", d->name);
    qi_request request = {.version = QI_MESSAGE_VERSION,
                          .kind = d->want_pdf_a ? QI_MESSAGE_ARCHIVE : QI_MESSAGE_REWRITE,
                          .room_bytes = granted};
    qi_reply reply;
    quire_err e =
        qi_helper_call(&d->helper, &request, memory, needed * 2, d->name, deadline, &reply, diag);
    int fresh = -1;
    if (!e && reply.n_bytes > granted)
        e = qi_fail(diag, QUIRE_ERR_HELPER, "%s: the decoding helper wrote more than it could",
                    d->name);
    if (!e && reply.n_bytes && (fresh = exact_copy(memory, reply.n_bytes)) < 0)
        e = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory to write the PDF anew", d->name);
    close(memory);
    if (e) return e;
    *ret_rewritten = reply.n_bytes > 0;
    if (!reply.n_bytes) return QUIRE_ERR_OK;
    close(d->source);
    d->source = fresh;
    d->source_bytes = reply.n_bytes;
    explicit_bzero(d->password, sizeof d->password);
    return QUIRE_ERR_OK;
}

/* A helper that dies at its opening, but had
 * served others before, may have been killed meanwhile or carry their damage: a new one is tried.
 */
quire_err qi_decoder_ensure_given(qi_decoder *d, const qi_deadline *deadline, quire_diag *diag) {
    bool reused = qi_helper_alive(&d->helper);
    quire_err e = qi_decoder_ensure_helper(d, d->needs, deadline, diag);
    if (e || d->given) return e;
    qi_reply reply;
    e = give(d, deadline, &reply, diag);
    if (e == QUIRE_ERR_HELPER && reused) {
        e = qi_decoder_ensure_helper(d, d->needs, deadline, diag);
        if (!e) e = give(d, deadline, &reply, diag);
    }
    if (e) return e;
    if (reply.needs) {
        if (d->needs)
            return qi_fail(diag, QUIRE_ERR_HELPER, "%s: the decoding helper has lost its codec",
                           d->name);
        d->needs = reply.needs;
        return qi_decoder_ensure_given(d, deadline, diag);
    }
    d->given = true;
    d->n_measured = 0;
    bool wants_archive = d->want_pdf_a && reply.format == QI_FORMAT_PDF;
    if (((reply.must_rewrite && d->want_pdf) || wants_archive) && !d->is_ready) {
        e = rewrite(d, deadline, &d->rewritten, diag);
        if (e) return e;
        d->is_ready = true;
        d->given = !d->rewritten;
        if (d->rewritten) return qi_decoder_ensure_given(d, deadline, diag);
    }
    d->original = reply.original;
    if (d->want_pdf && reply.format == QI_FORMAT_PDF && !d->original.n_bytes)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "%s: the PDF is damaged so that no text can be added to it; save it again "
                       "with another program",
                       d->name);
    if (d->original.n_bytes && d->original.n_bytes != d->source_bytes)
        return qi_fail(diag, QUIRE_ERR_IO, "%s: the file changed while it was read; try again",
                       d->name);
    d->n_pages = reply.n_pages;
    d->media_type = qi_format_media_type(reply.format);
    d->may_have_text = reply.format == QI_FORMAT_PDF;
    return QUIRE_ERR_OK;
}

static uint64_t many_pages(const qi_decoder *d) {
    return d->n_pages < MANY_PAGES ? d->n_pages : MANY_PAGES;
}

quire_err qi_decoder_open(qi_decoder *d, int fd, const char *name, const char *password,
                          const qi_deadline *deadline, qi_document_info *ret_info,
                          quire_diag *diag) {
    qi_decoder_close(d);
    qi_printable(d->name, sizeof d->name, name);
    d->is_measured = d->is_ready = d->rewritten = false;
    d->needs = QI_HELPER_IMAGES;
    explicit_bzero(d->password, sizeof d->password);
    if (password && strlen(password) >= sizeof d->password)
        return qi_fail(diag, QUIRE_ERR_USAGE, "%s: the password has more than %zu bytes", d->name,
                       sizeof d->password - 1);
    if (password) memcpy(d->password, password, strlen(password));
    quire_err e = qi_source_open(fd, d->name, QI_SOURCE_MAX_BYTES, deadline, &d->source,
                                 &d->source_bytes, diag);
    if (e) return e;
    e = qi_decoder_ensure_given(d, deadline, diag);
    if (e) {
        qi_decoder_close(d);
        return e;
    }
    *ret_info = (qi_document_info){.media_type = d->media_type,
                                   .n_pages = d->n_pages,
                                   .may_have_text = d->may_have_text,
                                   .original = d->original,
                                   .pages_bytes =
                                       d->needs == QI_HELPER_PDF ? many_pages(d) * PAGE_BYTES : 0,
                                   .rewritten_bytes = d->rewritten ? d->source_bytes : 0,
                                   .source = d->source};
    return QUIRE_ERR_OK;
}

/* Whether the helper that holds a PDF has learned so much of it that it is better followed by a new
 * one; asked before each page. */
static bool has_grown(qi_decoder *d) {
    uint64_t now = qi_helper_data_bytes(&d->helper);
    if (d->n_measured == 1) d->began_bytes = now;
    if (!now || !d->began_bytes) return d->n_measured * PDF_LEARNED_BYTES > PDF_GROWTH_BYTES;
    return d->n_measured > 0 && now > d->began_bytes + PDF_GROWTH_BYTES;
}

uint64_t qi_decoder_pages_bytes(const qi_decoder *d) {
    return many_pages(d) * PAGE_MOST_BYTES;
}

static quire_err check_page(const qi_decoder *d, uint32_t page, quire_diag *diag) {
    if (d->source < 0 || page >= d->n_pages)
        return qi_fail(diag, QUIRE_ERR_USAGE, "%s: there is no page %u", d->name, page + 1);
    return QUIRE_ERR_OK;
}

quire_err qi_decoder_page_info(qi_decoder *d, uint32_t page, const qi_deadline *deadline,
                               qi_page_info *ret_info, quire_diag *diag) {
    quire_err e = check_page(d, page, diag);
    if (e) return e;
    if (!d->is_measured || d->measured_page != page) {
        if (d->needs == QI_HELPER_PDF && d->given && has_grown(d))
            qi_helper_stop(&d->helper); /* ensure_given starts the next */
        e = qi_decoder_ensure_given(d, deadline, diag);
        if (e) return e;
        d->n_measured++;
        qi_request request = {
            .version = QI_MESSAGE_VERSION, .kind = QI_MESSAGE_MEASURE, .page = page};
        qi_reply reply;
        e = qi_helper_call(&d->helper, &request, -1, qi_decoder_pages_bytes(d), d->name, deadline,
                           &reply, diag);
        if (e) return e;
        uint64_t pixels = (uint64_t)reply.width_px * reply.height_px;
        if (pixels > d->limits.max_pixels)
            return qi_fail(diag, QUIRE_ERR_HELPER,
                           "%s: the decoding helper passed a page over the "
                           "limit of pixels",
                           d->name);
        d->measured = (qi_page_info){.width_px = reply.width_px,
                                     .height_px = reply.height_px,
                                     .dpi = reply.dpi,
                                     .decode_bytes = reply.decode_bytes,
                                     .text_bytes = reply.text_bytes,
                                     .embed_bytes = reply.embed_bytes,
                                     .embed_decode_bytes = reply.embed_decode_bytes};
        qi_decoder_measure_image(d, &d->measured);
        d->measured_page = page;
        d->is_measured = true;
    }
    *ret_info = d->measured;
    return QUIRE_ERR_OK;
}

quire_err qi_decoder_page(qi_decoder *d, uint32_t page, const qi_deadline *deadline,
                          qi_decoded *ret_decoded, quire_diag *diag) {
    qi_page_info info;
    quire_err e = qi_decoder_page_info(d, page, deadline, &info, diag);
    if (!e) e = qi_decoder_ensure_given(d, deadline, diag);
    if (e) return e;
    size_t stride = 0, n = qi_pixels_bytes(info.width_px, info.height_px, &stride);
    qi_pixels pixels;
    if (!n || !qi_decoder_take_pixels(d, n + info.image_room_bytes, &pixels))
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory for %u x %u pixels", d->name,
                       info.width_px, info.height_px);
    qi_request request = {.version = QI_MESSAGE_VERSION,
                          .kind = QI_MESSAGE_DECODE,
                          .page = page,
                          .width_px = info.width_px,
                          .height_px = info.height_px,
                          .stride_bytes = stride};
    uint64_t before = qi_helper_cpu_ns(&d->helper);
    qi_reply reply;
    e = qi_helper_call(&d->helper, &request, pixels.memory,
                       info.decode_bytes + qi_decoder_pages_bytes(d), d->name, deadline, &reply,
                       diag);
    if (e) {
        qi_pixels_give_back(d->pool, &pixels);
        return e;
    }
    uint64_t after = qi_helper_cpu_ns(&d->helper);
    *ret_decoded = (qi_decoded){
        .grey = {.px = pixels.map,
                 .width = info.width_px,
                 .height = info.height_px,
                 .stride = stride},
        .map = pixels.map,
        .map_bytes = pixels.n_bytes,
        .memory = pixels.memory,
        .pool = d->pool,
        .helper = {d->helper.pid, d->helper.started_ns},
        .helper_ns = after > before ? after - before : 0,
    };
    return QUIRE_ERR_OK;
}

void qi_decoder_want_pdf(qi_decoder *d, bool want, bool as_pdf_a, uint64_t max_rewrite_bytes) {
    d->want_pdf = want;
    d->want_pdf_a = want && as_pdf_a;
    d->max_rewrite_bytes = max_rewrite_bytes;
}

/* Reads what the helper wrote, once; its bytes stay where they are. */
static quire_err accept(qi_decoder *d, int memory, size_t granted, size_t used,
                        qi_embedded *ret_embedded, quire_diag *diag) {
    if (used > granted || used < sizeof(qi_embedding))
        return qi_fail(diag, QUIRE_ERR_HELPER, "%s: the decoding helper gave an impossible answer",
                       d->name);
    void *map = mmap(NULL, used, PROT_READ, MAP_SHARED, memory, 0);
    if (map == MAP_FAILED)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory for the page's image", d->name);
    qi_embedding copy;
    memcpy(&copy, map, sizeof copy);
    if (!copy.page.kind) { /* the page stays as it is */
        munmap(map, used);
        return QUIRE_ERR_OK;
    }
    if (!qi_embedding_accept(&copy.page, map, used)) {
        munmap(map, used);
        return qi_fail(diag, QUIRE_ERR_HELPER, "%s: the decoding helper gave an impossible answer",
                       d->name);
    }
    *ret_embedded = (qi_embedded){.page = copy.page, .map = map, .map_bytes = used};
    return QUIRE_ERR_OK;
}

quire_err qi_decoder_embed(qi_decoder *d, uint32_t page, const qi_deadline *deadline,
                           qi_embedded *ret_embedded, quire_diag *diag) {
    qi_page_info info;
    quire_err e = qi_decoder_page_info(d, page, deadline, &info, diag);
    if (!e) e = qi_decoder_ensure_given(d, deadline, diag);
    if (e) return e;
    *ret_embedded = (qi_embedded){0};
    if (!info.embed_bytes) return QUIRE_ERR_OK;
    int memory = granted_memory(info.embed_bytes);
    if (memory < 0)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory for the page's image", d->name);
    qi_request request = {.version = QI_MESSAGE_VERSION,
                          .kind = QI_MESSAGE_EMBED,
                          .page = page,
                          .room_bytes = info.embed_bytes};
    qi_reply reply;
    e = qi_helper_call(&d->helper, &request, memory,
                       info.embed_decode_bytes + qi_decoder_pages_bytes(d), d->name, deadline,
                       &reply, diag);
    if (!e) e = accept(d, memory, info.embed_bytes, reply.n_bytes, ret_embedded, diag);
    close(memory);
    return e;
}

void qi_embedded_done(qi_embedded *embedded) {
    if (embedded->map) munmap(embedded->map, embedded->map_bytes);
    *embedded = (qi_embedded){0};
}

quire_err qi_decoder_text(qi_decoder *d, uint32_t page, bool with_ink, const qi_deadline *deadline,
                          qi_text_layer **ret_layer, uint64_t *ret_helper_ns, quire_diag *diag) {
    qi_page_info info;
    quire_err e = qi_decoder_page_info(d, page, deadline, &info, diag);
    if (!e) e = qi_decoder_ensure_given(d, deadline, diag);
    if (e) return e;
    if (!d->text.map && !qi_decoder_take_pixels(d, sizeof(qi_text_area), &d->text))
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory for its text layer", d->name);
    qi_request request = {.version = QI_MESSAGE_VERSION,
                          .kind = QI_MESSAGE_TEXT,
                          .page = page,
                          .width_px = info.width_px,
                          .height_px = info.height_px,
                          .with_ink = with_ink};
    uint64_t before = qi_helper_cpu_ns(&d->helper);
    qi_reply reply;
    e = qi_helper_call(&d->helper, &request, d->text.memory,
                       QI_DECODER_TEXT_BYTES - sizeof(qi_text_area) +
                           (with_ink ? info.text_bytes : 0) + qi_decoder_pages_bytes(d),
                       d->name, deadline, &reply, diag);
    if (e) return e;
    uint64_t after = qi_helper_cpu_ns(&d->helper);
    quire_diag wrong;
    e = qi_text_layer_copy(d->text.map, info.width_px, info.height_px, ret_layer, &wrong);
    if (e == QUIRE_ERR_HELPER) qi_helper_stop(&d->helper);
    if (e) return qi_fail(diag, e, "%s: %s", d->name, wrong.text);
    *ret_helper_ns = after > before ? after - before : 0;
    return QUIRE_ERR_OK;
}

void qi_decoded_done(qi_decoded *decoded) {
    qi_pixels pixels = {
        .memory = decoded->memory, .map = decoded->map, .n_bytes = decoded->map_bytes};
    if (decoded->map) qi_pixels_give_back(decoded->pool, &pixels);
    *decoded = (qi_decoded){0};
}
