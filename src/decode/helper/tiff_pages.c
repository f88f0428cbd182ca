/* Walks a TIFF's chain of directories; see tiff_pages.h. A circle is found as Brent does it: the
 * chain's position is remembered at each power of two and compared with what follows. */
#include "decode/helper/tiff_pages.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    const uint8_t *bytes;
    size_t n_bytes;
    bool big_endian, big_file;
} walk;

/* An unsigned number of n bytes; false outside the file. */
static bool number(const walk *w, uint64_t at, int n, uint64_t *ret) {
    if (at > w->n_bytes || w->n_bytes - at < (uint64_t)n) return false;
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint64_t)w->bytes[at + (uint64_t)i] << 8 * (w->big_endian ? n - 1 - i : i);
    *ret = v;
    return true;
}

enum { NEW_SUBFILE_TYPE = 254, REDUCED = 1, MASK = 4 };

/* Reads one directory: its kind and the offset of the next. */
static bool directory(const walk *w, uint64_t at, bool *ret_is_page, uint64_t *ret_next) {
    int count_bytes = w->big_file ? 8 : 2, entry_bytes = w->big_file ? 20 : 12;
    uint64_t n, tag, value;
    if (!number(w, at, count_bytes, &n) || n == 0 || n > 65535) return false;
    at += (uint64_t)count_bytes;
    *ret_is_page = true;
    for (uint64_t i = 0; i < n; i++, at += (uint64_t)entry_bytes) {
        if (!number(w, at, 2, &tag)) return false;
        if (tag != NEW_SUBFILE_TYPE) continue;
        if (!number(w, at + (w->big_file ? 12 : 8), 4, &value)) return false;
        *ret_is_page = !(value & (REDUCED | MASK));
    }
    return number(w, at, w->big_file ? 8 : 4, ret_next);
}

static bool append(qi_tiff_pages *pages, uint64_t offset) {
    if ((pages->n & (pages->n - 1)) == 0) { /* at every power of two */
        size_t capacity = pages->n ? (size_t)pages->n * 2 : 1;
        uint64_t *more = realloc(pages->offsets, capacity * sizeof *more);
        if (!more) return false;
        pages->offsets = more;
    }
    pages->offsets[pages->n++] = offset;
    return true;
}

static quire_err walk_chain(const walk *w, uint64_t at, bool all, qi_tiff_pages *pages,
                            quire_diag *diag) {
    uint64_t remembered = 0, steps = 0, power = 1;
    while (at) {
        if (at == remembered)
            return qi_fail(diag, QUIRE_ERR_CORRUPT,
                           "the TIFF is damaged (its pages run in a circle); save it again");
        if (++steps == power) {
            remembered = at;
            power *= 2;
        }
        if (steps > QI_TIFF_MAX_PAGES)
            return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "the TIFF has more than %d pages; split it",
                           QI_TIFF_MAX_PAGES);
        bool is_page = true;
        uint64_t next = 0;
        bool readable = directory(w, at, &is_page, &next);
        if (!readable && steps == 1)
            return qi_fail(
                diag, QUIRE_ERR_CORRUPT,
                "the TIFF is incomplete (its first directory is missing); copy it again");
        if ((is_page || all || !readable) && !append(pages, at))
            return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the TIFF's list of pages");
        if (!readable) break;
        at = next;
    }
    return QUIRE_ERR_OK;
}

quire_err qi_tiff_pages_read(const qi_input *input, qi_tiff_pages *ret_pages, quire_diag *diag) {
    walk w = {.bytes = input->bytes, .n_bytes = input->n_bytes};
    uint64_t first = 0;
    if (w.n_bytes >= 4) {
        w.big_endian = w.bytes[0] == 'M';
        w.big_file = w.bytes[w.big_endian ? 3 : 2] == 43;
    }
    if (!number(&w, w.big_file ? 8 : 4, w.big_file ? 8 : 4, &first) || !first)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the TIFF is incomplete (it ends in its header); copy it again");
    qi_tiff_pages pages = {0};
    quire_err e = walk_chain(&w, first, false, &pages, diag);
    if (!e && !pages.n) e = walk_chain(&w, first, true, &pages, diag);
    if (e) {
        qi_tiff_pages_done(&pages);
        return e;
    }
    *ret_pages = pages;
    return QUIRE_ERR_OK;
}

void qi_tiff_pages_done(qi_tiff_pages *pages) {
    free(pages->offsets);
    *pages = (qi_tiff_pages){0};
}
