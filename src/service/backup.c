/* Copying of a data folder; see backup.h. The records come first: objects are never changed, so
 * that what these name can be copied afterwards. */
#include "service/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/data_folder.h"
#include "store/objects.h"
#include "store/records.h"

typedef struct place {
    char *records_path, *objects_path;
    qi_records *records;
    qi_objects *objects;
} place;

static void close_place(place *p) {
    if (p->records) p->records->driver->close(p->records);
    if (p->objects) p->objects->driver->close(p->objects);
    free(p->records_path);
    free(p->objects_path);
}

static quire_err open_objects(place *p, quire_diag *diag) {
    return qi_objects_folder.open(p->objects_path, &p->objects, diag);
}

static quire_err open_records(place *p, quire_diag *diag) {
    return qi_records_sqlite.open(p->records_path, &p->records, diag);
}

static quire_err open_source(const char *data, place *p, quire_diag *diag) {
    char shown[240];
    quire_err err = qi_data_folder_paths(data, &p->records_path, &p->objects_path, diag);
    if (!err && access(p->records_path, F_OK))
        return qi_fail(diag, QUIRE_ERR_NOT_FOUND,
                       "%s: there are no records: %s; name the service's "
                       "data folder",
                       qi_printable(shown, sizeof shown, data), strerror(errno));
    if (!err) err = open_records(p, diag);
    if (!err) err = open_objects(p, diag);
    return err;
}

static quire_err make_copy_place(const char *copy, place *p, quire_diag *diag) {
    char shown[240];
    if (mkdir(copy, 0700))
        return qi_fail(diag, errno == EEXIST ? QUIRE_ERR_CONFLICT : QUIRE_ERR_WRITE,
                       "%s: the folder of the copy cannot be made: %s; name one that is not there",
                       qi_printable(shown, sizeof shown, copy), strerror(errno));
    quire_err err = qi_data_folder_paths(copy, &p->records_path, &p->objects_path, diag);
    return err ? err : open_objects(p, diag);
}

typedef struct copying {
    place from, to;
    qi_backup_counts counts;
    quire_err err;
    quire_diag *diag;
} copying;

static quire_err copy_bytes(copying *c, int fd, qi_object_writer *writer) {
    enum { PIECE = 1 << 16 };
    char bytes[PIECE];
    for (;;) {
        ssize_t n = read(fd, bytes, PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return qi_fail(c->diag, QUIRE_ERR_IO, "an object cannot be read: %s", strerror(errno));
        if (!n) return QUIRE_ERR_OK;
        quire_err err = c->to.objects->driver->write(writer, bytes, (size_t)n, c->diag);
        if (err) return err;
        c->counts.object_bytes += (uint64_t)n;
    }
}

static quire_err copy_object(copying *c, const char *name) {
    const qi_objects_driver *driver = c->to.objects->driver;
    qi_object_writer *writer;
    char copied[QI_OBJECT_NAME_BYTES];
    int fd;
    quire_err err = c->from.objects->driver->open_object(c->from.objects, name, &fd, c->diag);
    if (err) return err == QUIRE_ERR_NOT_FOUND ? QUIRE_ERR_OK : err; /* erased just now */
    err = driver->create(c->to.objects, &writer, c->diag);
    if (!err && (err = copy_bytes(c, fd, writer)) != QUIRE_ERR_OK)
        driver->discard(writer);
    else if (!err)
        err = driver->finish(writer, name, copied, c->diag);
    close(fd);
    c->counts.objects += !err;
    return err;
}

/* Of all objects those that the copied records name: later ones belong to later records. */
static bool look_at_object(void *context, const char *name, uint64_t n_bytes, double age_s) {
    copying *c = context;
    bool is_named = false;
    c->err = c->to.records->driver->names_object(c->to.records, name, &is_named, c->diag);
    if (!c->err && is_named) c->err = copy_object(c, name);
    return !c->err;
}

quire_err qi_backup_make(const char *data, const char *copy, qi_backup_counts *ret,
                         quire_diag *diag) {
    copying c = {.diag = diag};
    quire_err err = open_source(data, &c.from, diag);
    if (!err) err = make_copy_place(copy, &c.to, diag);
    if (!err) err = c.from.records->driver->backup(c.from.records, c.to.records_path, diag);
    if (!err) err = open_records(&c.to, diag);
    if (!err) err = c.from.objects->driver->list(c.from.objects, look_at_object, &c, diag);
    if (!err) err = c.err;
    if (!err) err = c.to.objects->driver->sync(c.to.objects, diag);
    close_place(&c.from);
    close_place(&c.to);
    if (!err) *ret = c.counts;
    return err;
}
