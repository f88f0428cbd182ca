/* The journal and the table of ingest_state.h. A record's payload: size, time of change (ns), inode
 * number, path below the root, id of the document. */
#include "client/ingest_state.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/journal_record.h"
#include "cli/result_file.h"
#include "client/delivery_file.h"

#define MAGIC "quire-ingest 1\n"
enum {
    MAGIC_BYTES = sizeof MAGIC - 1,
    SENT = 1,                        /* the kind of its records */
    MAX_PAYLOAD_BYTES = 64 << 10,    /* larger is damage */
    LEAST_COMPACTED_BYTES = 1 << 20, /* a smaller journal is left as it is */
    FIRST_SLOTS = 1024
};

struct qi_ingest_state {
    char *folder, *path, *root;
    int fd; /* of the journal, which is locked */
    uint64_t n_bytes, compact_at_bytes;
    qi_strbuf pending;  /* records that are not written yet */
    qi_identity *slots; /* a hash table; {0}: free */
    size_t n, n_slots;  /* n_slots is a power of two */
};

/* ---- identities ---- */

static uint64_t mtime_ns(const struct stat *st) {
    return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

bool qi_ingest_state_identify(const qi_ingest_state *s, const char *relative, const struct stat *st,
                              qi_identity *ret, qi_delivery *delivery) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    qi_strbuf bytes = {0};
    qi_strbuf_printf(&bytes, "quire ingest\n%s%s\n", s->root, relative);
    qi_strbuf_put_u64(&bytes, (uint64_t)st->st_size);
    qi_strbuf_put_u64(&bytes, mtime_ns(st));
    qi_strbuf_put_u64(&bytes, st->st_ino);
    const bool ok = !bytes.failed;
    if (ok) {
        sha256_init(&hash);
        sha256_update(&hash, bytes.length, (const uint8_t *)bytes.data);
        sha256_digest(&hash, sizeof digest, digest);
        memcpy(ret, digest, sizeof *ret);
        ret->word[0] |= 1;
        if (delivery) qi_delivery_key_set(delivery, bytes.data, bytes.length);
    }
    qi_strbuf_done(&bytes);
    return ok;
}

/* Where the identity is, or belongs. */
static qi_identity *slot_of(qi_identity *slots, size_t n_slots, qi_identity identity) {
    size_t i = (size_t)identity.word[1] & (n_slots - 1);
    while (slots[i].word[0] && memcmp(&slots[i], &identity, sizeof identity) != 0)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

bool qi_ingest_state_knows(const qi_ingest_state *s, qi_identity identity) {
    return s->n && slot_of(s->slots, s->n_slots, identity)->word[0];
}

static bool grow(qi_ingest_state *s) {
    if (s->n_slots && s->n < s->n_slots / 4 * 3) return true;
    const size_t n_slots = s->n_slots ? 2 * s->n_slots : FIRST_SLOTS;
    qi_identity *slots = calloc(n_slots, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < s->n_slots; i++)
        if (s->slots[i].word[0]) *slot_of(slots, n_slots, s->slots[i]) = s->slots[i];
    free(s->slots);
    s->slots = slots;
    s->n_slots = n_slots;
    return true;
}

quire_err qi_ingest_state_add(qi_ingest_state *s, qi_identity identity) {
    if (!grow(s)) return QUIRE_ERR_NO_MEMORY;
    qi_identity *slot = slot_of(s->slots, s->n_slots, identity);
    s->n += !slot->word[0];
    *slot = identity;
    return QUIRE_ERR_OK;
}

/* ---- records ---- */

typedef struct entry {
    struct stat st;
    const char *relative, *id;
} entry;

static void put_record(qi_strbuf *out, const char *relative, const struct stat *st,
                       const char *id) {
    const size_t start = qi_record_begin(out, SENT);
    qi_strbuf_put_u64(out, (uint64_t)st->st_size);
    qi_strbuf_put_u64(out, mtime_ns(st));
    qi_strbuf_put_u64(out, st->st_ino);
    qi_strbuf_put_string(out, relative);
    qi_strbuf_put_string(out, id);
    qi_record_end(out, start);
}

static bool take_record(const char *payload, uint32_t n, entry *ret) {
    qi_bytes in = qi_bytes_of(payload, n);
    *ret = (entry){0};
    ret->st.st_size = (off_t)qi_bytes_u64(&in);
    const uint64_t ns = qi_bytes_u64(&in);
    ret->st.st_mtim.tv_sec = (time_t)(ns / 1000000000u);
    ret->st.st_mtim.tv_nsec = (long)(ns % 1000000000u);
    ret->st.st_ino = qi_bytes_u64(&in);
    ret->relative = qi_bytes_string(&in);
    ret->id = qi_bytes_string(&in);
    return !in.bad && ret->relative && ret->id;
}

/* Calls see with each record of a journal that is sound; returns the bytes up to the first that is
 * not, 0 when it is no journal. see says whether to go on. */
static uint64_t read_records(FILE *file, bool (*see)(void *context, const entry *one),
                             void *context) {
    char magic[MAGIC_BYTES];
    char *frame = malloc(MAX_PAYLOAD_BYTES + QI_RECORD_HEAD_BYTES + QI_RECORD_CHECK_BYTES);
    uint64_t n_sound = 0;
    if (frame && fread(magic, sizeof magic, 1, file) == 1 && !memcmp(magic, MAGIC, sizeof magic))
        n_sound = MAGIC_BYTES;
    while (n_sound && fread(frame, QI_RECORD_HEAD_BYTES, 1, file) == 1) {
        uint32_t kind, n;
        entry one;
        if (!qi_record_head(frame, &kind, &n) || n > MAX_PAYLOAD_BYTES || kind != SENT ||
            fread(frame + QI_RECORD_HEAD_BYTES, n + QI_RECORD_CHECK_BYTES, 1, file) != 1 ||
            !qi_record_is_sound(frame, n) || !take_record(frame + QI_RECORD_HEAD_BYTES, n, &one) ||
            !see(context, &one))
            break;
        n_sound += QI_RECORD_HEAD_BYTES + n + QI_RECORD_CHECK_BYTES;
    }
    free(frame);
    return n_sound;
}

/* ---- the journal ---- */

static quire_err fail_at(const qi_ingest_state *s, int e, quire_diag *diag) {
    char shown[240];
    return qi_fail(diag, e == ENOMEM ? QUIRE_ERR_NO_MEMORY : QUIRE_ERR_WRITE,
                   "%s: what was sent cannot be kept: %s; give another folder with --state",
                   qi_printable(shown, sizeof shown, s->path), strerror(e));
}

/* Files the state is about are as they were when it was sent. */
static bool is_current(const qi_ingest_state *s, const entry *one) {
    struct stat st;
    qi_strbuf path = {0};
    qi_strbuf_printf(&path, "%s%s", s->root, one->relative);
    const bool is = !path.failed && !stat(path.data, &st) && st.st_size == one->st.st_size &&
                    st.st_ino == one->st.st_ino && mtime_ns(&st) == mtime_ns(&one->st);
    qi_strbuf_done(&path);
    return is;
}

typedef struct compaction {
    const qi_ingest_state *state;
    FILE *to;
    qi_strbuf record;
    bool failed;
} compaction;

static bool keep_current(void *context, const entry *one) {
    compaction *c = context;
    if (!is_current(c->state, one)) return true;
    qi_strbuf_clear(&c->record);
    put_record(&c->record, one->relative, &one->st, one->id);
    c->failed =
        c->record.failed || fwrite(c->record.data, 1, c->record.length, c->to) < c->record.length;
    return !c->failed;
}

/* Copies what is current to a new journal, and puts it in the old one's place. 0 or an errno. */
static int write_anew(qi_ingest_state *s, const char *temporary) {
    int from_fd = open(s->path, O_RDONLY | O_CLOEXEC);
    int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    int copy = fd < 0 ? -1 : dup(fd);
    FILE *from = from_fd < 0 ? NULL : fdopen(from_fd, "r");
    compaction c = {.state = s, .to = copy < 0 ? NULL : fdopen(copy, "w")};
    int e = from && c.to ? 0 : errno;
    errno = 0;
    if (!e && fwrite(MAGIC, 1, MAGIC_BYTES, c.to) == MAGIC_BYTES)
        read_records(from, keep_current, &c);
    if (!e && (fflush(c.to) || ferror(c.to) || ferror(from) || c.failed)) e = errno ? errno : EIO;
    if (!e) e = qi_sync(fd);
    if (!e && flock(fd, LOCK_EX | LOCK_NB)) e = errno;
    if (!e && rename(temporary, s->path)) e = errno;
    if (!e) e = qi_result_folders_sync(s->path, NULL);
    if (from) fclose(from);
    if (c.to) fclose(c.to);
    qi_strbuf_done(&c.record);
    if (e) {
        if (fd >= 0) close(fd);
        unlink(temporary);
        return e;
    }
    close(s->fd);
    s->fd = fd;
    s->n_bytes = (uint64_t)lseek(fd, 0, SEEK_END);
    return 0;
}

static int compact(qi_ingest_state *s) {
    char *temporary;
    if (s->n_bytes < s->compact_at_bytes) return 0;
    if (asprintf(&temporary, "%s.tmp", s->path) < 0) return ENOMEM;
    int e = write_anew(s, temporary);
    free(temporary);
    s->compact_at_bytes = 2 * s->n_bytes;
    if (s->compact_at_bytes < LEAST_COMPACTED_BYTES) s->compact_at_bytes = LEAST_COMPACTED_BYTES;
    return e;
}

void qi_ingest_state_record(qi_ingest_state *s, const char *relative, const struct stat *st,
                            const char *id) {
    put_record(&s->pending, relative, st, id);
}

quire_err qi_ingest_state_sync(qi_ingest_state *s, quire_diag *diag) {
    if (!s->pending.length && !s->pending.failed) return QUIRE_ERR_OK;
    int e = s->pending.failed ? ENOMEM : qi_write_all(s->fd, s->pending.data, s->pending.length);
    if (!e) e = qi_sync(s->fd);
    s->n_bytes += s->pending.length;
    qi_strbuf_clear(&s->pending);
    if (!e) e = compact(s);
    return e ? fail_at(s, e, diag) : QUIRE_ERR_OK;
}

static bool remember(void *context, const entry *one) {
    qi_ingest_state *s = context;
    qi_identity identity;
    return qi_ingest_state_identify(s, one->relative, &one->st, &identity, NULL) &&
           !qi_ingest_state_add(s, identity);
}

/* Fills the table, cuts what a crash left, or begins a journal. */
static quire_err load(qi_ingest_state *s, quire_diag *diag) {
    char shown[240];
    struct stat st;
    if (fstat(s->fd, &st)) return fail_at(s, errno, diag);
    int copy = dup(s->fd);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
    if (!file) return fail_at(s, errno, diag);
    const uint64_t n_sound = read_records(file, remember, s);
    const bool broke = ferror(file);
    fclose(file);
    if (broke) return fail_at(s, EIO, diag);
    if (!n_sound && st.st_size >= MAGIC_BYTES)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "%s: it is no journal of quire ingest; give another folder with --state",
                       qi_printable(shown, sizeof shown, s->path));
    int e = ftruncate(s->fd, (off_t)n_sound) ? errno : 0;
    if (!e && !n_sound) e = qi_write_all(s->fd, MAGIC, MAGIC_BYTES);
    if (!e) e = qi_sync(s->fd);
    if (!e) e = qi_result_folders_sync(s->path, NULL);
    s->n_bytes = n_sound ? n_sound : MAGIC_BYTES;
    s->compact_at_bytes = LEAST_COMPACTED_BYTES;
    if (!e) e = compact(s);
    return e ? fail_at(s, e, diag) : QUIRE_ERR_OK;
}

static quire_err open_journal(qi_ingest_state *s, quire_diag *diag) {
    char shown[240];
    int e = qi_result_folder_make(s->folder);
    if (e) return fail_at(s, e, diag);
    s->fd = open(s->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (s->fd < 0) return fail_at(s, errno, diag);
    if (!flock(s->fd, LOCK_EX | LOCK_NB)) return load(s, diag);
    if (errno != EWOULDBLOCK) return fail_at(s, errno, diag);
    return qi_fail(diag, QUIRE_ERR_CONFLICT,
                   "%s: another quire ingest keeps it; end that one, or give another folder with "
                   "--state",
                   qi_printable(shown, sizeof shown, s->path));
}

quire_err qi_ingest_state_open(const char *folder, const char *root, qi_ingest_state **ret,
                               quire_diag *diag) {
    qi_ingest_state *s = calloc(1, sizeof *s);
    if (!s) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    s->fd = -1;
    s->folder = strdup(folder);
    s->root = strdup(root);
    if (asprintf(&s->path, "%s/journal", folder) < 0) s->path = NULL;
    quire_err err = s->folder && s->root && s->path
                        ? open_journal(s, diag)
                        : qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    if (err)
        qi_ingest_state_close(s);
    else
        *ret = s;
    return err;
}

void qi_ingest_state_close(qi_ingest_state *s) {
    if (!s) return;
    if (s->fd >= 0) close(s->fd);
    qi_strbuf_done(&s->pending);
    free(s->slots);
    free(s->folder);
    free(s->path);
    free(s->root);
    free(s);
}
