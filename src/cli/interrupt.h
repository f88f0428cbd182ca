/* SIGINT, SIGTERM and SIGHUP, taken by a thread of their own: the first asks the reader to finish
 * the pages in flight (or wakes a loop), the second removes half-written files and ends the process
 * at once. Signals are blocked in all threads started later, so the state needs no globals and
 * handlers no care. Internally locked. */
#ifndef QI_CLI_INTERRUPT_H
#define QI_CLI_INTERRUPT_H

#include "base/err.h"

typedef struct qi_interrupt qi_interrupt;

/* Call before other threads are started; once in a process, for the signals stay blocked. */
quire_err qi_interrupt_start(qi_interrupt **ret_interrupt, quire_diag *diag);
void qi_interrupt_stop(qi_interrupt *interrupt);

/* The reader to cancel; without one (NULL) the first signal already ends the process. */
void qi_interrupt_watch(qi_interrupt *interrupt, quire_reader *reader);

/* An eventfd, borrowed, that the first signal writes to instead. */
void qi_interrupt_watch_event(qi_interrupt *interrupt, int event_fd);

/* Creates a file for writing that a second signal removes; there is no moment at
 * which it exists and would be left. path is borrowed until dropped. -1 and errno, EEXIST among
 * them, when it cannot be created; then it is not guarded. */
int qi_interrupt_create(qi_interrupt *interrupt, const char *path);
void qi_interrupt_drop(qi_interrupt *interrupt, const char *path);

/* The signal that came, 0 when none did. */
int qi_interrupt_signal(qi_interrupt *interrupt);

#endif
