/* The loop of sender.h. */
#include "client/sender.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/sender_parts.h"

/* With wait so many documents for each upload are at the service: it reads several at a time, and
 * the more lines it has the better it fills its batches. */
enum { WAITING_PER_UPLOAD = 4 };

static quire_err open_all(qi_sender *s, quire_diag *diag) {
    const qi_sender_options *o = &s->options;
    s->n_places = o->n_parallel * (o->wait ? WAITING_PER_UPLOAD : 1);
    s->over_end = &s->over;
    s->places = calloc(s->n_places, sizeof *s->places);
    s->multi = curl_multi_init();
    bool ok = s->places && s->multi;
    for (uint32_t i = 0; ok && i < s->n_places; i++) {
        s->places[i].sender = s;
        s->places[i].easy = curl_easy_init();
        ok = s->places[i].easy != NULL;
    }
    if (!ok) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)s->n_places);
    return QUIRE_ERR_OK;
}

quire_err qi_sender_open(const qi_sender_options *options, qi_sender **ret, quire_diag *diag) {
    qi_sender *s = calloc(1, sizeof *s);
    if (!s) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    s->options = *options;
    quire_err err = curl_global_init(CURL_GLOBAL_DEFAULT)
                        ? qi_fail(diag, QUIRE_ERR_MISSING, "libcurl does not start")
                        : open_all(s, diag);
    if (err)
        qi_sender_close(s);
    else
        *ret = s;
    return err;
}

static void stop_request(qi_place *p) {
    if (!p->running) return;
    curl_multi_remove_handle(p->sender->multi, p->easy);
    p->running = false;
    p->sender->n_uploads -= p->uploading;
    p->uploading = false;
}

void qi_sender_close(qi_sender *s) {
    if (!s) return;
    if (s->multi) qi_sender_cancel(s);
    for (uint32_t i = 0; s->places && i < s->n_places; i++) {
        curl_easy_cleanup(s->places[i].easy);
        curl_slist_free_all(s->places[i].headers);
        qi_strbuf_done(&s->places[i].url);
        qi_strbuf_done(&s->places[i].body);
    }
    curl_multi_cleanup(s->multi);
    free(s->places);
    free(s);
    curl_global_cleanup();
}

bool qi_sender_has_room(const qi_sender *s) {
    return s->n_taken_places < s->n_places;
}

uint32_t qi_sender_n(const qi_sender *s) {
    return s->n_taken_places + s->n_over;
}

void qi_sender_add(qi_sender *s, qi_delivery *d) {
    qi_place *p = s->places;
    while (p->delivery)
        p++;
    p->delivery = d;
    p->phase = QI_SENDING;
    p->format = 0;
    p->at_ns = 0;
    p->n_failures = 0;
    p->failing_since_ns = 0;
    d->id[0] = 0;
    d->diag = (quire_diag){0};
    d->write_errno = 0;
    d->for_all = false;
    s->n_taken_places++;
}

void qi_place_end(qi_place *p) {
    qi_sender *s = p->sender;
    qi_delivery *d = p->delivery;
    close(d->fd);
    d->fd = -1;
    d->next = NULL;
    *s->over_end = d;
    s->over_end = &d->next;
    s->n_over++;
    s->n_taken_places--;
    p->delivery = NULL;
}

qi_delivery *qi_sender_take(qi_sender *s) {
    qi_delivery *d = s->over;
    if (!d) return NULL;
    s->over = d->next;
    if (!s->over) s->over_end = &s->over;
    s->n_over--;
    return d;
}

void qi_sender_cancel(qi_sender *s) {
    for (uint32_t i = 0; s->places && i < s->n_places; i++) {
        qi_place *p = &s->places[i];
        if (!p->delivery) continue;
        stop_request(p);
        qi_fail(&p->delivery->diag, QUIRE_ERR_CANCELLED, "cancelled");
        qi_place_end(p);
    }
}

/* When the place's request may begin; UINT64_MAX: when another upload is over. */
static uint64_t due_ns(const qi_place *p) {
    const qi_sender *s = p->sender;
    if (p->phase != QI_SENDING) return p->at_ns;
    if (s->n_uploads >= s->options.n_parallel) return UINT64_MAX;
    return p->at_ns > s->no_room_until_ns ? p->at_ns : s->no_room_until_ns;
}

/* Starts what is due; returns when the next will be. */
static uint64_t start_due(qi_sender *s) {
    const uint64_t now_ns = qi_clock_ns();
    uint64_t next_ns = UINT64_MAX;
    for (uint32_t i = 0; i < s->n_places; i++) {
        qi_place *p = &s->places[i];
        if (!p->delivery || p->running) continue;
        uint64_t at_ns = due_ns(p);
        if (at_ns <= now_ns) {
            if (qi_place_request(p)) continue;
            qi_fail(&p->delivery->diag, QUIRE_ERR_NO_MEMORY, "%s: memory ran out",
                    p->delivery->name);
            qi_place_end(p);
        } else if (at_ns < next_ns) {
            next_ns = at_ns;
        }
    }
    return next_ns;
}

static bool take_answers(qi_sender *s) {
    bool any = false;
    int n_left;
    for (CURLMsg *m; (m = curl_multi_info_read(s->multi, &n_left)) != NULL; any = true) {
        qi_place *p;
        const CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
        stop_request(p);
        qi_place_answered(p, code);
    }
    return any;
}

static int ms_until(uint64_t at_ns) {
    const uint64_t now_ns = qi_clock_ns();
    const uint64_t left_ms = at_ns > now_ns ? (at_ns - now_ns) / 1000000u + 1 : 0;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

void qi_sender_step(qi_sender *s, const int *others, uint32_t n_others, int ms) {
    const uint64_t until_ns = ms < 0 ? UINT64_MAX : qi_clock_ns() + (uint64_t)ms * 1000000u;
    struct curl_waitfd waits[QI_MAX_OTHERS] = {{0}};
    for (uint32_t i = 0; i < n_others; i++)
        waits[i] = (struct curl_waitfd){.fd = others[i], .events = CURL_WAIT_POLLIN};
    while (!s->over) {
        uint64_t next_ns = start_due(s);
        const uint32_t n_uploads = s->n_uploads;
        int n_running;
        if (curl_multi_perform(s->multi, &n_running)) break;
        if (take_answers(s) || s->n_uploads < n_uploads) continue; /* others may begin */
        if (s->over) break;
        if (next_ns > until_ns) next_ns = until_ns;
        if (curl_multi_poll(s->multi, waits, n_others, ms_until(next_ns), NULL)) break;
        for (uint32_t i = 0; i < n_others; i++)
            if (waits[i].revents) return;
        if (qi_clock_ns() >= until_ns) break;
    }
}
