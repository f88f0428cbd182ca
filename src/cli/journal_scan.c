/* The reader of journals; see journal_scan.h. */
#include "cli/journal_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/journal_record.h"
#include "output/page_record.h"

/* A run leaves no more documents begun than it has helpers; more than this are read anew. */
enum { MAX_BEGUN = 4096 };

static size_t slot_of(const qi_journal_scan *s, uint64_t key) {
    size_t i = key & (s->table_size - 1);
    while (s->table[i].key && s->table[i].key != key)
        i = (i + 1) & (s->table_size - 1);
    return i;
}

static quire_err grow_table(qi_journal_scan *s) {
    if (s->n_done < s->table_size / 2) return QUIRE_ERR_OK;
    qi_journal_scan larger = {.table_size = s->table_size ? s->table_size * 2 : 64};
    larger.table = calloc(larger.table_size, sizeof *larger.table);
    if (!larger.table) return QUIRE_ERR_NO_MEMORY;
    for (size_t i = 0; i < s->table_size; i++)
        if (s->table[i].key) larger.table[slot_of(&larger, s->table[i].key)] = s->table[i];
    free(s->table);
    s->table = larger.table;
    s->table_size = larger.table_size;
    return QUIRE_ERR_OK;
}

quire_err qi_journal_scan_add(qi_journal_scan *s, qi_journal_id id) {
    if (!id.key) return QUIRE_ERR_CORRUPT;
    quire_err err = grow_table(s);
    if (err) return err;
    size_t i = slot_of(s, id.key);
    s->n_done += !s->table[i].key;
    s->table[i] = id;
    return QUIRE_ERR_OK;
}

const qi_journal_id *qi_journal_scan_find(const qi_journal_scan *s, uint64_t key) {
    if (!s->table_size) return NULL;
    size_t i = slot_of(s, key);
    return s->table[i].key ? &s->table[i] : NULL;
}

static void free_begun(qi_journal_begun *b) {
    free(b->error_text);
    free(b->pages);
    free(b->with_pdf);
}

static void free_commit(qi_journal_commit *c) {
    for (uint32_t i = 0; i < c->n_files; i++)
        free(c->files[i].path);
    free(c->files);
}

void qi_journal_scan_done(qi_journal_scan *s) {
    for (size_t i = 0; i < s->n_begun; i++)
        free_begun(&s->begun[i]);
    for (size_t i = 0; i < s->n_commits; i++)
        free_commit(&s->commits[i]);
    free(s->begun);
    free(s->commits);
    free(s->table);
    free(s->head);
    *s = (qi_journal_scan){0};
}

/* What is known of a document but that it was done. */
static void forget(qi_journal_scan *s, uint64_t key) {
    for (size_t i = 0; i < s->n_begun; i++)
        if (s->begun[i].id.key == key) {
            free_begun(&s->begun[i]);
            s->begun[i--] = s->begun[--s->n_begun];
        }
    for (size_t i = 0; i < s->n_commits; i++)
        if (s->commits[i].id.key == key) {
            free_commit(&s->commits[i]);
            s->commits[i--] = s->commits[--s->n_commits];
        }
}

/* What a record's handling is told: the document whose pages follow, if any. */
typedef struct position {
    qi_journal_scan *scan;
    qi_journal_begun *open;
    qi_journal_extent extent;
} position;

static quire_err take_head(position *p, qi_bytes *in) {
    const char *text = qi_bytes_string(in);
    if (!text || p->scan->head) return QUIRE_ERR_CORRUPT;
    p->scan->head = strdup(text);
    return p->scan->head ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
}

static qi_journal_id take_id(qi_bytes *in) {
    qi_journal_id id = {.key = qi_bytes_u64(in)};
    id.content = qi_bytes_u64(in);
    return id;
}

static quire_err take_table(position *p, qi_bytes *in) {
    quire_err err = QUIRE_ERR_OK;
    while (!err && qi_bytes_left(in) >= 16)
        err = qi_journal_scan_add(p->scan, take_id(in));
    return err;
}

static quire_err take_files(qi_bytes *in, qi_journal_commit *c, uint32_t n) {
    c->files = calloc(n, sizeof *c->files);
    if (!c->files) return QUIRE_ERR_NO_MEMORY;
    for (; c->n_files < n; c->n_files++) {
        qi_journal_file *f = &c->files[c->n_files];
        f->inode = qi_bytes_u64(in);
        const char *path = qi_bytes_string(in);
        if (!path) return QUIRE_ERR_CORRUPT;
        f->path = strdup(path);
        if (!f->path) return QUIRE_ERR_NO_MEMORY;
    }
    return QUIRE_ERR_OK;
}

static quire_err take_commit(position *p, qi_bytes *in) {
    qi_journal_scan *s = p->scan;
    qi_journal_commit c = {.id = take_id(in)};
    c.replace = qi_bytes_u32(in) & QI_JOURNAL_REPLACE;
    const uint32_t n = qi_bytes_u32(in);
    if (in->bad || !n || n > QI_JOURNAL_MAX_FILES || !c.id.key) return QUIRE_ERR_CORRUPT;
    forget(s, c.id.key);
    quire_err err = take_files(in, &c, n);
    qi_journal_commit *more = NULL;
    if (!err) more = realloc(s->commits, (s->n_commits + 1) * sizeof *more);
    if (!more) {
        free_commit(&c);
        return err ? err : QUIRE_ERR_NO_MEMORY;
    }
    s->commits = more;
    more[s->n_commits++] = c;
    return QUIRE_ERR_OK;
}

static quire_err take_done(position *p) {
    qi_journal_scan *s = p->scan;
    quire_err err = QUIRE_ERR_OK;
    for (size_t i = 0; i < s->n_commits; i++) {
        if (!err) err = qi_journal_scan_add(s, s->commits[i].id);
        free_commit(&s->commits[i]);
    }
    s->n_commits = 0;
    return err;
}

/* Pages of a document go on where the ones before ended; else what there was is of no use. */
static quire_err take_open(position *p, qi_bytes *in) {
    qi_journal_scan *s = p->scan;
    const qi_journal_id id = take_id(in);
    const uint32_t n_before = qi_bytes_u32(in);
    if (in->bad || !id.key) return QUIRE_ERR_CORRUPT;
    for (size_t i = 0; i < s->n_begun && !p->open; i++)
        if (s->begun[i].id.key == id.key) p->open = &s->begun[i];
    if (p->open && p->open->id.content == id.content && p->open->earlier.n_pages == n_before)
        return QUIRE_ERR_OK;
    p->open = NULL;
    forget(s, id.key);
    if (n_before || s->n_begun == MAX_BEGUN) return QUIRE_ERR_OK;
    qi_journal_begun *more = realloc(s->begun, (s->n_begun + 1) * sizeof *more);
    if (!more) return QUIRE_ERR_NO_MEMORY;
    s->begun = more;
    p->open = &more[s->n_begun++];
    *p->open = (qi_journal_begun){.id = id};
    return QUIRE_ERR_OK;
}

static quire_err grow_pages(qi_journal_begun *b) {
    if (b->earlier.n_pages < b->capacity) return QUIRE_ERR_OK;
    if (b->capacity > UINT32_MAX / 4) return QUIRE_ERR_NO_MEMORY;
    const uint32_t capacity = b->capacity ? b->capacity * 2 : 16;
    qi_journal_extent *pages = realloc(b->pages, capacity * sizeof *pages);
    if (!pages) return QUIRE_ERR_NO_MEMORY;
    b->pages = pages;
    uint32_t *with_pdf = realloc(b->with_pdf, capacity * sizeof *with_pdf);
    if (!with_pdf) return QUIRE_ERR_NO_MEMORY;
    b->earlier.with_pdf = b->with_pdf = with_pdf;
    b->capacity = capacity;
    return QUIRE_ERR_OK;
}

static quire_err note_failed(qi_journal_begun *b, const quire_page *page) {
    quire_earlier_pages *e = &b->earlier;
    if (e->n_failed++) {
        if (e->error != page->error) e->errors_differ = true;
        return QUIRE_ERR_OK;
    }
    e->error = page->error;
    e->first_failed = page->index;
    b->error_text = strdup(page->error_text ? page->error_text : quire_err_text(page->error));
    e->error_text = b->error_text;
    return b->error_text ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
}

static quire_err take_page(position *p, qi_bytes *in) {
    qi_journal_begun *b = p->open;
    if (!b) return QUIRE_ERR_OK; /* of a document that is read anew */
    quire_page page;
    void *storage;
    quire_err err = qi_page_record_take(in, &page, &storage);
    if (err) return err;
    if (page.index < b->earlier.first_index || page.index == UINT32_MAX) err = QUIRE_ERR_CORRUPT;
    if (!err) err = grow_pages(b);
    if (!err && page.error) err = note_failed(b, &page);
    free(storage);
    if (err) return err;
    b->earlier.first_index = page.index + 1;
    b->pages[b->earlier.n_pages++] = p->extent;
    if (page.pdf) b->with_pdf[b->earlier.n_with_pdf++] = page.index;
    return QUIRE_ERR_OK;
}

static quire_err take_record(position *p, uint32_t kind, qi_bytes *in) {
    if (!p->scan->head && kind != QI_JOURNAL_HEAD) return QUIRE_ERR_CORRUPT;
    if (kind != QI_JOURNAL_PAGE) p->open = NULL;
    switch (kind) {
    case QI_JOURNAL_HEAD:
        return take_head(p, in);
    case QI_JOURNAL_TABLE:
        return take_table(p, in);
    case QI_JOURNAL_COMMIT:
        return take_commit(p, in);
    case QI_JOURNAL_DONE:
        return take_done(p);
    case QI_JOURNAL_OPEN:
        return take_open(p, in);
    case QI_JOURNAL_PAGE:
        return take_page(p, in);
    case QI_JOURNAL_DROP:
        forget(p->scan, qi_bytes_u64(in));
        return QUIRE_ERR_OK;
    default:
        return QUIRE_ERR_CORRUPT;
    }
}

/* The frame at the file's position into *frame, which grows as needed; false at the end of what is
 * sound. */
static bool read_frame(FILE *f, uint64_t n_left, char **frame, size_t *capacity, uint32_t *ret_kind,
                       uint32_t *ret_bytes) {
    char head[QI_RECORD_HEAD_BYTES];
    enum { AROUND = QI_RECORD_HEAD_BYTES + QI_RECORD_CHECK_BYTES };
    if (n_left < AROUND || fread(head, 1, sizeof head, f) != sizeof head) return false;
    if (!qi_record_head(head, ret_kind, ret_bytes) || *ret_bytes > n_left - AROUND) return false;
    const size_t n = (size_t)*ret_bytes + AROUND;
    if (n > *capacity) {
        char *larger = realloc(*frame, n);
        if (!larger) return false;
        *frame = larger;
        *capacity = n;
    }
    memcpy(*frame, head, sizeof head);
    return fread(*frame + sizeof head, 1, n - sizeof head, f) == n - sizeof head &&
           qi_record_is_sound(*frame, *ret_bytes);
}

static quire_err scan_records(FILE *f, uint64_t n_bytes, qi_journal_scan *s) {
    position p = {.scan = s};
    char *frame = NULL;
    size_t capacity = 0;
    uint32_t kind, n;
    quire_err err = QUIRE_ERR_OK;
    s->sound_bytes = QI_JOURNAL_MAGIC_BYTES;
    while (!err && read_frame(f, n_bytes - s->sound_bytes, &frame, &capacity, &kind, &n)) {
        p.extent =
            (qi_journal_extent){s->sound_bytes, n + QI_RECORD_HEAD_BYTES + QI_RECORD_CHECK_BYTES};
        qi_bytes in = qi_bytes_of(frame + QI_RECORD_HEAD_BYTES, n);
        err = take_record(&p, kind, &in);
        if (!err) s->sound_bytes += p.extent.n_bytes;
    }
    free(frame);
    s->torn = s->sound_bytes < n_bytes;
    if (err == QUIRE_ERR_CORRUPT && s->head) err = QUIRE_ERR_OK; /* torn, as it were */
    return err || s->head ? err : QUIRE_ERR_CORRUPT;
}

quire_err qi_journal_scan_file(int fd, qi_journal_scan *ret) {
    struct stat st;
    char magic[QI_JOURNAL_MAGIC_BYTES];
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) return QUIRE_ERR_CORRUPT;
    int own = dup(fd);
    FILE *f = own < 0 ? NULL : fdopen(own, "rb");
    if (!f) {
        if (own >= 0) close(own);
        return QUIRE_ERR_NO_MEMORY;
    }
    qi_journal_scan s = {0};
    quire_err err = QUIRE_ERR_CORRUPT;
    rewind(f);
    if (fread(magic, 1, sizeof magic, f) == sizeof magic) {
        if (!memcmp(magic, QI_JOURNAL_MAGIC, sizeof magic))
            err = scan_records(f, (uint64_t)st.st_size, &s);
        else if (!memcmp(magic, QI_JOURNAL_MAGIC, strlen("quire-journal ")))
            err = QUIRE_ERR_UNSUPPORTED;
    }
    fclose(f);
    if (err)
        qi_journal_scan_done(&s);
    else
        *ret = s;
    return err;
}
