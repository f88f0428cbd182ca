/* Any bytes as a measurement to plan by: refused, or numbers that make a plan, in both of its
 * views. */
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/capacity_table.h"

static void plan(const char *path) {
    const qi_demand demand = {.pages_per_day = 1000000,
                              .peak = 2,
                              .utilisation = 0.6,
                              .n_spare = 1,
                              .watts = 200,
                              .price = 0.1,
                              .kwh_price = 0.3};
    qi_measured measured;
    qi_capacity capacity;
    quire_diag diag;
    qi_strbuf out = {0};
    if (qi_measured_load(path, &measured, &diag)) return;
    if (qi_capacity_plan(&measured, &demand, &capacity, &diag)) return;
    if (!isfinite(capacity.cores) || !isfinite(capacity.machine_bytes) || capacity.n_all < 2 ||
        !(capacity.peak_load > 0 && capacity.peak_load <= demand.utilisation * (1 + 1e-9)))
        __builtin_trap();
    qi_capacity_put_table(&out, &measured, &demand, &capacity);
    qi_capacity_put_json(&out, &measured, &demand, &capacity);
    qi_strbuf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[40];
    int fd = size > 1 << 16 ? -1 : memfd_create("measurement", MFD_CLOEXEC);
    if (fd < 0) return 0;
    if (write(fd, data, size) == (ssize_t)size) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        plan(path);
    }
    close(fd);
    return 0;
}
