/* The plan of run_plan.h. A record: flags, shared length, rest length, rest of the path, and the
 * result's place in the path, or the result itself where it is no end of the path. Lengths are
 * base-128 numbers, low digits first. */
#include "cli/run_plan.h"

#include <stdlib.h>
#include <string.h>

enum { FOUND = 1, OWN_RESULT = 2 };

static void put_number(qi_strbuf *out, size_t v) {
    unsigned char digits[10];
    size_t n = 0;
    do {
        digits[n++] = (unsigned char)((v & 0x7F) | (v > 0x7F ? 0x80 : 0));
        v >>= 7;
    } while (v);
    qi_strbuf_append(out, digits, n);
}

static size_t take_number(const qi_strbuf *in, size_t *at) {
    size_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        unsigned char c = (unsigned char)in->data[(*at)++];
        v |= (size_t)(c & 0x7F) << shift;
        if (!(c & 0x80)) return v;
    }
}

static uint64_t hash_of(const char *s) {
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a, its high bits folded in */
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001B3u;
    return h ^ h >> 29;
}

static bool grow_hashes(qi_plan *p) {
    if (p->n < p->capacity) return true;
    size_t capacity = p->capacity ? p->capacity * 2 : 1024;
    uint64_t *hashes = realloc(p->hashes, capacity * sizeof *hashes);
    if (!hashes) return false;
    p->hashes = hashes;
    p->capacity = capacity;
    return true;
}

quire_err qi_plan_add(qi_plan *p, const qi_input *input) {
    if (!grow_hashes(p)) return QUIRE_ERR_NO_MEMORY;
    const size_t n = strlen(input->path), n_result = strlen(input->result);
    bool is_end = n_result <= n && !strcmp(input->path + n - n_result, input->result);
    size_t shared = 0;
    while (shared < p->last.length && p->last.data[shared] == input->path[shared])
        shared++;
    const char flags = (char)((input->found ? FOUND : 0) | (is_end ? 0 : OWN_RESULT));
    qi_strbuf_append(&p->bytes, &flags, 1);
    put_number(&p->bytes, shared);
    put_number(&p->bytes, n - shared);
    qi_strbuf_append(&p->bytes, input->path + shared, n - shared);
    put_number(&p->bytes, n_result);
    if (!is_end) qi_strbuf_append(&p->bytes, input->result, n_result);
    p->last.length = shared;
    qi_strbuf_append(&p->last, input->path + shared, n - shared);
    p->hashes[p->n++] = hash_of(input->result);
    return p->bytes.failed || p->last.failed ? QUIRE_ERR_NO_MEMORY : QUIRE_ERR_OK;
}

bool qi_plan_next(qi_plan *p, qi_input *ret_input) {
    if (p->at == 0) qi_strbuf_clear(&p->last);
    if (p->at == p->bytes.length) return false;
    const char flags = p->bytes.data[p->at++];
    p->last.length = take_number(&p->bytes, &p->at);
    size_t n = take_number(&p->bytes, &p->at);
    qi_strbuf_append(&p->last, p->bytes.data + p->at, n);
    p->at += n;
    size_t n_result = take_number(&p->bytes, &p->at);
    const char *result = p->last.data + p->last.length - n_result;
    if (flags & OWN_RESULT) {
        qi_strbuf_clear(&p->result);
        qi_strbuf_append(&p->result, p->bytes.data + p->at, n_result);
        p->at += n_result;
        result = p->result.data;
    }
    if (p->last.failed || p->result.failed) return false;
    *ret_input = (qi_input){p->last.data, result, (flags & FOUND) != 0};
    return true;
}

void qi_plan_rewind(qi_plan *p) {
    p->at = 0;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Moves the hashes that occur twice to the front, each once; returns how many. */
static size_t keep_repeated(uint64_t *hashes, size_t n) {
    size_t kept = 0;
    for (size_t i = 1; i < n; i++)
        if (hashes[i] == hashes[i - 1] && (!kept || hashes[kept - 1] != hashes[i]))
            hashes[kept++] = hashes[i];
    return kept;
}

typedef struct suspect {
    char *result, *path;
} suspect;

static int by_result(const void *a, const void *b) {
    const suspect *x = a, *y = b;
    int order = strcmp(x->result, y->result);
    return order ? order : strcmp(x->path, y->path);
}

static quire_err fail_conflict(const suspect *pair, quire_diag *diag) {
    char a[120], b[120], result[120];
    if (!strcmp(pair[0].path, pair[1].path))
        return qi_fail(diag, QUIRE_ERR_CONFLICT, "%s: listed twice; leave one of them out",
                       qi_printable(a, sizeof a, pair[0].path));
    return qi_fail(diag, QUIRE_ERR_CONFLICT,
                   "%s and %s would both write the results %s.*; read them into different folders "
                   "(-o), or name a folder that holds both",
                   qi_printable(a, sizeof a, pair[0].path), qi_printable(b, sizeof b, pair[1].path),
                   qi_printable(result, sizeof result, pair[0].result));
}

/* Compares the names of all inputs with one of n hashes. */
static quire_err compare_names(qi_plan *p, size_t n_hashes, quire_diag *diag) {
    quire_err err = QUIRE_ERR_OK;
    suspect *list = NULL;
    size_t n = 0;
    qi_input input;
    while (!err && qi_plan_next(p, &input)) {
        uint64_t hash = hash_of(input.result);
        if (!bsearch(&hash, p->hashes, n_hashes, sizeof hash, by_value)) continue;
        suspect *more = realloc(list, (n + 1) * sizeof *list);
        if (more) list = more;
        suspect s = {more ? strdup(input.result) : NULL, more ? strdup(input.path) : NULL};
        if (s.result && s.path) {
            list[n++] = s;
            continue;
        }
        free(s.result);
        free(s.path);
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    }
    qi_plan_rewind(p);
    if (n) qsort(list, n, sizeof *list, by_result);
    for (size_t i = 1; !err && i < n; i++)
        if (!strcmp(list[i - 1].result, list[i].result)) err = fail_conflict(&list[i - 1], diag);
    for (size_t i = 0; i < n; i++) {
        free(list[i].result);
        free(list[i].path);
    }
    free(list);
    return err;
}

quire_err qi_plan_check(qi_plan *p, quire_diag *diag) {
    quire_err err = QUIRE_ERR_OK;
    if (p->n) qsort(p->hashes, p->n, sizeof *p->hashes, by_value);
    size_t n_repeated = keep_repeated(p->hashes, p->n);
    if (n_repeated) err = compare_names(p, n_repeated, diag);
    free(p->hashes);
    p->hashes = NULL;
    return err;
}

void qi_plan_done(qi_plan *p) {
    qi_strbuf_done(&p->bytes);
    qi_strbuf_done(&p->last);
    qi_strbuf_done(&p->result);
    free(p->hashes);
    *p = (qi_plan){0};
}
