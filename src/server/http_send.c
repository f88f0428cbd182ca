/* Answers written to the socket itself. libmicrohttpd gives an answer before the body or after it,
 * but not while the body comes, nor to a head that has not come; there nothing of an answer is on
 * its way, so that writing one of our own past it is safe. They are short: what the socket does not
 * take at once is lost, as when the client does not read. */
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "server/http_parts.h"

static void put_date(qi_strbuf *out) {
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm t;
    const time_t now = time(NULL);
    if (!gmtime_r(&now, &t)) return;
    qi_strbuf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[t.tm_wday], t.tm_mday,
                     months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void put_head(qi_strbuf *out, unsigned status, const char *media_type, size_t n_bytes) {
    qi_strbuf_printf(out, "HTTP/1.1 %u %s\r\n", status, MHD_get_reason_phrase_for(status));
    put_date(out);
    if (*media_type) qi_strbuf_printf(out, "Content-Type: %s\r\n", media_type);
    qi_strbuf_printf(out, "Content-Length: %zu\r\nConnection: close\r\nServer: quire\r\n", n_bytes);
}

static void send_text(qi_http_connection *c, const qi_strbuf *text) {
    if (text->failed) return;
    ssize_t n;
    if (!c->tls) {
        n = send(c->fd, text->data, text->length, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)n;
        return;
    }
    /* Refuses to send, as it should, when the handshake is not over. */
    gnutls_session_t session =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
    if (gnutls_record_send(session, text->data, text->length) > 0)
        gnutls_bye(session, GNUTLS_SHUT_WR);
}

void qi_http_answer_send(qi_http_request *r) {
    const qi_http_answer *a = &r->answer;
    qi_strbuf text = {0};
    put_head(&text, a->status, a->media_type, a->bytes.length);
    for (uint32_t i = 0; i < a->n_headers; i++)
        qi_strbuf_printf(&text, "%s: %s\r\n", a->headers[i].name, a->headers[i].value);
    qi_strbuf_printf(&text, "X-Request-Id: %s\r\n\r\n", r->id);
    qi_strbuf_append(&text, a->bytes.data, a->bytes.length);
    send_text(r->connection, &text);
    r->n_bytes_out = a->bytes.length;
    r->sent = true;
    qi_strbuf_done(&text);
}

static void put_problem(qi_strbuf *out, unsigned status, const char *code, const char *detail,
                        const char *headers) {
    qi_strbuf body = {0};
    qi_http_problem_write(&body, status, code, NULL, detail);
    put_head(out, status, "application/problem+json", body.length);
    qi_strbuf_printf(out, "%s\r\n", headers);
    qi_strbuf_append(out, body.data, body.length);
    out->failed |= body.failed;
    qi_strbuf_done(&body);
}

void qi_http_problem_send(qi_http_connection *c, unsigned status, const char *code,
                          const char *detail) {
    qi_http *http = c->http;
    qi_strbuf text = {0};
    put_problem(&text, status, code, detail, "");
    send_text(c, &text);
    qi_strbuf_done(&text);
    qi_http_count(&http->n_requests[status / 100], 1);
    const qi_http_record record = {
        .request_id = "-",
        .peer = c->peer,
        .method = "-",
        .path = "-",
        .status = status,
        .duration_ns = qi_http_elapsed(qi_clock_ns(), c->since_ns),
    };
    if (http->options.log) http->options.log(http->options.context, &record);
}

void qi_http_refusal_send(int fd) {
    qi_strbuf text = {0};
    put_problem(&text, 503, "too_many_connections",
                "the server has as many connections as it takes; try again", "Retry-After: 1\r\n");
    if (!text.failed) {
        ssize_t n = send(fd, text.data, text.length, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)n;
    }
    qi_strbuf_done(&text);
}
