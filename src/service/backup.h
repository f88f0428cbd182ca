/* Backups: a copy of a data folder, made while a service runs on it or not. */
#ifndef QI_SERVICE_BACKUP_H
#define QI_SERVICE_BACKUP_H

#include "base/err.h"

typedef struct qi_backup_counts {
    uint64_t objects, object_bytes; /* copied */
} qi_backup_counts;

/* Copies the records as they are at one moment and the objects that they name into a new folder,
 * durably; a service can be started on it. Documents erased meanwhile may be without their objects
 * in the copy. CONFLICT: the folder exists. NOT_FOUND: data is no data folder. What has been
 * written when it fails stays there, and is no backup. */
quire_err qi_backup_make(const char *data, const char *copy, qi_backup_counts *ret,
                         quire_diag *diag);

#endif
