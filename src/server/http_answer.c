/* Answers: what a handler says, kept until the request may be answered, and then given to
 * libmicrohttpd. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/emit.h"
#include "server/http_parts.h"

enum { STREAM_BYTES = 16 << 10, MAX_DETAIL_BYTES = 1024 };

void qi_http_answer_done(qi_http_answer *answer) {
    for (uint32_t i = 0; i < answer->n_headers; i++) {
        free(answer->headers[i].name);
        free(answer->headers[i].value);
    }
    answer->n_headers = 0;
    qi_strbuf_done(&answer->bytes);
    if (answer->fd >= 0) close(answer->fd);
    answer->fd = -1;
}

bool qi_http_answered(const qi_http_request *r) {
    return r->answer.status != 0;
}

/* ---- what a handler says -------------------------------------------------------------------- */

void qi_http_header(qi_http_request *r, const char *name, const char *value) {
    qi_http_answer *a = &r->answer;
    if (qi_http_answered(r) || a->n_headers == QI_HTTP_MAX_ANSWER_HEADERS) return;
    char *own_name = strdup(name), *own_value = strdup(value);
    if (!own_name || !own_value) {
        free(own_name);
        free(own_value);
        return;
    }
    for (char *c = own_value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = ' ';
    a->headers[a->n_headers].name = own_name;
    a->headers[a->n_headers++].value = own_value;
}

/* Copied: what a handler has it from may be gone when the answer is given. */
static void set_media_type(qi_http_answer *answer, const char *media_type) {
    snprintf(answer->media_type, sizeof answer->media_type, "%s", media_type ? media_type : "");
}

void qi_http_answer_bytes(qi_http_request *r, unsigned status, const char *media_type,
                          qi_strbuf *body) {
    qi_strbuf none = {0};
    if (!body) body = &none;
    if (qi_http_answered(r)) {
        qi_strbuf_done(body);
    } else if (body->failed) {
        qi_strbuf_done(body);
        qi_http_problem(r, 503, "no_memory", NULL, "memory ran out; try again");
    } else {
        r->answer.status = status;
        set_media_type(&r->answer, media_type);
        r->answer.bytes = *body;
    }
    *body = none;
}

void qi_http_answer_file(qi_http_request *r, unsigned status, const char *media_type, int fd,
                         uint64_t n_bytes) {
    if (qi_http_answered(r)) {
        close(fd);
        return;
    }
    r->answer.status = status;
    set_media_type(&r->answer, media_type);
    r->answer.fd = fd;
    r->answer.n_file_bytes = n_bytes;
}

void qi_http_answer_stream(qi_http_request *r, unsigned status, const char *media_type,
                           qi_http_pull *pull) {
    if (qi_http_answered(r)) return;
    r->answer.status = status;
    set_media_type(&r->answer, media_type);
    r->answer.pull = pull;
}

void qi_http_problem_write(qi_strbuf *out, unsigned status, const char *code, const char *field,
                           const char *detail) {
    qi_strbuf_printf(out, "{\"type\":\"urn:quire:problem:%s\",\"title\":", code);
    qi_emit_json_string(out, MHD_get_reason_phrase_for(status));
    qi_strbuf_printf(out, ",\"status\":%u,\"code\":", status);
    qi_emit_json_string(out, code);
    qi_strbuf_puts(out, ",\"detail\":");
    qi_emit_json_string(out, detail);
    if (field) {
        qi_strbuf_puts(out, ",\"field\":");
        qi_emit_json_string(out, field);
    }
    qi_strbuf_puts(out, "}\n");
}

void qi_http_problem(qi_http_request *r, unsigned status, const char *code, const char *field,
                     const char *detail_format, ...) {
    char detail[MAX_DETAIL_BYTES];
    qi_strbuf body = {0};
    va_list args;
    if (qi_http_answered(r)) return;
    va_start(args, detail_format);
    vsnprintf(detail, sizeof detail, detail_format, args);
    va_end(args);
    qi_http_problem_write(&body, status, code, field, detail);
    if (body.failed) qi_strbuf_done(&body); /* the status has to do */
    qi_http_answer_bytes(r, status, "application/problem+json", &body);
}

/* ---- to libmicrohttpd ----------------------------------------------------------------------- */

static ssize_t pull(void *context, uint64_t position, char *buffer, size_t size) {
    qi_http_request *r = context;
    size_t n = 0;
    if (r->gone) return MHD_CONTENT_READER_END_WITH_ERROR;
    r->wake = false; /* what it told is seen now */
    switch (r->answer.pull(r, buffer, size, &n)) {
    case QI_HTTP_PULLED_BYTES:
        if (n == 0 || n > size) return MHD_CONTENT_READER_END_WITH_ERROR;
        r->n_bytes_out += n;
        return (ssize_t)n;
    case QI_HTTP_PULLED_NOTHING:
        qi_http_request_suspend(r);
        return 0;
    case QI_HTTP_PULLED_END:
        return MHD_CONTENT_READER_END_OF_STREAM;
    case QI_HTTP_PULLED_FAILED:
        break;
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *make_response(qi_http_request *r) {
    qi_http_answer *a = &r->answer;
    struct MHD_Response *response;
    if (a->pull) {
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BYTES, pull, r, NULL);
        /* To HEAD, libmicrohttpd would send the end of a chunked body that is not there; what ends
         * with the connection has none. */
        if (response && !strcmp(r->method, "HEAD"))
            MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
        return response;
    }
    if (a->fd >= 0) {
        response = MHD_create_response_from_fd64(a->n_file_bytes, a->fd);
        if (response) a->fd = -1;
        if (response) r->n_bytes_out = a->n_file_bytes;
        return response;
    }
    if (a->bytes.length == 0) return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    response =
        MHD_create_response_from_buffer(a->bytes.length, a->bytes.data, MHD_RESPMEM_MUST_FREE);
    if (!response) return NULL;
    r->n_bytes_out = a->bytes.length;
    a->bytes = (qi_strbuf){0};
    return response;
}

enum MHD_Result qi_http_answer_queue(qi_http_request *r) {
    qi_http_answer *a = &r->answer;
    struct MHD_Response *response = make_response(r);
    if (!response) return MHD_NO;
    if (*a->media_type) MHD_add_response_header(response, "Content-Type", a->media_type);
    for (uint32_t i = 0; i < a->n_headers; i++)
        MHD_add_response_header(response, a->headers[i].name, a->headers[i].value);
    MHD_add_response_header(response, "Server", "quire");
    MHD_add_response_header(response, "X-Request-Id", r->id);
    if (r->close || qi_http_stopping(r->http))
        MHD_add_response_header(response, "Connection", "close");
    if (!strcmp(r->method, "HEAD")) r->n_bytes_out = 0;
    qi_http_connection_enter(r->connection, QI_HTTP_WRITE);
    r->queued = true;
    const enum MHD_Result result = MHD_queue_response(r->connection->mhd, a->status, response);
    MHD_destroy_response(response);
    return result;
}
