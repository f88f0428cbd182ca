/* The life of a request: libmicrohttpd's callbacks on one side, the handler's functions on the
 * other, and the waiting in between. libmicrohttpd calls `access` once for the head, for each piece
 * of the body, once at the end, and again whenever a suspended request is resumed. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "base/clock.h"
#include "server/http_parts.h"

/* ---- references ----------------------------------------------------------------------------- */

qi_http_request *qi_http_request_ref(qi_http_request *r) {
    atomic_fetch_add(&r->n_refs, 1);
    return r;
}

void qi_http_request_unref(qi_http_request *r) {
    if (!r || atomic_fetch_sub(&r->n_refs, 1) != 1) return;
    qi_http_mailbox_unref(r->mailbox);
    free(r);
}

static void read_mail(qi_http_mail *mail) {
    qi_http_request *r = (qi_http_request *)mail;
    if (r->connection) qi_http_request_wake(r);
    qi_http_request_unref(r);
}

void qi_http_request_resume(qi_http_request *r) {
    qi_http_request_ref(r);
    if (!qi_http_mailbox_send(r->mailbox, &r->mail)) qi_http_request_unref(r);
}

/* ---- waiting -------------------------------------------------------------------------------- */

void qi_http_request_suspend(qi_http_request *r) {
    qi_http_connection *c = r->connection;
    struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = c};
    c->watched = epoll_ctl(r->http->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
    r->suspended = true;
    MHD_suspend_connection(c->mhd);
}

static void unsuspend(qi_http_request *r) {
    qi_http_connection *c = r->connection;
    if (!r->suspended) return;
    if (c->watched) epoll_ctl(r->http->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    c->watched = false;
    r->suspended = false;
    MHD_resume_connection(c->mhd);
}

void qi_http_request_wake(qi_http_request *r) {
    r->wake = true;
    unsuspend(r);
}

void qi_http_request_abandon(qi_http_request *r) {
    r->gone = true;
    unsuspend(r);
}

/* ---- the handler's turn --------------------------------------------------------------------- */

/* The body is there: the answer goes out, or is waited for. */
static enum MHD_Result settle(qi_http_request *r) {
    while (r->wake && !qi_http_answered(r)) {
        r->wake = false;
        if (r->handler->resume) r->handler->resume(r);
    }
    if (qi_http_answered(r)) return qi_http_answer_queue(r);
    qi_http_connection_enter(r->connection, QI_HTTP_WAIT);
    qi_http_request_suspend(r);
    return MHD_YES;
}

static enum MHD_Result begin(qi_http_request *r, const char *method, const char *version) {
    r->head_done = true;
    qi_http_connection_enter(r->connection, QI_HTTP_BODY);
    if (qi_http_head_read(r, method, version) && r->handler->begin) r->handler->begin(r);
    /* Without a body there is a next call at once; an answer queued now would cost the connection.
     */
    if (!qi_http_answered(r) || r->n_body_bytes == 0) return MHD_YES;
    r->connection->linger = true;
    return qi_http_answer_queue(r);
}

/* Answers while the body comes. */
static enum MHD_Result break_off(qi_http_request *r) {
    qi_http_answer_send(r);
    r->connection->linger = true;
    return MHD_NO;
}

static void refuse_multipart(qi_http_request *r, quire_err e, const quire_diag *diag) {
    if (e == QUIRE_ERR_CANCELLED) return; /* the handler has answered */
    qi_http_problem(r, e == QUIRE_ERR_TOO_LARGE ? 413 : 400,
                    e == QUIRE_ERR_TOO_LARGE ? "multipart_too_large" : "bad_multipart", NULL, "%s",
                    diag->text);
}

static void take_bytes(qi_http_request *r, const char *bytes, size_t n) {
    quire_diag diag;
    const qi_http_piece piece = {.offset = r->n_bytes_in - n, .bytes = bytes, .n_bytes = n};
    quire_err e;
    switch (r->body) {
    case QI_HTTP_BODY_MULTIPART:
        e = qi_http_multipart_feed(r->multipart, bytes, n, &diag);
        if (e) refuse_multipart(r, e, &diag);
        break;
    case QI_HTTP_BODY_JSON:
        qi_strbuf_append(&r->json, bytes, n);
        break;
    default:
        if (r->handler->data) r->handler->data(r, &piece);
    }
}

static enum MHD_Result take(qi_http_request *r, const char *bytes, size_t n) {
    r->n_bytes_in += n;
    r->connection->n_window_bytes += n;
    if (r->n_bytes_in > r->max_body_bytes)
        qi_http_body_too_large(r);
    else
        take_bytes(r, bytes, n);
    return qi_http_answered(r) ? break_off(r) : MHD_YES;
}

static enum MHD_Result complete(qi_http_request *r) {
    quire_diag diag;
    if (!qi_http_answered(r) && r->multipart) {
        const quire_err e = qi_http_multipart_end(r->multipart, &diag);
        if (e) refuse_multipart(r, e, &diag);
    }
    if (r->json.failed) qi_http_problem(r, 503, "no_memory", NULL, "memory ran out; try again");
    if (!qi_http_answered(r) && r->handler->complete) r->handler->complete(r);
    return settle(r);
}

enum MHD_Result qi_http_request_access(void *http, struct MHD_Connection *mhd, const char *url,
                                       const char *method, const char *version, const char *upload,
                                       size_t *upload_bytes, void **context) {
    qi_http_request *r = *context;
    if (!r || r->gone) return MHD_NO; /* no memory for it, or nobody to answer to */
    if (!r->head_done) return begin(r, method, version);
    if (*upload_bytes) {
        const size_t n = *upload_bytes;
        *upload_bytes = 0;
        return take(r, upload, n);
    }
    return r->connection->phase == QI_HTTP_WAIT ? settle(r) : complete(r);
}

/* ---- beginning and end ---------------------------------------------------------------------- */

static void make_id(char id[QI_HTTP_ID_BYTES]) {
    uint64_t bits[2] = {qi_clock_ns(), 0};
    /* Should the kernel give none, the clock has to do: it is a name, no secret. */
    ssize_t n = getrandom(bits, sizeof bits, GRND_NONBLOCK);
    (void)n;
    snprintf(id, QI_HTTP_ID_BYTES, "%016llx%016llx", (unsigned long long)bits[0],
             (unsigned long long)bits[1]);
}

void *qi_http_request_line(void *context, const char *uri, struct MHD_Connection *mhd) {
    qi_http *http = context;
    qi_http_connection *c =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (c->phase == QI_HTTP_IDLE) qi_http_connection_enter(c, QI_HTTP_HEAD);
    qi_http_request *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    const char *target = uri ? uri : "";
    r->uri_too_long = strlen(target) > QI_HTTP_MAX_URI_BYTES;
    r->path = strdup(r->uri_too_long ? "-" : target);
    if (!r->path) {
        free(r);
        return NULL;
    }
    atomic_init(&r->n_refs, 1);
    r->mail.read = read_mail;
    r->mailbox = qi_http_mailbox_ref(http->mailbox);
    r->http = http;
    r->connection = c;
    r->begun_ns = qi_clock_ns();
    r->answer.fd = -1;
    strcpy(r->method, "-");
    make_id(r->id);
    c->request = r;
    return r;
}

/* What libmicrohttpd answered by itself to a head or body that it could not read; 0: nothing. */
static unsigned own_status(struct MHD_Connection *mhd) {
    const union MHD_ConnectionInfo *status =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
    return status ? status->http_status : 0;
}

static void tell(qi_http_request *r, unsigned status, bool broken) {
    qi_http *http = r->http;
    qi_http_count(&http->n_requests[status >= 100 && status < 600 ? status / 100 : 0], 1);
    qi_http_count(&http->n_bytes_in, r->n_bytes_in);
    qi_http_count(&http->n_bytes_out, r->n_bytes_out);
    r->path[strcspn(r->path, "?")] = 0; /* what follows may be somebody's secret */
    const qi_http_record record = {.request_id = r->id,
                                   .peer = r->connection->peer,
                                   .method = r->method,
                                   .path = r->path,
                                   .status = status,
                                   .n_bytes_in = r->n_bytes_in,
                                   .n_bytes_out = r->n_bytes_out,
                                   .duration_ns = qi_http_elapsed(qi_clock_ns(), r->begun_ns),
                                   .broken = broken};
    if (http->options.log) http->options.log(http->options.context, &record);
}

void qi_http_request_ended(void *http, struct MHD_Connection *mhd, void **context,
                           enum MHD_RequestTerminationCode code) {
    qi_http_request *r = *context;
    if (!r) return;
    *context = NULL;
    qi_http_connection *c = r->connection;
    const unsigned own = r->queued || r->sent ? 0 : own_status(mhd);
    if (own) c->linger = true;
    if (r->handler && r->handler->closed) r->handler->closed(r);
    const unsigned status = own ? own : r->queued || r->sent ? r->answer.status : 0;
    tell(r, status, !own && !r->sent && code != MHD_REQUEST_TERMINATED_COMPLETED_OK);
    qi_http_answer_done(&r->answer);
    qi_http_multipart_free(r->multipart);
    qi_strbuf_done(&r->json);
    qi_http_uri_done(&r->uri);
    free(r->path);
    r->path = NULL;
    r->connection = NULL;
    c->request = NULL;
    if (c->phase != QI_HTTP_DEAD) qi_http_connection_enter(c, QI_HTTP_IDLE);
    qi_http_request_unref(r);
}

/* ---- what a handler asks -------------------------------------------------------------------- */

void *qi_http_request_context(const qi_http_request *r) {
    return r->http->options.context;
}

const char *qi_http_request_method(const qi_http_request *r) {
    return r->method;
}

const char *qi_http_request_path(const qi_http_request *r, const char *name) {
    for (uint32_t i = 0; i < r->values.n; i++)
        if (strlen(name) == r->values.at[i].name_bytes &&
            !memcmp(name, r->values.at[i].name, r->values.at[i].name_bytes))
            return r->values.at[i].value;
    return NULL;
}

const char *qi_http_request_query(const qi_http_request *r, const char *name) {
    for (uint32_t i = 0; i < r->uri.n_query; i++)
        if (!strcmp(r->uri.query[i].name, name)) return r->uri.query[i].value;
    return NULL;
}

bool qi_http_request_query_at(const qi_http_request *r, uint32_t i, const char **ret_name,
                              const char **ret_value) {
    if (i >= r->uri.n_query) return false;
    *ret_name = r->uri.query[i].name;
    *ret_value = r->uri.query[i].value;
    return true;
}

const char *qi_http_request_header(const qi_http_request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection->mhd, MHD_HEADER_KIND, name);
}

uint64_t qi_http_request_body_bytes(const qi_http_request *r) {
    return r->n_body_bytes;
}

const qi_strbuf *qi_http_request_json(const qi_http_request *r) {
    return &r->json;
}

const char *qi_http_request_id(const qi_http_request *r) {
    return r->id;
}

const char *qi_http_request_peer(const qi_http_request *r) {
    return r->connection->peer;
}

bool qi_http_request_is_loopback(const qi_http_request *r) {
    return r->connection->loopback;
}

void qi_http_request_set_state(qi_http_request *r, void *state) {
    r->state = state;
}

void *qi_http_request_state(const qi_http_request *r) {
    return r->state;
}
