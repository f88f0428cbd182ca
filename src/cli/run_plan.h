/* The whole list of a run's inputs, made before anything is read, so that two inputs that would
 * write the same file are found in time. Paths are kept front-coded (each as what it shares with
 * the one before and the rest) and results as 64-bit hashes, about 40 bytes an input, so that
 * millions fit; only where hashes agree are names compared. One owner at a time. */
#ifndef QI_CLI_RUN_PLAN_H
#define QI_CLI_RUN_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "cli/run_inputs.h"

typedef struct qi_plan {
    qi_strbuf bytes;
    uint64_t *hashes;
    size_t n, capacity;
    qi_strbuf last; /* the path added or read before */
    qi_strbuf result;
    size_t at; /* reading position in bytes */
} qi_plan;

/* {0} is an empty plan. Errors: NO_MEMORY. */
quire_err qi_plan_add(qi_plan *plan, const qi_input *input);
/* Call once, after the last addition. CONFLICT: diag names the two inputs. */
quire_err qi_plan_check(qi_plan *plan, quire_diag *diag);
/* The inputs in the order of their addition; false at the end. *ret_input lives until the next
 * call. */
bool qi_plan_next(qi_plan *plan, qi_input *ret_input);
/* Begins again at the first. */
void qi_plan_rewind(qi_plan *plan);
void qi_plan_done(qi_plan *plan);

#endif
