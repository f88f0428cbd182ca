/* A document's events as Server-Sent Events, from any one on: what happened to it and which pages
 * are there, as it happens. The stream ends with the document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api.h"

enum { N_EVENTS = 64, ALIVE_MS = 15000 };

static const char *const kind_names[QI_N_EVENT_KINDS] = {"queued", "running", "page",     "retry",
                                                         "done",   "failed",  "cancelled"};

typedef struct stream {
    qi_api_state state;
    qi_api *api;
    char id[64];
    bool ended;
    uint64_t after; /* the last one sent */
    uint64_t alive_ns;
    qi_waiter *waiter;
    qi_strbuf out;
    size_t sent;
} stream;

static void free_stream(qi_api_state *state) {
    stream *s = (stream *)state;
    qi_waiter_done(s->waiter);
    qi_strbuf_done(&s->out);
    free(s);
}

static void write_event(stream *s, const qi_event *e) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "event", kind_names[e->kind % QI_N_EVENT_KINDS]);
    cJSON_AddStringToObject(o, "document", s->id);
    qi_api_put_time(o, "at", e->at_ms);
    if (e->kind == QI_EVENT_PAGE) cJSON_AddNumberToObject(o, "page", (double)e->page + 1);
    if (e->error) {
        char code[QI_API_CODE_BYTES];
        qi_api_code_of(e->error, code);
        cJSON_AddStringToObject(o, "error", code);
    }
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    s->out.failed |= !text;
    if (text)
        qi_strbuf_printf(&s->out, "id: %llu\nevent: %s\ndata: %s\n\n", (unsigned long long)e->seq,
                         kind_names[e->kind % QI_N_EVENT_KINDS], text);
    cJSON_free(text);
    s->after = e->seq;
}

/* Asked before its events are: what is not among them then comes no more. */
static quire_err has_ended(const stream *s, bool *ret) {
    qi_document d;
    quire_err err = s->api->records->driver->find(s->api->records, NULL, s->id, &d, NULL);
    if (err) return err;
    *ret = qi_api_has_ended(&d);
    qi_document_done(&d);
    return QUIRE_ERR_OK;
}

static bool write_more(stream *s) {
    qi_event events[N_EVENTS];
    uint32_t n = 0;
    qi_strbuf_clear(&s->out);
    s->sent = 0;
    bool ended = false;
    quire_err err = has_ended(s, &ended);
    if (!err)
        err = s->api->records->driver->events(s->api->records, s->id, s->after, N_EVENTS, events,
                                              &n, NULL);
    s->ended = err == QUIRE_ERR_NOT_FOUND /* erased */ || (ended && n < N_EVENTS);
    if (err) return err == QUIRE_ERR_NOT_FOUND;
    for (uint32_t i = 0; i < n; i++)
        write_event(s, &events[i]);
    const uint64_t now_ns = qi_clock_ns();
    if (n) s->alive_ns = now_ns;
    if (!n && now_ns - s->alive_ns >= ALIVE_MS * 1000000ull) {
        qi_strbuf_puts(&s->out, ": alive\n\n");
        s->alive_ns = now_ns;
    }
    qi_waiter_again(s->waiter, ALIVE_MS);
    return !s->out.failed;
}

static qi_http_pulled pull(qi_http_request *request, char *buffer, size_t size, size_t *ret_n) {
    stream *s = (stream *)qi_http_request_state(request);
    if (s->sent == s->out.length) {
        if (s->ended || qi_http_stopping(s->api->http)) return QI_HTTP_PULLED_END;
        if (!write_more(s)) return QI_HTTP_PULLED_FAILED;
    }
    size_t n = s->out.length - s->sent;
    if (!n) return s->ended ? QI_HTTP_PULLED_END : QI_HTTP_PULLED_NOTHING;
    if (n > size) n = size;
    memcpy(buffer, s->out.data + s->sent, n);
    s->sent += n;
    *ret_n = n;
    return QI_HTTP_PULLED_BYTES;
}

static bool read_after(qi_http_request *request, uint64_t *ret) {
    const char *text = qi_http_request_header(request, "Last-Event-ID");
    *ret = 0;
    return !text || !*text || qi_api_read_number(request, "Last-Event-ID", text, 0, INT64_MAX, ret);
}

static void complete(qi_http_request *request) {
    qi_access access;
    qi_document d;
    uint64_t after;
    if (!qi_api_authorize(request, QI_SCOPE_READ, &access)) return;
    if (!read_after(request, &after) || !qi_api_find(request, &access, &d)) return;
    stream *s = calloc(1, sizeof *s);
    qi_api *api = qi_http_request_context(request);
    if (s) s->waiter = qi_waiter_new(api->waiters, request, d.id, ALIVE_MS);
    if (!s || !s->waiter) {
        qi_http_problem(request, 503, "no_memory", NULL, "memory ran out");
        free(s);
    } else {
        s->state.let_go = free_stream;
        s->api = api;
        s->after = after;
        s->alive_ns = qi_clock_ns();
        snprintf(s->id, sizeof s->id, "%s", d.id);
        qi_api_keep(request, &s->state);
        qi_http_header(request, "Cache-Control", "no-store");
        qi_http_answer_stream(request, 200, "text/event-stream", pull);
    }
    qi_document_done(&d);
}
const qi_http_handler qi_api_events = {.complete = complete, .closed = qi_api_closed};
