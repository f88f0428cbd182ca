/* What the results of a run depend on, as the text of its journal's head. */
#ifndef QI_CLI_RUN_HEAD_H
#define QI_CLI_RUN_HEAD_H

#include "base/strbuf.h"
#include "cli/run_options.h"

/* Appends lines of name=value. Options that change results belong here; those that only change how
 * fast they come, what is said, or which inputs there are do not. */
void qi_run_head_put(qi_strbuf *out, const qi_run_values *values, const quire_model_info *models,
                     uint32_t n_models);

#endif
