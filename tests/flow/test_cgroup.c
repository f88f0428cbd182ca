/* Limits are found in both versions of control groups, anywhere on the path, in folders as systems
 * and containers mount them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "flow/cgroup.h"

static char root[] = P_tmpdir "/quire-cgroup-XXXXXX";

/* Writes text to a file below a fresh root, making the folders. */
static void put(const char *path, const char *text) {
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = 0;
        mkdir(full, 0700);
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state) {
    memcpy(root + strlen(root) - 6, "XXXXXX", 6);
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state) {
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command);
}

#define V2_MOUNT "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

static void version_2_takes_the_least_of_the_path(void **state) {
    put("/proc/self/mountinfo", V2_MOUNT);
    put("/proc/self/cgroup", "0::/a.slice/b.scope\n");
    put("/sys/fs/cgroup/a.slice/cpu.max", "150000 100000\n");
    put("/sys/fs/cgroup/a.slice/memory.max", "800000000\n");
    put("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a.slice/b.scope/memory.max", "max\n");
    qi_cgroup_limits l = qi_cgroup_read(root);
    assert_true(l.cores == 1.5);
    assert_int_equal(l.memory_bytes, 800000000);
    put("/sys/fs/cgroup/a.slice/b.scope/memory.max", "500000000\n");
    assert_int_equal(qi_cgroup_read(root).memory_bytes, 500000000);
}

static void version_2_in_a_container_with_its_own_view(void **state) {
    put("/proc/self/mountinfo", V2_MOUNT);
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    assert_true(qi_cgroup_read(root).cores == 0.5);
}

static void version_1_controllers_lie_apart(void **state) {
    put("/proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    put("/proc/self/cgroup", "4:memory:/m/x\n2:cpu,cpuacct:/c\n0::/\n");
    put("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "250000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "600000000\n");
    put("/sys/fs/cgroup/memory/m/x/memory.limit_in_bytes", "9223372036854771712\n");
    qi_cgroup_limits l = qi_cgroup_read(root);
    assert_true(l.cores == 2.5);
    assert_int_equal(l.memory_bytes, 600000000);
}

static void version_1_mounts_that_show_a_part(void **state) {
    put("/proc/self/mountinfo",
        "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
    put("/proc/self/cgroup", "4:memory:/docker/abc/in\n");
    put("/sys/fs/cgroup/memory/in/memory.limit_in_bytes", "70000000\n");
    assert_int_equal(qi_cgroup_read(root).memory_bytes, 70000000);
}

static void damaged_or_absent_files_are_no_limit(void **state) {
    qi_cgroup_limits l = qi_cgroup_read(root);
    assert_true(l.cores == 0 && l.memory_bytes == 0);
    put("/proc/self/mountinfo", "31 - cgroup2\n\n - \n" V2_MOUNT);
    put("/proc/self/cgroup", "0\n::\n0::/a\nx:y\n");
    put("/sys/fs/cgroup/a/cpu.max", "lots\n");
    put("/sys/fs/cgroup/a/memory.max", "");
    l = qi_cgroup_read(root);
    assert_true(l.cores == 0 && l.memory_bytes == 0);
}

static void this_system_has_cores_and_memory(void **state) {
    assert_in_range(qi_cores_allowed(), 1, 1 << 18);
    assert_true(qi_memory_allowed_bytes() > 1 << 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(version_2_takes_the_least_of_the_path),
        TEST(version_2_in_a_container_with_its_own_view),
        TEST(version_1_controllers_lie_apart),
        TEST(version_1_mounts_that_show_a_part),
        TEST(damaged_or_absent_files_are_no_limit),
        cmocka_unit_test(this_system_has_cores_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
