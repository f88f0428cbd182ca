/* The requests of a delivery: what is sent, and where what comes goes to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/result_file.h"
#include "client/sender_parts.h"

/* ---- what is sent ---- */

static void end_upload(qi_place *p) {
    if (!p->uploading) return;
    p->uploading = false;
    p->sender->n_uploads--;
}

static size_t read_file(char *to, size_t size, size_t n, void *context) {
    qi_place *p = context;
    const qi_delivery *d = p->delivery;
    uint64_t left = d->n_bytes - p->n_sent_bytes;
    size_t wanted = size * n < left ? size * n : (size_t)left;
    if (!wanted) return 0;
    ssize_t got;
    do
        got = pread(d->fd, to, wanted, (off_t)p->n_sent_bytes);
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
        p->read_errno = got ? errno : 0;
        p->shrunk = !got;
        return CURL_READFUNC_ABORT;
    }
    p->n_sent_bytes += (uint64_t)got;
    if (p->n_sent_bytes == d->n_bytes) end_upload(p); /* what follows is waiting */
    return (size_t)got;
}

static int seek_file(void *context, curl_off_t offset, int origin) {
    qi_place *p = context;
    if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    p->n_sent_bytes = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- what comes ---- */

bool qi_place_is_result(const qi_place *p) {
    long status = 0;
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 &&
           (p->phase == QI_FETCHING || (p->phase == QI_SENDING && p->sender->options.wait));
}

int qi_place_result(qi_place *p) {
    const qi_sender_options *o = &p->sender->options;
    if (p->result_fd < 0) p->result_fd = o->open_result(o->context, p->delivery, p->format);
    if (p->result_fd < 0) p->write_errno = errno;
    return p->result_fd;
}

static size_t write_answer(char *bytes, size_t size, size_t n, void *context) {
    qi_place *p = context;
    n *= size;
    if (qi_place_is_result(p)) {
        int fd = qi_place_result(p);
        if (fd >= 0) p->write_errno = qi_write_all(fd, bytes, n);
        return p->write_errno ? 0 : n; /* 0 ends the transfer */
    }
    /* Events are not looked at: that their stream ends is what says something. */
    if (p->phase != QI_FOLLOWING && p->body.length + n <= QI_MAX_ANSWER_BYTES)
        qi_strbuf_append(&p->body, bytes, n);
    return n;
}

/* ---- the request ---- */

/* The service takes names of up to 255 bytes of UTF-8: of a longer one its end. */
static void put_name(qi_place *p) {
    enum { MAX_NAME = 255 };
    char shown[8192];
    const char *name = qi_printable(shown, sizeof shown, p->delivery->name);
    const size_t n = strlen(name);
    if (n > MAX_NAME) name += n - MAX_NAME;
    while (((unsigned char)*name & 0xC0) == 0x80)
        name++;
    qi_endpoint_put_parameter(&p->url, "name", name);
}

static void put_url(qi_place *p) {
    const qi_sender_options *o = &p->sender->options;
    const qi_delivery *d = p->delivery;
    qi_strbuf_clear(&p->url);
    qi_strbuf_printf(&p->url, "%s/v1/documents", o->endpoint->url);
    switch (p->phase) {
    case QI_SENDING:
        qi_strbuf_printf(&p->url, "?wait=%d%s", o->wait ? QI_WAIT_S : 0, o->endpoint->options);
        if (o->wait) qi_endpoint_put_parameter(&p->url, "format", d->formats[0]->name);
        put_name(p);
        break;
    case QI_FOLLOWING:
        qi_strbuf_printf(&p->url, "/%s/events", d->id);
        break;
    case QI_ASKING:
        qi_strbuf_printf(&p->url, "/%s", d->id);
        break;
    case QI_FETCHING:
        qi_strbuf_printf(&p->url, "/%s/result?format=%s", d->id, d->formats[p->format]->name);
        break;
    }
}

/* False: no memory. */
static bool add_header(qi_place *p, const char *line) {
    struct curl_slist *more = curl_slist_append(p->headers, line);
    if (more) p->headers = more;
    return more != NULL;
}

static bool put_headers(qi_place *p) {
    const qi_endpoint *e = p->sender->options.endpoint;
    char line[QI_DELIVERY_KEY_BYTES + 32];
    snprintf(line, sizeof line, "Idempotency-Key: %s", p->delivery->key);
    curl_slist_free_all(p->headers);
    p->headers = NULL;
    if (e->authorization && !add_header(p, e->authorization)) return false;
    return p->phase != QI_SENDING ||
           (add_header(p, "Content-Type: application/octet-stream") && add_header(p, line));
}

static void put_upload(qi_place *p) {
    curl_easy_setopt(p->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->delivery->n_bytes);
    curl_easy_setopt(p->easy, CURLOPT_READFUNCTION, read_file);
    curl_easy_setopt(p->easy, CURLOPT_READDATA, p);
    curl_easy_setopt(p->easy, CURLOPT_SEEKFUNCTION, seek_file);
    curl_easy_setopt(p->easy, CURLOPT_SEEKDATA, p);
}

bool qi_place_request(qi_place *p) {
    qi_sender *s = p->sender;
    p->result_fd = -1;
    p->n_sent_bytes = 0;
    p->read_errno = p->write_errno = 0;
    p->shrunk = false;
    p->curl_text[0] = 0;
    qi_strbuf_clear(&p->body);
    put_url(p);
    if (!put_headers(p) || p->url.failed) return false;
    curl_easy_reset(p->easy);
    qi_endpoint_apply(s->options.endpoint, p->easy);
    curl_easy_setopt(p->easy, CURLOPT_URL, p->url.data);
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
    curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
    curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->curl_text);
    curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, write_answer);
    curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
    if (p->phase == QI_SENDING) put_upload(p);
    if (curl_multi_add_handle(s->multi, p->easy)) return false;
    p->running = true;
    p->uploading = p->phase == QI_SENDING;
    s->n_uploads += p->uploading;
    return true;
}
