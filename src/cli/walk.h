/* Walks a folder: its regular files, folder by folder in byte order of names, hidden ones (with a
 * leading dot) left out. Links to files are followed, links to folders are not, so that a walk
 * ends. One owner at a time. */
#ifndef QI_CLI_WALK_H
#define QI_CLI_WALK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

typedef struct qi_walk qi_walk;

typedef struct qi_walk_options {
    bool recursive; /* also what lies in folders below */
    bool leave_out; /* the folder of these numbers */
    dev_t device;
    ino_t inode;
} qi_walk_options;

typedef enum qi_walk_step { QI_WALK_FILE, QI_WALK_ERROR, QI_WALK_END } qi_walk_step;

/* Errors: NO_MEMORY. That root cannot be read is the first step. */
quire_err qi_walk_new(const char *root, const qi_walk_options *options, qi_walk **ret_walk,
                      quire_diag *diag);
void qi_walk_free(qi_walk *walk);

/* FILE: *ret_path is root/relative, valid until the next step, and *ret_relative points into it.
 * ERROR: diag names the folder that could not be read; the walk goes on behind it. */
qi_walk_step qi_walk_next(qi_walk *walk, const char **ret_path, const char **ret_relative,
                          quire_diag *diag);

#endif
