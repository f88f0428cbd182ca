/* Results: written from the records of pages, page by page, in whatever format is asked for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/format.h"
#include "output/page_record.h"
#include "server/api.h"

static const struct {
    const char *format, *media_type;
} media_types[] = {
    {"txt", "text/plain; charset=utf-8"},   {"json", "application/json"},
    {"jsonl", "application/x-ndjson"},      {"tsv", "text/tab-separated-values; charset=utf-8"},
    {"hocr", "application/xhtml+xml"},      {"alto", "application/xml"},
    {"md", "text/markdown; charset=utf-8"},
};
enum { N_MEDIA_TYPES = sizeof media_types / sizeof *media_types };

static const char *media_type_of(const char *format) {
    for (size_t i = 0; i < N_MEDIA_TYPES; i++)
        if (!strcmp(format, media_types[i].format)) return media_types[i].media_type;
    return NULL;
}

const char *qi_api_format(qi_http_request *request, const char *name) {
    if (!name) return "json";
    for (size_t i = 0; i < N_MEDIA_TYPES; i++)
        if (!strcmp(name, media_types[i].format)) return media_types[i].format;
    qi_http_problem(request, 400, "bad_parameter", "format",
                    "format is to be txt, json, jsonl, tsv, hocr, alto or md");
    return NULL;
}

/* ---- a stream of pages ---- */

typedef struct stream {
    qi_api_state state;
    qi_api *api;
    qi_document stored;
    const qi_output_format *format;
    qi_output_document document;
    uint32_t next_page; /* 0-based */
    qi_strbuf out;
    size_t sent;
    bool ended, failed;
} stream;

static void free_stream(qi_api_state *state) {
    stream *s = (stream *)state;
    qi_document_done(&s->stored);
    qi_strbuf_done(&s->out);
    free(s);
}

static bool write_page(void *context, const qi_page_entry *entry) {
    stream *s = context;
    qi_bytes in = qi_bytes_of(entry->record, entry->n_record_bytes);
    quire_page page;
    void *storage;
    if (qi_page_record_take(&in, &page, &storage)) {
        s->failed = true;
        return false;
    }
    s->format->page(&s->out, &s->document, &page);
    s->document.n_pages_written++;
    free(storage);
    s->next_page = entry->index + 1;
    return false; /* one at a time */
}

static void write_more(stream *s) {
    const uint32_t before = s->document.n_pages_written;
    qi_strbuf_clear(&s->out);
    s->sent = 0;
    if (s->api->records->driver->pages(s->api->records, s->stored.result, s->next_page, write_page,
                                       s, NULL))
        s->failed = true;
    if (s->failed || s->document.n_pages_written > before) return;
    const quire_err error = s->stored.state == QI_CANCELLED ? QUIRE_ERR_CANCELLED : QUIRE_ERR_OK;
    const qi_output_end end = {error, error ? quire_err_text(error) : NULL,
                               s->stored.n_pages_failed};
    s->format->end(&s->out, &s->document, &end);
    s->ended = true;
}

static qi_http_pulled pull(qi_http_request *request, char *buffer, size_t size, size_t *ret_n) {
    stream *s = (stream *)qi_http_request_state(request);
    while (s->sent == s->out.length && !s->ended && !s->failed && !s->out.failed)
        write_more(s);
    if (s->failed || s->out.failed) return QI_HTTP_PULLED_FAILED;
    size_t n = s->out.length - s->sent;
    if (!n) return QI_HTTP_PULLED_END;
    if (n > size) n = size;
    memcpy(buffer, s->out.data + s->sent, n);
    s->sent += n;
    *ret_n = n;
    return QI_HTTP_PULLED_BYTES;
}

static stream *stream_new(qi_http_request *request, qi_document *document, const char *format) {
    stream *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->state.let_go = free_stream;
    s->api = qi_http_request_context(request);
    s->stored = *document;
    s->format = qi_output_format_find(format, strlen(format));
    s->document.name = s->stored.name;
    s->document.media_type = s->stored.media_type;
    s->document.n_pages = s->stored.n_pages;
    s->document.n_models =
        quire_reader_models(qi_worker_reader(s->api->service->worker), &s->document.models);
    return s;
}

void qi_api_answer_result(qi_http_request *request, qi_document *document, const char *format) {
    stream *s = stream_new(request, document, format);
    if (!s) {
        qi_document_done(document);
        qi_http_problem(request, 503, "no_memory", NULL, "memory ran out");
        return;
    }
    s->format->begin(&s->out, &s->document);
    qi_api_keep(request, &s->state);
    qi_http_answer_stream(request, 200, media_type_of(format), pull);
}

/* The format of the query, and a document that who asks may see. */
static bool find(qi_http_request *request, qi_document *ret, const char **ret_format) {
    qi_access access;
    if (!qi_api_authorize(request, QI_SCOPE_READ, &access)) return false;
    *ret_format = qi_api_format(request, qi_http_request_query(request, "format"));
    return *ret_format && qi_api_find(request, &access, ret);
}

/* Takes d over. */
static void answer_with_result(qi_http_request *request, qi_document *d, const char *format) {
    if (d->state == QI_DONE || (d->state == QI_CANCELLED && d->result)) {
        qi_api_answer_result(request, d, format);
        return;
    }
    if (d->state == QI_FAILED)
        qi_http_problem(request, 409, "failed", NULL, "the document failed: %s",
                        d->error_text ? d->error_text : quire_err_text(d->error));
    else
        qi_http_problem(request, 409, d->state == QI_CANCELLED ? "cancelled" : "not_finished", NULL,
                        "the document is %s%s", qi_state_names[d->state],
                        d->state == QI_CANCELLED ? " and none of its pages was read"
                                                 : "; its pages can be asked for as they are read");
    qi_document_done(d);
}

/* A request that waits for the document's end. */
typedef struct waiting {
    qi_api_state state;
    qi_waiter *waiter;
    uint64_t until_ns;
} waiting;

static void let_go_of_waiting(qi_api_state *state) {
    waiting *w = (waiting *)state;
    qi_waiter_done(w->waiter);
    free(w);
}

/* Takes d over. */
static void answer_or_wait(qi_http_request *request, qi_document *d, const char *format) {
    const qi_api *api = qi_http_request_context(request);
    const waiting *w = (const waiting *)qi_http_request_state(request);
    if (w && !qi_api_has_ended(d) && qi_clock_ns() < w->until_ns && !qi_http_stopping(api->http))
        qi_document_done(d);
    else
        answer_with_result(request, d, format);
}

static void resume_result(qi_http_request *request) {
    qi_document d;
    const char *format;
    if (qi_http_request_state(request) && find(request, &d, &format))
        answer_or_wait(request, &d, format);
}

static void result(qi_http_request *request) {
    qi_api *api = qi_http_request_context(request);
    qi_document d;
    const char *format;
    uint64_t wait_s;
    if (!find(request, &d, &format)) return;
    if (!qi_api_number(request, "wait", 0, QI_API_MAX_WAIT_S, 0, &wait_s)) {
        qi_document_done(&d);
        return;
    }
    waiting *w = wait_s && !qi_api_has_ended(&d) ? calloc(1, sizeof *w) : NULL;
    if (w) w->waiter = qi_waiter_new(api->waiters, request, d.id, (uint32_t)wait_s * 1000u);
    if (!w || !w->waiter) { /* it cannot, or need not, wait */
        free(w);
        answer_with_result(request, &d, format);
        return;
    }
    w->state.let_go = let_go_of_waiting;
    w->until_ns = qi_clock_ns() + wait_s * 1000000000u;
    qi_api_keep(request, &w->state);
    qi_document_done(&d);
    resume_result(request); /* it may have ended before it was listened for */
}
const qi_http_handler qi_api_result = {
    .complete = result, .resume = resume_result, .closed = qi_api_closed};

/* ---- one page ---- */

typedef struct one_page {
    stream *stream;
    uint32_t index;
    bool found;
} one_page;

static bool look_at_page(void *context, const qi_page_entry *entry) {
    one_page *p = context;
    if (entry->index != p->index) return false;
    p->found = true;
    return write_page(p->stream, entry);
}

static void answer_page(qi_http_request *request, stream *s, uint32_t index, const char *format) {
    one_page p = {.stream = s, .index = index};
    const bool is_json = !strcmp(format, "json");
    if (is_json) /* the page's own object, as lines of JSON have it */
        s->format = qi_output_format_find("jsonl", strlen("jsonl"));
    s->format->begin(&s->out, &s->document);
    quire_diag diag;
    quire_err err = QUIRE_ERR_OK;
    if (s->stored.result)
        err = s->api->records->driver->pages(s->api->records, s->stored.result, index, look_at_page,
                                             &p, &diag);
    const qi_output_end end = {0};
    if (!is_json) s->format->end(&s->out, &s->document, &end);
    if (err)
        qi_api_fail(request, err, &diag);
    else if (!p.found)
        qi_http_problem(request, 404, "not_found", "n",
                        "the page is not there: the document is %s and has %u of %u pages",
                        qi_state_names[s->stored.state], s->stored.n_pages_done, s->stored.n_pages);
    else if (s->failed || s->out.failed)
        qi_http_problem(request, 500, "corrupt", NULL, "the page's record is damaged");
    else
        qi_http_answer_bytes(request, 200, media_type_of(format), &s->out);
}

/* 0-based. */
static bool page_number(qi_http_request *request, uint32_t *ret_index) {
    uint64_t n;
    if (!qi_api_read_number(request, "n", qi_http_request_path(request, "n"), 1, UINT32_MAX, &n))
        return false;
    *ret_index = (uint32_t)n - 1;
    return true;
}

static void page(qi_http_request *request) {
    qi_document d;
    const char *format;
    uint32_t index;
    if (!find(request, &d, &format)) return;
    if (!page_number(request, &index)) {
        qi_document_done(&d);
        return;
    }
    stream *s = stream_new(request, &d, format);
    if (!s) {
        qi_document_done(&d);
        qi_http_problem(request, 503, "no_memory", NULL, "memory ran out");
        return;
    }
    answer_page(request, s, index, format);
    free_stream(&s->state);
}
const qi_http_handler qi_api_page = {.complete = page};

/* ---- a page's image ---- */

typedef struct page_image {
    uint32_t index;
    bool found;
    char object[QI_OBJECT_NAME_BYTES]; /* "": the page has none of its own */
} page_image;

static bool look_for_image(void *context, const qi_page_entry *entry) {
    page_image *p = context;
    if (entry->index != p->index) return false;
    p->found = true;
    if (entry->image) snprintf(p->object, sizeof p->object, "%s", entry->image);
    return false;
}

static void answer_object(qi_http_request *request, const char *object, const char *media_type) {
    const qi_api *api = qi_http_request_context(request);
    qi_objects *objects = api->service->objects;
    quire_diag diag;
    struct stat st;
    int fd;
    quire_err err = objects->driver->open_object(objects, object, &fd, &diag);
    if (!err && fstat(fd, &st)) {
        close(fd);
        err = qi_fail(&diag, QUIRE_ERR_IO, "the image cannot be read: %s", strerror(errno));
    }
    if (err) {
        qi_api_fail(request, err, &diag);
        return;
    }
    /* What strangers made is shown as what it is said to be, and runs nothing. */
    qi_http_header(request, "X-Content-Type-Options", "nosniff");
    qi_http_header(request, "Content-Security-Policy", "default-src 'none'; sandbox");
    qi_http_answer_file(request, 200, media_type, fd, (uint64_t)st.st_size);
}

/* The stored image, or the document itself where that is one image. */
static void image(qi_http_request *request) {
    const qi_api *api = qi_http_request_context(request);
    qi_access access;
    qi_document d;
    quire_diag diag;
    page_image p = {0};
    if (!qi_api_authorize(request, QI_SCOPE_READ, &access)) return;
    if (!page_number(request, &p.index) || !qi_api_find(request, &access, &d)) return;
    quire_err err = QUIRE_ERR_OK;
    if (d.result)
        err =
            api->records->driver->pages(api->records, d.result, p.index, look_for_image, &p, &diag);
    const bool is_image = d.n_pages == 1 && d.media_type && !strncmp(d.media_type, "image/", 6);
    if (err)
        qi_api_fail(request, err, &diag);
    else if (!p.found)
        qi_http_problem(request, 404, "not_found", "n", "the page is not there: the document is %s",
                        qi_state_names[d.state]);
    else if (*p.object)
        answer_object(request, p.object, "image/webp");
    else if (is_image)
        answer_object(request, d.object, d.media_type);
    else
        qi_http_problem(request, 404, "no_image", "n",
                        "no image of the page was stored (quire serve --page-images)");
    qi_document_done(&d);
}
const qi_http_handler qi_api_page_image = {.complete = image};
