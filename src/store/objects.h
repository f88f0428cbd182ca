/* Objects: byte strings under names that the store gives them (uploads, images of pages). Written
 * once, never changed. Behind a driver, so that a folder (objects_folder.c) and S3 look alike; what
 * a driver must hold to is tests/store/objects_suite.h.
 *
 * An object is written before the record that names it. Between the two it belongs to nobody: who
 * fails there removes it, and what a crash leaves is found by qi_objects_list and swept by the
 * owner of the records. Every function may be called from any thread; a writer has one owner. */
#ifndef QI_STORE_OBJECTS_H
#define QI_STORE_OBJECTS_H

#include "base/err.h"

/* A name: 26 characters of a–z and 0–9, NUL-terminated, drawn by chance: never given twice. */
enum { QI_OBJECT_NAME_BYTES = 27 };

typedef struct qi_objects qi_objects;
typedef struct qi_object_writer qi_object_writer;

typedef struct qi_objects_driver {
    const char *name; /* "folder" */
    /* where: of the driver's own kind; made when it is not there. NO_PERMISSION, IO, WRITE. */
    quire_err (*open)(const char *where, qi_objects **ret, quire_diag *diag);
    void (*close)(qi_objects *objects);
    /* Begins an object. WRITE (the disk is full, no descriptors), NO_MEMORY. */
    quire_err (*create)(qi_objects *objects, qi_object_writer **ret, quire_diag *diag);
    quire_err (*write)(qi_object_writer *writer, const void *bytes, size_t n, quire_diag *diag);
    /* The object is whole and has its name; it is not durable yet. Frees the writer, also on
     * failure. name: that of the same object in another store, for copies; NULL: a new one. WRITE.
     */
    quire_err (*finish)(qi_object_writer *writer, const char *name,
                        char ret_name[QI_OBJECT_NAME_BYTES], quire_diag *diag);
    void (*discard)(qi_object_writer *writer); /* nothing is left of it; NULL does nothing */
    /* All objects finished before this call are durable when it returns, many at the cost of one.
     * WRITE: some may not be. One that the disk did not take stays in question, since asking the
     * disk again would prove nothing: every sync fails until it is removed. So whoever's sync
     * fails removes what it has finished since its last. */
    quire_err (*sync)(qi_objects *objects, quire_diag *diag);
    /* A descriptor of the object's bytes, at their beginning, the caller's. NOT_FOUND (also of what
     * is no name), IO. */
    quire_err (*open_object)(qi_objects *objects, const char *name, int *ret_fd, quire_diag *diag);
    /* Durable with the next sync. What is not there is removed already. WRITE. */
    quire_err (*remove)(qi_objects *objects, const char *name, quire_diag *diag);
    /* Calls visit for each finished object, in any order, until it returns false; age_s since it
     * was written. visit may remove the object. Leftovers of writers that a crash ended are removed
     * when the store is opened, unless another process has it open. IO. */
    quire_err (*list)(qi_objects *objects,
                      bool (*visit)(void *context, const char *name, uint64_t n_bytes,
                                    double age_s),
                      void *context, quire_diag *diag);
    /* What is free where objects are written; UINT64_MAX where there is no such bound. */
    uint64_t (*free_bytes)(qi_objects *objects);
} qi_objects_driver;

/* The beginning of every driver's own structure. */
struct qi_objects {
    const qi_objects_driver *driver;
};
struct qi_object_writer {
    qi_objects *objects;
};

/* A folder: objects in 256 folders by the last two characters of their name, written under a
 * temporary name beside them. Folders and files are for the owner alone. */
extern const qi_objects_driver qi_objects_folder;

#endif
