/* What quire-decode puts between itself and the world, before it sees a byte of any input. */
#ifndef QI_HELPER_SANDBOX_H
#define QI_HELPER_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Enters it, for good; only the socket at QI_HELPER_SOCKET and 0–2 stay open. After it a forbidden
 * system call kills the process. ret_confinement: QI_CONFINED_*. HELPER where it cannot.
 * with_threads: the process may still start threads. */
quire_err qi_sandbox_enter(bool with_threads, uint32_t *ret_confinement, uint32_t *ret_landlock_abi,
                           quire_diag *diag);

#endif
