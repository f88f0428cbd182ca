/* URLs of a service; see endpoint.h. */
#include "client/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_TIMEOUT_S = 15, SILENCE_S = 120, KEEPALIVE_S = 15 };

void qi_endpoint_put_parameter(qi_strbuf *out, const char *name, const char *value) {
    char *escaped = curl_easy_escape(NULL, value, 0);
    if (escaped)
        qi_strbuf_printf(out, "&%s=%s", name, escaped);
    else
        out->failed = true;
    curl_free(escaped);
}

static bool is_local_host(const char *host) {
    return !strncmp(host, "127.", 4) || !strcmp(host, "[::1]") || !strcasecmp(host, "localhost");
}

/* Whether text is a URL that a path can be put behind. */
static bool check_url(const char *text, bool *ret_is_local) {
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL, *extra = NULL;
    bool ok = u && !curl_url_set(u, CURLUPART_URL, text, 0) &&
              !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
              !curl_url_get(u, CURLUPART_HOST, &host, 0);
    ok = ok && (!strcmp(scheme, "http") || !strcmp(scheme, "https")) && *host;
    ok = ok && curl_url_get(u, CURLUPART_QUERY, &extra, 0) &&
         curl_url_get(u, CURLUPART_FRAGMENT, &extra, 0) &&
         curl_url_get(u, CURLUPART_USER, &extra, 0);
    if (ok) *ret_is_local = is_local_host(host);
    curl_free(scheme);
    curl_free(host);
    curl_free(extra);
    curl_url_cleanup(u);
    return ok;
}

/* What a header may hold: a key with a line break in it would be another header. */
static bool is_header_text(const char *text) {
    for (; *text; text++)
        if (*text <= 0x20 || *text >= 0x7F) return false;
    return true;
}

static void put_options(qi_strbuf *out, const qi_client_values *v) {
    char seconds[16];
    if (v->languages) qi_endpoint_put_parameter(out, "languages", v->languages);
    if (v->pages) qi_endpoint_put_parameter(out, "pages", v->pages);
    if (v->priority) qi_endpoint_put_parameter(out, "priority", v->priority);
    if (!v->deadline_ms) return;
    snprintf(seconds, sizeof seconds, "%u", v->deadline_ms / 1000 + (v->deadline_ms % 1000 > 0));
    qi_endpoint_put_parameter(out, "deadline", seconds);
}

quire_err qi_endpoint_open(const qi_client_values *v, qi_endpoint *ret, quire_diag *diag) {
    qi_endpoint e = {.cacert = v->cacert};
    char shown[240];
    if (!check_url(v->server, &e.is_local))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "--server %s: a service's URL is like http://127.0.0.1:8080",
                       qi_printable(shown, sizeof shown, v->server));
    if (v->key && !is_header_text(v->key))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "--key: a key has no spaces and no other than ASCII "
                       "characters; copy it anew");
    qi_strbuf url = {0}, options = {0}, authorization = {0};
    size_t n = strlen(v->server);
    while (n && v->server[n - 1] == '/')
        n--;
    qi_strbuf_append(&url, v->server, n);
    qi_strbuf_puts(&options, "");
    put_options(&options, v);
    if (v->key) qi_strbuf_printf(&authorization, "Authorization: Bearer %s", v->key);
    e.url = url.data;
    e.options = options.data;
    e.authorization = authorization.data;
    if (url.failed || options.failed || authorization.failed) {
        qi_endpoint_done(&e);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    }
    *ret = e;
    return QUIRE_ERR_OK;
}

void qi_endpoint_done(qi_endpoint *e) {
    free(e->url);
    free(e->options);
    free(e->authorization);
    *e = (qi_endpoint){0};
}

/* A transfer that is silent for two minutes is broken: the service says something every 15 s, and
 * waits no longer than 30 s where it says nothing. */
void qi_endpoint_apply(const qi_endpoint *e, CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "quire/" QUIRE_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    if (e->is_local) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (e->cacert) curl_easy_setopt(easy, CURLOPT_CAINFO, e->cacert);
}
