/* Signals within a process. */
#include "signals_suite.h"

int main(void) {
    return qi_run_signals_suite(&qi_signals_local, "");
}
