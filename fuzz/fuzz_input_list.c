/* Lists of inputs of any bytes: every result path stays below the output folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/run_inputs.h"
#include "cli/run_plan.h"

/* Aborts when a component is empty, "." or "..". */
static void check_result(const char *result) {
    for (const char *at = result;; at++) {
        size_t n = strcspn(at, "/");
        if (n == 0 || (n == 1 && *at == '.') || (n == 2 && at[0] == '.' && at[1] == '.')) abort();
        at += n;
        if (!*at) return;
    }
}

static void list_inputs(const char *path) {
    const qi_inputs_options options = {.files_from = path};
    qi_inputs *inputs;
    quire_diag diag;
    qi_input input;
    qi_plan plan = {0};
    size_t n_added = 0, n_read = 0;
    if (qi_inputs_open(&options, &inputs, &diag)) return;
    qi_inputs_step step;
    while ((step = qi_inputs_next(inputs, &input, &diag)) != QI_INPUTS_END) {
        if (step == QI_INPUTS_ERROR) continue;
        check_result(input.result);
        if (!qi_plan_add(&plan, &input)) n_added++;
    }
    qi_inputs_close(inputs);
    qi_plan_check(&plan, &diag);
    while (qi_plan_next(&plan, &input)) {
        check_result(input.result);
        n_read++;
    }
    if (n_read != n_added) abort();
    qi_plan_done(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[40];
    int fd = memfd_create("list", MFD_CLOEXEC);
    if (fd < 0) return 0;
    if (write(fd, data, size) == (ssize_t)size) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        list_inputs(path);
    }
    close(fd);
    return 0;
}
