/* Where model files are: languages to paths. */
#ifndef QI_MODEL_MODEL_FILES_H
#define QI_MODEL_MODEL_FILES_H

#include "base/err.h"

/* The file of a language in model_dir; NULL: in the folder that TESSDATA_PREFIX names, else in the
 * first of Debian's folders that has it. The path is the caller's, freed with free. USAGE when the
 * name cannot be a language's, MODEL_MISSING with the package that has it, NO_MEMORY. */
quire_err qi_model_find(const char *language, const char *model_dir, char **ret_path,
                        quire_diag *diag);

/* The folders that qi_model_find looks in, in order; NULL ends the list. Static storage. */
const char *const *qi_model_folders(void);

#endif
