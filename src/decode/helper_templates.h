/* The templates that helpers of one document each are made of: one process for each kind, started
 * when the first helper of its kind is asked for, and again after it died. Shared by the decoders
 * of a reader, all of one helper path; internally locked.
 *
 * A template, and the helpers made of it, die with the thread that started it, which is the one
 * that happened to ask first: the threads that use them should end together. */
#ifndef QI_DECODE_HELPER_TEMPLATES_H
#define QI_DECODE_HELPER_TEMPLATES_H

#include "decode/helper_process.h"

typedef struct qi_helper_templates qi_helper_templates;

qi_helper_templates *qi_helper_templates_new(void); /* NULL: no memory. Starts no process */
/* Kills the templates; helpers go on. NULL does nothing. */
void qi_helper_templates_free(qi_helper_templates *templates);

/* A new helper of this kind, to be stopped by qi_helper_stop. path: of the program. MISSING,
 * HELPER, TIMEOUT, CANCELLED, NO_MEMORY. */
quire_err qi_helper_templates_fork(qi_helper_templates *templates, const char *path,
                                   qi_helper_kind kind, const qi_deadline *deadline,
                                   qi_helper *ret_helper, quire_diag *diag);

#endif
