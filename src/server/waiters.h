/* Requests that wait for a document to change: those with ?wait, and event streams. Each is resumed
 * when there is a signal of its document, and when its time has come. Any thread but where said. */
#ifndef QI_SERVER_WAITERS_H
#define QI_SERVER_WAITERS_H

#include "server/http.h"
#include "store/signals.h"

typedef struct qi_waiters qi_waiters;
typedef struct qi_waiter qi_waiter;

quire_err qi_waiters_open(qi_signals *signals, qi_waiters **ret, quire_diag *diag);
void qi_waiters_close(qi_waiters *waiters); /* nobody waits any more */

/* From now on the request is resumed at signals of the document, and after ms (0: never). NULL: no
 * memory. On the loop's thread, as _done, which ends it; NULL does nothing. */
qi_waiter *qi_waiter_new(qi_waiters *waiters, qi_http_request *request, const char *id,
                         uint32_t ms);
void qi_waiter_again(qi_waiter *waiter, uint32_t ms); /* sets its time anew */
void qi_waiter_done(qi_waiter *waiter);

#endif
