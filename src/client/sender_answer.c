/* What answers mean for a delivery: go on, try again later, or its end. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "client/sender_parts.h"

enum {
    FIRST_DELAY_MS = 250,
    MAX_DELAY_MS = 30000,
    LOOK_AGAIN_MS = 500,     /* at a document whose events ended before it did */
    MAX_RETRY_AFTER_S = 3600 /* longer is not believed */
};

/* Of 1024ths, evenly. */
static uint64_t jitter(uint64_t ms) {
    uint16_t random = 512;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0) random = 512;
    return ms * (random % 1024u) / 1024;
}

static void put_off(qi_place *p, uint64_t ms) {
    p->at_ns = qi_clock_ns() + ms * 1000000u;
}

/* Half of what doubles each time, and up to as much again. */
static uint64_t backoff_ms(qi_place *p) {
    const uint32_t shift = p->n_failures < 8 ? p->n_failures : 8;
    uint64_t ms = (uint64_t)FIRST_DELAY_MS << shift;
    if (ms > MAX_DELAY_MS) ms = MAX_DELAY_MS;
    p->n_failures++;
    return ms / 2 + jitter(ms / 2);
}

static bool is_past(uint64_t since_ns, uint32_t ms) {
    return ms && qi_clock_ns() - since_ns >= (uint64_t)ms * 1000000u;
}

static void note_failing(qi_place *p) {
    if (!p->failing_since_ns) p->failing_since_ns = qi_clock_ns();
}

static void end_with(qi_place *p, quire_err code, const char *text) {
    char shown[160];
    qi_fail(&p->delivery->diag, code, "%s: %s",
            qi_printable(shown, sizeof shown, p->delivery->name), text);
    qi_place_end(p);
}

static void not_written(qi_place *p) {
    p->delivery->write_errno = p->write_errno;
    end_with(p, QUIRE_ERR_WRITE, strerror(p->write_errno));
}

/* What would meet every document. */
static void end_for_all(qi_place *p, quire_err code, const char *text, const char *remedy) {
    char shown[160];
    qi_fail(&p->delivery->diag, code, "%s: %s%s%s",
            qi_printable(shown, sizeof shown, p->sender->options.endpoint->url), text,
            *remedy ? "; " : "", remedy);
    p->delivery->for_all = true;
    qi_place_end(p);
}

static void say(qi_sender *s, bool *said, const char *what, const char *why) {
    char text[480], shown[160];
    if (*said) return;
    *said = true;
    snprintf(text, sizeof text, "%s: %s: %s; trying again",
             qi_printable(shown, sizeof shown, s->options.endpoint->url), what, why);
    s->options.note(s->options.context, text);
}

/* ---- no answer ---- */

/* The connection did not come about, or broke. */
static void broken(qi_place *p, CURLcode code) {
    qi_sender *s = p->sender;
    const char *why = *p->curl_text ? p->curl_text : curl_easy_strerror(code);
    const uint32_t limit_ms = s->options.unreachable_ms;
    if (!s->unreachable_since_ns) s->unreachable_since_ns = qi_clock_ns();
    note_failing(p);
    if (is_past(s->unreachable_since_ns, limit_ms))
        end_for_all(p, QUIRE_ERR_IO, why, "see that the service runs (quire serve) and --server");
    else if (is_past(p->failing_since_ns, limit_ms))
        end_with(p, QUIRE_ERR_IO, why);
    else {
        say(s, &s->said_unreachable, "no answer", why);
        put_off(p, backoff_ms(p));
    }
}

/* What trying again does not mend. */
static bool is_hopeless(CURLcode code) {
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
           code == CURLE_WEIRD_SERVER_REPLY;
}

static void failed(qi_place *p, CURLcode code) {
    if (p->shrunk)
        end_with(p, QUIRE_ERR_IO, "it became shorter while it was sent; send it again");
    else if (p->read_errno)
        end_with(p, QUIRE_ERR_IO, strerror(p->read_errno));
    else if (p->write_errno)
        not_written(p);
    else if (is_hopeless(code))
        end_for_all(p, QUIRE_ERR_IO, *p->curl_text ? p->curl_text : curl_easy_strerror(code),
                    code == CURLE_PEER_FAILED_VERIFICATION
                        ? "give the certificate it is signed with by --cacert"
                        : "see --server");
    else
        broken(p, code);
}

/* ---- an answer that may be another one later ---- */

static void refused_for_now(qi_place *p, long status, const char *why) {
    qi_sender *s = p->sender;
    curl_off_t after_s = 0;
    char text[64];
    curl_easy_getinfo(p->easy, CURLINFO_RETRY_AFTER, &after_s);
    if (after_s < 0 || after_s > MAX_RETRY_AFTER_S) after_s = MAX_RETRY_AFTER_S;
    snprintf(text, sizeof text, "HTTP status %ld", status);
    if (!*why) why = text;
    note_failing(p);
    if (is_past(p->failing_since_ns, s->options.refused_ms)) {
        end_with(p, status == 429 ? QUIRE_ERR_TIMEOUT : QUIRE_ERR_IO, why);
        return;
    }
    say(s, &s->said_no_room, "not now", why);
    uint64_t ms = backoff_ms(p);
    if (after_s) ms = (uint64_t)after_s * 1000u + jitter(1000);
    put_off(p, ms);
    if (status == 429 && p->phase == QI_SENDING)
        s->no_room_until_ns = qi_clock_ns() + (uint64_t)after_s * 1000000000u;
}

/* ---- answers ---- */

static void go_to(qi_place *p, qi_phase phase) {
    p->phase = phase;
    p->at_ns = 0;
    p->n_failures = 0;
    p->failing_since_ns = 0;
}

static const char *location_of(qi_place *p) {
    struct curl_header *h;
    if (curl_easy_header(p->easy, "Location", 0, CURLH_HEADER, -1, &h)) return "";
    return h->value;
}

static void not_a_service(qi_place *p, long status) {
    char text[80];
    snprintf(text, sizeof text, "it does not answer as Quire's service does (HTTP status %ld)",
             status);
    end_for_all(p, QUIRE_ERR_IO, text, "see --server");
}

/* A result has come whole: the next, or the end. */
static void next_result(qi_place *p) {
    qi_delivery *d = p->delivery;
    if (qi_place_result(p) < 0) { /* an empty one, too, is a file */
        not_written(p);
        return;
    }
    go_to(p, QI_FETCHING);
    if (++p->format == d->n_formats) qi_place_end(p);
}

static void look_at_document(qi_place *p, long status) {
    qi_delivery *d = p->delivery;
    qi_answer_document a;
    if (!qi_answer_take_document(&p->body, &a)) {
        not_a_service(p, status);
        return;
    }
    const bool was_sending = p->phase == QI_SENDING;
    if (was_sending) strcpy(d->id, a.id);
    if (!p->sender->options.wait) {
        qi_place_end(p);
    } else if (a.state == QI_ANSWER_DONE) {
        go_to(p, QI_FETCHING);
    } else if (a.state == QI_ANSWER_FAILED) {
        d->diag = a.fate;
        qi_place_end(p);
    } else if (a.state == QI_ANSWER_CANCELLED) {
        end_with(p, QUIRE_ERR_CANCELLED, "it was cancelled at the service");
    } else {
        go_to(p, QI_FOLLOWING);
        if (!was_sending) put_off(p, LOOK_AGAIN_MS);
    }
}

/* 4xx, and what a document that was waited for ended with. */
static void problem(qi_place *p, long status, const qi_answer_problem *a) {
    quire_diag *diag = &p->delivery->diag;
    const bool is_accepted = qi_answer_take_location(location_of(p), p->delivery->id);
    if (!is_accepted && (status == 401 || status == 403))
        end_for_all(p, QUIRE_ERR_NO_PERMISSION, a->diag.text,
                    "give a key of the service by QUIRE_KEY");
    else if (!strcmp(a->code, "bad_parameter"))
        end_for_all(p, QUIRE_ERR_USAGE, a->diag.text, "");
    else if (is_accepted) {
        *diag = a->diag; /* names the document */
        if (!diag->code) diag->code = QUIRE_ERR_INTERNAL;
        qi_place_end(p);
    } else
        end_with(p, a->diag.code ? a->diag.code : QUIRE_ERR_IO, a->diag.text);
}

void qi_place_answered(qi_place *p, CURLcode code) {
    qi_sender *s = p->sender;
    long status = 0;
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code) {
        failed(p, code);
        return;
    }
    qi_answer_problem a = {""};
    const bool is_problem = status >= 400 && qi_answer_take_problem(&p->body, &a);
    const bool has_ended = is_problem && p->phase == QI_SENDING && *location_of(p);
    s->unreachable_since_ns = 0;
    s->said_unreachable = false;
    if ((status == 408 || status == 429 || status >= 500) && !has_ended) {
        refused_for_now(p, status, a.diag.text);
        return;
    }
    if (p->phase == QI_SENDING) s->said_no_room = false;
    if (qi_place_is_result(p)) {
        if (p->phase == QI_SENDING && !qi_answer_take_location(location_of(p), p->delivery->id))
            not_a_service(p, status);
        else
            next_result(p);
    } else if (is_problem) {
        problem(p, status, &a);
    } else if (status == 200 && p->phase == QI_FOLLOWING) {
        go_to(p, QI_ASKING);
    } else if ((status == 202 && p->phase == QI_SENDING) ||
               (status == 200 && p->phase == QI_ASKING)) {
        look_at_document(p, status);
    } else {
        not_a_service(p, status);
    }
}
