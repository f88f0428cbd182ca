/* Page ranges; see page_ranges.h. The text may come from a command line or a request, so nothing
 * in it is trusted; its parts take memory in proportion to its length. */
#include "read/page_ranges.h"

#include <stdlib.h>
#include <string.h>

typedef struct range {
    uint32_t first, last; /* 1-based, both included */
} range;

struct qi_page_ranges {
    uint32_t n;
    range at[];
};

/* Reads digits at *text; false when there is none or the number passes 4,294,967,294. */
static bool read_number(const char **text, uint32_t *ret) {
    uint64_t n = 0;
    const char *p = *text;
    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (uint64_t)(*p - '0');
        if (n >= UINT32_MAX) return false;
    }
    if (p == *text) return false;
    *text = p;
    *ret = (uint32_t)n;
    return true;
}

/* Reads one part up to a comma or the end. */
static bool read_part(const char **text, range *ret) {
    *ret = (range){1, UINT32_MAX};
    bool has_first = **text != '-';
    if (has_first && !read_number(text, &ret->first)) return false;
    if (**text != '-') {
        ret->last = ret->first;
    } else {
        ++*text;
        bool has_last = **text && **text != ',';
        if (has_last && !read_number(text, &ret->last)) return false;
        if (!has_first && !has_last) return false;
    }
    return (**text == ',' || !**text) && ret->first >= 1 && ret->first <= ret->last;
}

static int by_first(const void *a, const void *b) {
    const range *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* Sorts, and joins ranges that overlap or touch. */
static void join(qi_page_ranges *r) {
    qsort(r->at, r->n, sizeof *r->at, by_first);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        if (n > 0 && (uint64_t)r->at[n - 1].last + 1 >= r->at[i].first) {
            if (r->at[i].last > r->at[n - 1].last) r->at[n - 1].last = r->at[i].last;
        } else {
            r->at[n++] = r->at[i];
        }
    }
    r->n = n;
}

quire_err qi_page_ranges_parse(const char *text, qi_page_ranges **ret_ranges, quire_diag *diag) {
    size_t n = 1;
    for (const char *p = text; *p; p++)
        n += *p == ',';
    qi_page_ranges *r = n < UINT32_MAX ? malloc(sizeof *r + n * sizeof *r->at) : NULL;
    if (!r) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the page ranges");
    r->n = 0;
    const char *at = text;
    for (;;) {
        const char *part = at;
        if (!read_part(&at, &r->at[r->n])) {
            char bad[64], shown[160];
            size_t length = strcspn(part, ",");
            if (length >= sizeof bad) length = sizeof bad - 1;
            memcpy(bad, part, length);
            bad[length] = 0;
            free(r);
            return qi_fail(diag, QUIRE_ERR_USAGE,
                           "\"%s\" is no page range; pages count from 1 and are written as 7, "
                           "1-3, 5- or -3, with commas between",
                           qi_printable(shown, sizeof shown, bad));
        }
        r->n++;
        if (!*at) break;
        at++;
    }
    join(r);
    *ret_ranges = r;
    return QUIRE_ERR_OK;
}

void qi_page_ranges_free(qi_page_ranges *r) {
    free(r);
}

uint32_t qi_page_ranges_next(const qi_page_ranges *r, uint32_t page) {
    if (!r || page == UINT32_MAX) return page;
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->at[i].last - 1 < page) continue;
        return r->at[i].first - 1 > page ? r->at[i].first - 1 : page;
    }
    return UINT32_MAX;
}
