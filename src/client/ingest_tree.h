/* The files of a folder tree that are complete, each told when it is found and, when the tree is
 * watched, when it was closed after writing or moved there. What may be being written still is held
 * back until it has not changed for a while and, as far as the system says, nobody has it open for
 * writing. Hidden names and those of unfinished files (x~, x.tmp, x.part) are left out, and so are
 * links to folders. Told files may be told again: the caller knows what it has seen. Memory is
 * bounded: where events are more than can be kept, the tree is walked anew. One owner at a time. */
#ifndef QI_CLIENT_INGEST_TREE_H
#define QI_CLIENT_INGEST_TREE_H

#include <sys/stat.h>

#include "base/err.h"

typedef struct qi_ingest_tree qi_ingest_tree;

typedef struct qi_ingest_tree_options {
    const char *root; /* borrowed, with a slash at its end */
    bool watch;
    uint32_t settle_ms;
    void *context;
    /* Whether a file is to be told; asked before it is looked at closely. */
    bool (*is_new)(void *context, const char *relative, const struct stat *st);
} qi_ingest_tree_options;

/* NOT_FOUND, NO_PERMISSION, IO, NO_MEMORY. */
quire_err qi_ingest_tree_open(const qi_ingest_tree_options *options, qi_ingest_tree **ret,
                              quire_diag *diag);
void qi_ingest_tree_close(qi_ingest_tree *tree);

/* To be polled for reading, and _hear called then; -1: the tree is not watched. */
int qi_ingest_tree_fd(const qi_ingest_tree *tree);
/* Takes events. NOT_FOUND: the root is gone. IO, NO_MEMORY: it cannot be watched any more. */
quire_err qi_ingest_tree_hear(qi_ingest_tree *tree, quire_diag *diag);

typedef enum qi_tree_step {
    QI_TREE_FILE,
    QI_TREE_ERROR, /* a folder could not be read, diag says why; the rest follows */
    QI_TREE_NONE   /* now */
} qi_tree_step;

/* FILE: *ret_relative, below the root, lives until the next call. */
qi_tree_step qi_ingest_tree_next(qi_ingest_tree *tree, const char **ret_relative,
                                 struct stat *ret_st, quire_diag *diag);
/* When there may be one without an event, in ms; -1: never. */
int qi_ingest_tree_wait_ms(const qi_ingest_tree *tree);

#endif
