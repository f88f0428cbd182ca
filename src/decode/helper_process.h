/* One running quire-decode and the conversation with it. Owned by one thread at a time. The helper
 * dies with the thread that started it (PR_SET_PDEATHSIG follows threads): where that thread ends
 * between documents, the next qi_helper_start begins a new one. */
#ifndef QI_DECODE_HELPER_PROCESS_H
#define QI_DECODE_HELPER_PROCESS_H

#include <sys/types.h>

#include "base/clock.h"
#include "decode/message.h"

typedef struct qi_helper {
    pid_t pid;           /* 0: not running */
    uint64_t started_ns; /* with pid, no two helpers have the same */
    int socket;          /* while running */
    qi_helper_kind kind;
    uint32_t confinement, landlock_abi;
} qi_helper;

/* Starts the program at path as a helper of this kind and waits for its hello, at most 10 s.
 * is_template: it is one, for qi_helper_fork. HELPER, MISSING, TIMEOUT, CANCELLED, NO_MEMORY. */
quire_err qi_helper_start(qi_helper *helper, const char *path, qi_helper_kind kind,
                          bool is_template, const qi_deadline *deadline, quire_diag *diag);

/* Has a running template make a helper of its kind, which is then as if this process had started
 * it, and waits for its hello, at most 10 s. It dies with the thread that started the template.
 * path is for messages. HELPER, and a template that is found dead is forgotten; TIMEOUT, CANCELLED,
 * NO_MEMORY. */
quire_err qi_helper_fork(qi_helper *helper, qi_helper *template, const char *path,
                         const qi_deadline *deadline, quire_diag *diag);

/* Kills it and takes its exit status (as of waitpid; -1 unknown). Nothing where none is running. */
int qi_helper_stop(qi_helper *helper);

/* Whether it still lives; where not, it is reaped and forgotten. */
bool qi_helper_alive(qi_helper *helper);

/* Sends a request and waits for its checked reply. Before, the helper's memory is limited to
 * memory_bytes on top of what it needs to run, and its processor time by the deadline. A helper
 * that dies, lies or runs out of time is stopped: HELPER, TIMEOUT, CANCELLED, NO_MEMORY or IO. An
 * error that the reply carries is returned with the helper's text, made printable. name is
 * printable. */
quire_err qi_helper_call(qi_helper *helper, const qi_request *request, int descriptor,
                         uint64_t memory_bytes, const char *name, const qi_deadline *deadline,
                         qi_reply *ret_reply, quire_diag *diag);

uint64_t qi_helper_cpu_ns(const qi_helper *helper); /* processor time it has used; 0 unknown */
/* Memory of its own, as it is limited; 0 unknown, as where /proc hides other processes. */
uint64_t qi_helper_data_bytes(const qi_helper *helper);

#endif
