/* What the helper puts between itself and the world, before it sees a byte of any input. */
#ifndef QI_HELPER_SANDBOX_H
#define QI_HELPER_SANDBOX_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef struct qi_sandbox_needs {
    bool threads;                  /* the process may still start threads */
    const char *const *read_paths; /* NULL-ended; folders and files below which it may open files
                                      for reading, where they exist. NULL: no path at all */
    bool forks;                    /* the process makes children, by CLONE_PARENT, that narrow it */
} qi_sandbox_needs;

/* Enters it, for good; only the socket at QI_HELPER_SOCKET and 0–2 stay open. After it a forbidden
 * system call kills the process, a forbidden path is denied. ret_confinement: QI_CONFINED_*. HELPER
 * where it cannot, and where read_paths are to be kept to and the kernel has no Landlock. */
quire_err qi_sandbox_enter(const qi_sandbox_needs *needs, uint32_t *ret_confinement,
                           uint32_t *ret_landlock_abi, quire_diag *diag);

/* The filter of children, as the kernel takes it: making it takes longer than making a child. */
typedef struct qi_sandbox_filter {
    struct sock_filter *code;
    uint16_t n;
} qi_sandbox_filter;

/* Makes it for what children need, before the sandbox is entered. HELPER. */
quire_err qi_sandbox_prepare(const qi_sandbox_needs *needs, qi_sandbox_filter *ret,
                             quire_diag *diag);

/* In a child of a process that entered it with `forks`: the child dies with its parent from now on,
 * and can do only what the filter was made for, as if it had entered it so itself. Limits, Landlock
 * and the disposition of signals it has from the other. HELPER. */
quire_err qi_sandbox_narrow(qi_sandbox_filter *filter, quire_diag *diag);

#endif
