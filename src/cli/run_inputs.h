/* The inputs of a run, one after the other: what the command line names, what folders hold, what a
 * list names. Each comes with the path its results have below the output folder:
 *   a file named by itself     its name (x.tif for ../scans/x.tif)
 *   a file of a folder         its path below that folder
 *   a file of a list           its path as listed, without leading slash; "." and ".." are resolved
 *                              by name alone and never lead out of the output folder
 *   standard input             stdin
 * One owner at a time. */
#ifndef QI_CLI_RUN_INPUTS_H
#define QI_CLI_RUN_INPUTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "cli/walk.h"

typedef struct qi_input {
    const char *path;   /* "-": standard input */
    const char *result; /* of its results, without the ending */
    bool found;         /* in a folder, not named by the user */
} qi_input;

typedef struct qi_inputs qi_inputs;

typedef struct qi_inputs_options {
    char *const *operands; /* borrowed */
    int n_operands;
    const char *files_from; /* "-": stdin; NULL: no list */
    bool recursive;
    const char *output; /* this folder's own content is no input; NULL: none */
} qi_inputs_options;

/* Opens the list. Errors: NOT_FOUND, NO_PERMISSION, IO, NO_MEMORY. */
quire_err qi_inputs_open(const qi_inputs_options *options, qi_inputs **ret_inputs,
                         quire_diag *diag);
void qi_inputs_close(qi_inputs *inputs);

typedef enum qi_inputs_step { QI_INPUTS_ONE, QI_INPUTS_ERROR, QI_INPUTS_END } qi_inputs_step;

/* ONE: *ret_input lives until the next call. ERROR: diag says what could not be read; the rest
 * follows. */
qi_inputs_step qi_inputs_next(qi_inputs *inputs, qi_input *ret_input, quire_diag *diag);

/* Whether the next step would come at once, not after waiting for a list that is a pipe. */
bool qi_inputs_ready(const qi_inputs *inputs);

#endif
