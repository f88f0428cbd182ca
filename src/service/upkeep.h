/* Upkeep: a thread that removes what nobody names any more. Objects that erasing left behind, and
 * their traces in the records, are gone within seconds; documents past their retention are erased;
 * results stop being reused when there are too many; objects that a crash left without a record are
 * swept when they are an hour old. */
#ifndef QI_SERVICE_UPKEEP_H
#define QI_SERVICE_UPKEEP_H

#include "service/service.h"

typedef struct qi_upkeep qi_upkeep;

/* Borrows the service's parts. */
quire_err qi_upkeep_open(qi_service *service, qi_upkeep **ret, quire_diag *diag);
void qi_upkeep_close(qi_upkeep *upkeep); /* NULL does nothing */

/* Something was erased: its traces are to go. Any thread. */
void qi_upkeep_erased(qi_upkeep *upkeep);

/* Since it began: objects removed, and rounds that failed, which are tried again. */
typedef struct qi_upkeep_counts {
    uint64_t removed, swept, failed;
} qi_upkeep_counts;
void qi_upkeep_count(qi_upkeep *upkeep, qi_upkeep_counts *ret);

#endif
