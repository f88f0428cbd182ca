/* The thread behind committer.h. */
#include "cli/committer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/journal_record.h"
#include "output/page_record.h"

/* What may wait before the caller does, and how many files are synced at once: the file system
 * puts syncs that come together into one write. */
enum { MAX_WAITING_FILES = 2 * QI_COMMIT_MAX_FILES, MAX_WAITING_BYTES = 8 << 20, MAX_SYNCS = 8 };

typedef struct group {
    qi_commit *first, **last;
    size_t n_files;
    qi_strbuf pages; /* records */
} group;

struct qi_committer {
    qi_journal *journal;
    const char *folder;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, progress;
    group waiting;
    uint64_t due_ns; /* of what waits */
    size_t n_unsettled;
    qi_commit *settled, **last_settled;
    bool stop;
    int error;
    /* The document at hand, of the caller. */
    qi_journal_id id;
    bool with_pages;
    uint32_t n_before;
    size_t start; /* of what is its own in waiting.pages */
    /* Of the thread. */
    qi_strbuf records, carry; /* carry: what the next group's records begin with */
    bool uncertain;           /* there are COMMITs without DONE */
};

/* ---- the group's way to the disk ------------------------------------------------------------ */

static void fail(qi_commit *c, int e, const char *path) {
    if (!e || c->error) return;
    c->error = e;
    c->failed_path = strdup(path);
}

/* Files that several threads take turns at. */
typedef struct sync_list {
    qi_result_file *files[2 * MAX_WAITING_FILES];
    qi_commit *owners[2 * MAX_WAITING_FILES];
    int errors[2 * MAX_WAITING_FILES];
    size_t n;
    atomic_size_t next;
} sync_list;

static void *sync_some(void *context) {
    sync_list *list = context;
    for (size_t i; (i = atomic_fetch_add(&list->next, 1)) < list->n;)
        list->errors[i] = qi_result_file_sync(list->files[i]);
    return NULL;
}

static void run_list(sync_list *list) {
    pthread_t threads[MAX_SYNCS];
    size_t n = 0;
    atomic_store(&list->next, 0);
    while (n + 1 < MAX_SYNCS && n + 1 < list->n &&
           !pthread_create(&threads[n], NULL, sync_some, list))
        n++;
    sync_some(list);
    while (n)
        pthread_join(threads[--n], NULL);
    for (size_t i = 0; i < list->n; i++)
        fail(list->owners[i], list->errors[i], list->files[i]->path);
    list->n = 0;
}

static void sync_files(group *g) {
    sync_list list = {.n = 0};
    for (qi_commit *c = g->first; c; c = c->next) {
        for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++) {
            if (c->files[i].fd < 0) continue;
            list.files[list.n] = &c->files[i];
            list.owners[list.n++] = c;
        }
        if (list.n > MAX_WAITING_FILES) run_list(&list);
    }
    if (list.n) run_list(&list);
}

static uint32_t count_files(const qi_commit *c) {
    uint32_t n = 0;
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        n += c->files[i].fd >= 0;
    return n;
}

static void put_drop(qi_strbuf *out, qi_journal_id id) {
    size_t start = qi_record_begin(out, QI_JOURNAL_DROP);
    qi_strbuf_put_u64(out, id.key);
    qi_record_end(out, start);
}

static const char *below(const qi_committer *m, const char *path) {
    path += strlen(m->folder);
    while (*path == '/')
        path++;
    return path;
}

static void put_commit(qi_committer *m, qi_commit *c) {
    qi_strbuf *out = &m->records;
    size_t start = qi_record_begin(out, QI_JOURNAL_COMMIT);
    qi_strbuf_put_u64(out, c->id.key);
    qi_strbuf_put_u64(out, c->id.content);
    qi_strbuf_put_u32(out, c->replace ? QI_JOURNAL_REPLACE : 0);
    qi_strbuf_put_u32(out, count_files(c));
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++) {
        if (c->files[i].fd < 0) continue;
        qi_strbuf_put_u64(out, qi_result_file_inode(&c->files[i]));
        qi_strbuf_put_string(out, below(m, c->files[i].path));
    }
    qi_record_end(out, start);
}

static void put_done(qi_committer *m, qi_strbuf *out) {
    if (m->uncertain) qi_record_end(out, qi_record_begin(out, QI_JOURNAL_DONE));
    m->uncertain = false;
}

/* Says in the journal what is about to happen. */
static int tell_journal(qi_committer *m, group *g) {
    qi_strbuf *out = &m->records;
    qi_strbuf_clear(out);
    qi_strbuf_append(out, m->carry.data, m->carry.length);
    qi_strbuf_clear(&m->carry);
    put_done(m, out);
    bool commits = false;
    for (qi_commit *c = g->first; c; c = c->next) {
        if (!c->in_journal) continue;
        if (c->dropped || c->error) {
            put_drop(out, c->id);
        } else if (count_files(c)) {
            put_commit(m, c);
            commits = true;
        }
    }
    qi_strbuf_append(out, g->pages.data, g->pages.length);
    if (g->pages.failed) out->failed = true;
    int e = out->length || out->failed ? qi_journal_append(m->journal, out) : 0;
    m->uncertain = commits && !e;
    return e;
}

static void discard(qi_commit *c) {
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        qi_result_file_discard(&c->files[i]);
}

/* Gives a file its name. A result that appeared meanwhile is as good as one that was there. The
 * folder is left for later, unless those above it are new as well. */
static int name_file(qi_committer *m, qi_result_file *f, bool replace, const char *path,
                     qi_strbuf *folders) {
    const bool made_folders = f->made_folders;
    int e = qi_result_file_commit(f, replace);
    if (e && e != EEXIST) return e;
    if (made_folders) return qi_result_folders_sync(path, m->folder);
    qi_strbuf_append(folders, path, (size_t)(strrchr(path, '/') - path + 1));
    qi_strbuf_append(folders, "", 1);
    return 0;
}

static void name_files(qi_committer *m, qi_commit *c, qi_strbuf *folders) {
    bool named = false;
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS && !c->error; i++) {
        if (c->files[i].fd < 0) continue;
        named = true;
        char *path = strdup(c->files[i].path);
        fail(c, path ? name_file(m, &c->files[i], c->replace, path, folders) : ENOMEM,
             path ? path : m->folder);
        free(path);
    }
    if (c->error && named && c->in_journal) put_drop(&m->carry, c->id);
}

/* Syncs each folder of a list of names with their NULs once; neighbours are mostly the same. */
static int sync_folders(const qi_strbuf *folders) {
    int e = folders->failed ? ENOMEM : 0;
    if (!folders->length) return e;
    const char *end = folders->data + folders->length;
    for (const char *at = folders->data; at < end && !e; at += strlen(at) + 1) {
        bool seen = false;
        for (const char *other = folders->data; other < at && !seen; other += strlen(other) + 1)
            seen = !strcmp(other, at);
        if (!seen) e = qi_result_folders_sync(at, NULL);
    }
    return e;
}

/* After this every document of the group has its error or is durable. */
static void write_group(qi_committer *m, group *g) {
    qi_strbuf folders = {0};
    int e = m->error;
    if (!e) sync_files(g);
    if (!e && m->journal) e = tell_journal(m, g);
    if (e) {
        pthread_mutex_lock(&m->lock);
        m->error = e;
        pthread_mutex_unlock(&m->lock);
    }
    for (qi_commit *c = g->first; c; c = c->next) {
        if (e && count_files(c)) fail(c, e, m->folder);
        if (!c->error) name_files(m, c, &folders);
        discard(c);
    }
    e = sync_folders(&folders);
    for (qi_commit *c = g->first; e && c; c = c->next)
        fail(c, e, m->folder);
    qi_strbuf_done(&folders);
}

/* Says what became of the last group, and makes the journal smaller if that is worth it. */
static void tidy(qi_committer *m, bool closing) {
    if (!m->journal || m->error) return;
    const bool is_large = qi_journal_is_large(m->journal, closing);
    if (!closing && !is_large) return;
    qi_strbuf *out = &m->carry;
    put_done(m, out);
    if (out->length && qi_journal_append(m->journal, out)) return;
    qi_strbuf_clear(out);
    if (is_large) qi_journal_tidy(m->journal);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static bool is_empty(const group *g) {
    return !g->first && !g->pages.length;
}

/* Waits until a group is due; false when there will be none. */
static bool wait_for_group(qi_committer *m) {
    for (;;) {
        const bool empty = is_empty(&m->waiting);
        if (m->stop) return !empty;
        if (empty) {
            pthread_cond_wait(&m->work, &m->lock);
            continue;
        }
        if (m->waiting.n_files >= QI_COMMIT_MAX_FILES || qi_clock_ns() >= m->due_ns) return true;
        const struct timespec due = {(time_t)(m->due_ns / 1000000000),
                                     (long)(m->due_ns % 1000000000)};
        pthread_cond_timedwait(&m->work, &m->lock, &due);
    }
}

static void settle(qi_committer *m, const group *g) {
    for (qi_commit *c = g->first; c; c = c->next)
        m->n_unsettled--;
    if (g->first) {
        *m->last_settled = g->first;
        m->last_settled = g->last;
    }
    pthread_cond_broadcast(&m->progress);
}

static void *run(void *context) {
    qi_committer *m = context;
    pthread_mutex_lock(&m->lock);
    while (wait_for_group(m)) {
        group g = m->waiting;
        m->waiting = (group){.last = &m->waiting.first};
        m->start = 0;
        pthread_cond_broadcast(&m->progress);
        pthread_mutex_unlock(&m->lock);
        write_group(m, &g);
        qi_strbuf_done(&g.pages);
        tidy(m, false);
        pthread_mutex_lock(&m->lock);
        settle(m, &g);
    }
    pthread_mutex_unlock(&m->lock);
    tidy(m, true);
    return NULL;
}

quire_err qi_committer_new(qi_journal *journal, const char *folder, qi_committer **ret,
                           quire_diag *diag) {
    qi_committer *m = calloc(1, sizeof *m);
    if (!m) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    m->journal = journal;
    m->folder = folder;
    m->waiting.last = &m->waiting.first;
    m->last_settled = &m->settled;
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->work, &clock);
    pthread_cond_init(&m->progress, NULL);
    pthread_condattr_destroy(&clock);
    if (pthread_create(&m->thread, NULL, run, m)) {
        free(m);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no thread could be started");
    }
    *ret = m;
    return QUIRE_ERR_OK;
}

void qi_committer_free(qi_committer *m) {
    if (!m) return;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    pthread_cond_signal(&m->work);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    qi_strbuf_done(&m->waiting.pages);
    qi_strbuf_done(&m->records);
    qi_strbuf_done(&m->carry);
    pthread_cond_destroy(&m->work);
    pthread_cond_destroy(&m->progress);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* ---- the caller's side ---------------------------------------------------------------------- */

/* Something waits; if it is the first, the clock starts. */
static void note_waiting(qi_committer *m, bool was_empty) {
    if (was_empty) m->due_ns = qi_clock_ns() + QI_COMMIT_DELAY_NS;
    if (was_empty || m->waiting.n_files >= QI_COMMIT_MAX_FILES) pthread_cond_signal(&m->work);
}

static void wait_for_room(qi_committer *m) {
    while (!m->error && (m->waiting.n_files >= MAX_WAITING_FILES ||
                         m->waiting.pages.length >= MAX_WAITING_BYTES))
        pthread_cond_wait(&m->progress, &m->lock);
}

void qi_committer_begin(qi_committer *m, qi_journal_id id, uint32_t n_before) {
    pthread_mutex_lock(&m->lock);
    m->id = id;
    m->n_before = n_before;
    m->with_pages = m->journal;
    m->start = m->waiting.pages.length;
    pthread_mutex_unlock(&m->lock);
}

void qi_committer_page(qi_committer *m, const quire_page *page) {
    if (!m->with_pages) return;
    pthread_mutex_lock(&m->lock);
    wait_for_room(m);
    qi_strbuf *out = &m->waiting.pages;
    const bool was_empty = is_empty(&m->waiting);
    if (m->start == out->length) {
        size_t start = qi_record_begin(out, QI_JOURNAL_OPEN);
        qi_strbuf_put_u64(out, m->id.key);
        qi_strbuf_put_u64(out, m->id.content);
        qi_strbuf_put_u32(out, m->n_before);
        qi_record_end(out, start);
    }
    size_t start = qi_record_begin(out, QI_JOURNAL_PAGE);
    qi_page_record_put(out, page);
    qi_record_end(out, start);
    m->with_pages = out->length > start; /* one that is too large ends them */
    m->n_before++;
    note_waiting(m, was_empty);
    pthread_mutex_unlock(&m->lock);
}

void qi_committer_submit(qi_committer *m, qi_commit *c, bool keep) {
    pthread_mutex_lock(&m->lock);
    wait_for_room(m);
    const bool was_empty = is_empty(&m->waiting);
    if (!keep && m->waiting.pages.length > m->start) m->waiting.pages.length = m->start;
    m->start = m->waiting.pages.length;
    m->with_pages = false;
    c->next = NULL;
    *m->waiting.last = c;
    m->waiting.last = &c->next;
    m->waiting.n_files += count_files(c);
    m->n_unsettled++;
    note_waiting(m, was_empty);
    pthread_mutex_unlock(&m->lock);
}

qi_commit *qi_committer_take(qi_committer *m, bool wait) {
    pthread_mutex_lock(&m->lock);
    while (wait && !m->settled && m->n_unsettled)
        pthread_cond_wait(&m->progress, &m->lock);
    qi_commit *c = m->settled;
    if (c) m->settled = c->next;
    if (!m->settled) m->last_settled = &m->settled;
    pthread_mutex_unlock(&m->lock);
    return c;
}

void qi_commit_done(qi_commit *c) {
    free(c->failed_path);
    c->failed_path = NULL;
}

int qi_committer_error(qi_committer *m) {
    pthread_mutex_lock(&m->lock);
    int e = m->error;
    pthread_mutex_unlock(&m->lock);
    return e;
}
