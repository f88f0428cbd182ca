/* SQLite is held to the suite. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "records_suite.h"
#include "sqlite_place.h"

int main(void) {
    const records_target target = {&qi_records_sqlite, sqlite_place_make, sqlite_place_remove};
    return records_suite_run(&target) != 0;
}
