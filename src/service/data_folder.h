/* The data folder: see service.h for what is in it. */
#ifndef QI_SERVICE_DATA_FOLDER_H
#define QI_SERVICE_DATA_FOLDER_H

#include "base/err.h"

/* Makes the folder where there is none, for its owner alone. WRITE. */
quire_err qi_data_folder_make(const char *folder, quire_diag *diag);

/* Takes the lock, which goes with the descriptor or the process. CONFLICT: a service has it. */
quire_err qi_data_folder_lock(const char *folder, int *ret_fd, quire_diag *diag);

/* Paths of its parts, the caller's, freed by free(). */
quire_err qi_data_folder_paths(const char *folder, char **ret_records, char **ret_objects,
                               quire_diag *diag);

#endif
