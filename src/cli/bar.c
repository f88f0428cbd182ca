/* Drawing of bar.h. Names of files are not shown, so all is ASCII and a column a byte. */
#include "cli/bar.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"

#define SAMPLE_NS UINT64_C(1000000000)

enum { MIN_BAR = 10, MAX_BAR = 40, N_PARTS = 5, PART_SIZE = 80, DEFAULT_COLUMNS = 80 };

/* Parts in the order they are shown; those with the lowest rank go first where room is short. */
typedef struct parts {
    char text[N_PARTS][PART_SIZE];
    int rank[N_PARTS];
    int n;
} parts;

static size_t columns(void) {
    struct winsize size;
    return ioctl(2, TIOCGWINSZ, &size) || !size.ws_col ? DEFAULT_COLUMNS : size.ws_col;
}

/* How much of the run is behind us, by documents and the pages of the one at hand; 0: not known. */
static double share_of(const qi_bar *b, const qi_run_totals *t) {
    if (!t->n_documents) return 0;
    double n = (double)qi_run_totals_settled(t);
    if (b->n_pages) n += (double)b->n_pages_behind / b->n_pages;
    return n < (double)t->n_documents ? n / (double)t->n_documents : 1;
}

static void take_sample(qi_bar *b, const qi_run_totals *t, uint64_t now) {
    const qi_bar_sample *last = &b->samples[(b->n_samples - 1) % QI_BAR_SAMPLES];
    if (b->n_samples && now - last->at_ns < SAMPLE_NS) return;
    b->samples[b->n_samples++ % QI_BAR_SAMPLES] = (qi_bar_sample){now, t->n_pages, share_of(b, t)};
}

static qi_bar_sample oldest(const qi_bar *b, const qi_run_totals *t) {
    if (!b->n_samples) return (qi_bar_sample){.at_ns = t->started_ns};
    return b->samples[b->n_samples < QI_BAR_SAMPLES ? 0 : b->n_samples % QI_BAR_SAMPLES];
}

static char *add_part(parts *p, int rank) {
    p->rank[p->n] = rank;
    return p->text[p->n++];
}

static void put_remaining(parts *p, double seconds) {
    const unsigned long s = seconds < 3600000 ? (unsigned long)(seconds + 0.5) : 3600000;
    if (s >= 3600)
        snprintf(add_part(p, 1), PART_SIZE, "%lu:%02lu:%02lu left", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(add_part(p, 1), PART_SIZE, "%lu:%02lu left", s / 60, s % 60);
}

static void put_pages(parts *p, const qi_bar *b, const qi_run_totals *t) {
    const unsigned long long n = t->n_pages + t->n_earlier_pages;
    const bool is_last = t->n_documents && qi_run_totals_settled(t) + 1 == t->n_documents;
    char *out = add_part(p, 4);
    if (is_last && b->n_pages && b->all_pages)
        snprintf(out, PART_SIZE, "%llu/%llu pages", n, n - b->n_pages_behind + b->n_pages);
    else
        snprintf(out, PART_SIZE, "%llu page%s", n, n == 1 ? "" : "s");
}

static void list_parts(parts *p, const qi_bar *b, const qi_run_totals *t, uint64_t now) {
    const unsigned long long n = qi_run_totals_settled(t);
    const qi_bar_sample from = oldest(b, t);
    const double seconds = (double)(now - from.at_ns + 1) * 1e-9, share = share_of(b, t);
    char *documents = add_part(p, 5);
    if (t->n_documents)
        snprintf(documents, PART_SIZE, "%llu/%llu documents", n,
                 (unsigned long long)t->n_documents);
    else
        snprintf(documents, PART_SIZE, "%llu document%s", n, n == 1 ? "" : "s");
    put_pages(p, b, t);
    snprintf(add_part(p, 2), PART_SIZE, "%.1f pages/s",
             (double)(t->n_pages - from.n_pages) / seconds);
    if (t->n_failed)
        snprintf(add_part(p, 3), PART_SIZE, "%llu failed", (unsigned long long)t->n_failed);
    if (share > from.share && share < 1 && seconds >= 1)
        put_remaining(p, (1 - share) / (share - from.share) * seconds);
}

static size_t length_of(const parts *p) {
    size_t n = 0;
    for (int i = 0; i < p->n; i++)
        n += strlen(p->text[i]) + (i ? 2 : 0);
    return n;
}

static void drop_least(parts *p) {
    int least = 0;
    for (int i = 1; i < p->n; i++)
        if (p->rank[i] < p->rank[least]) least = i;
    p->n--;
    for (int i = least; i < p->n; i++) {
        memcpy(p->text[i], p->text[i + 1], PART_SIZE);
        p->rank[i] = p->rank[i + 1];
    }
}

static void put_parts(qi_strbuf *out, const parts *p) {
    for (int i = 0; i < p->n; i++)
        qi_strbuf_printf(out, "%s%s", i ? ", " : "", p->text[i]);
}

/* The last column stays free: writing there makes some terminals begin a new line. */
static void put_bar(qi_strbuf *out, const qi_bar *b, const qi_run_totals *t, parts *p) {
    const size_t room = columns() - 1;
    while (p->n > 1 && length_of(p) > room)
        drop_least(p);
    const size_t start = out->length, text = length_of(p);
    if (t->n_documents && text + MIN_BAR + 3 <= room) {
        size_t width = room - text - 3;
        if (width > MAX_BAR) width = MAX_BAR;
        const size_t filled = (size_t)(share_of(b, t) * (double)width);
        qi_strbuf_puts(out, "[");
        for (size_t i = 0; i < width; i++)
            qi_strbuf_puts(out, i < filled ? "#" : ".");
        qi_strbuf_puts(out, "] ");
    }
    put_parts(out, p);
    if (!out->failed && out->length > start + room) out->length = start + room;
}

void qi_bar_draw(qi_bar *b, const qi_run_totals *t, bool now, qi_strbuf *out) {
    const uint64_t at = qi_clock_ns(), every = b->plain ? QI_BAR_PLAIN_NS : QI_BAR_REDRAW_NS;
    if (!b->drawn_ns) b->drawn_ns = t->started_ns;
    if (at - b->drawn_ns < every && (b->plain || !now)) return;
    parts p = {.n = 0};
    b->drawn_ns = at;
    list_parts(&p, b, t, at);
    take_sample(b, t, at);
    if (b->plain) {
        qi_strbuf_puts(out, "quire: ");
        put_parts(out, &p);
        qi_strbuf_puts(out, "\n");
        return;
    }
    qi_strbuf_puts(out, "\r\033[K");
    put_bar(out, b, t, &p);
    b->shown = true;
}

void qi_bar_clear(qi_bar *b, qi_strbuf *out) {
    if (b->shown) qi_strbuf_puts(out, "\r\033[K");
    b->shown = false;
}
