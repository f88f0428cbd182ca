/* Which truth belongs to which result: files of two folders, paired by stem. Truth x.gt.txt or
 * x.txt (places: x.words.json, x.lines.json, x.json) goes with result x.txt, x.json, or x.ANY.txt,
 * x.ANY.json, as `quire run -o` names them. Stems include folders below the two roots. */
#ifndef QI_CLI_EVAL_PAIRS_H
#define QI_CLI_EVAL_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The files of one document on one side. */
typedef struct qi_eval_files {
    char *stem;
    char *text;                    /* path of what its text is read from */
    char *items;                   /* path of JSON with places; NULL: none, or the same file */
    struct qi_eval_files *partner; /* of the other side; borrowed */
} qi_eval_files;

typedef struct qi_eval_list {
    qi_eval_files *documents; /* sorted by stem */
    size_t n;
} qi_eval_list;

/* Errors: those of reading the folders, NO_MEMORY. */
quire_err qi_eval_list_truth(const char *folder, qi_eval_list *ret_list, quire_diag *diag);
quire_err qi_eval_list_results(const char *folder, qi_eval_list *ret_list, quire_diag *diag);
void qi_eval_list_done(qi_eval_list *list);

/* Makes partners of what belongs together. */
void qi_eval_pair(qi_eval_list *truth, qi_eval_list *results);

#endif
