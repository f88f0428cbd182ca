/* What every driver of signals (store/signals.h) must hold to. */
#ifndef QI_TESTS_SIGNALS_SUITE_H
#define QI_TESTS_SIGNALS_SUITE_H

#include "store/signals.h"

/* Runs the suite on a driver; where names a place of its own kind. The number of tests that failed.
 */
int qi_run_signals_suite(const qi_signals_driver *driver, const char *where);

#endif
