/* Limits of control groups; see cgroup.h. The mount table says where each hierarchy lies and which
 * part of it is visible, /proc/self/cgroup which group is ours; from there up to the mount every
 * folder is asked and the least limit wins. */
#include "flow/cgroup.h"

#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { text_bytes = 64 * 1024 };

/* Reads a small file into out (NUL-terminated); false when it cannot be opened. */
static bool read_text(const char *path, char *out, size_t size) {
    FILE *f = fopen(path, "re");
    if (!f) return false;
    size_t n = fread(out, 1, size - 1, f);
    out[n] = 0;
    fclose(f);
    return true;
}

static void limit_cores(qi_cgroup_limits *limits, double quota, double period) {
    if (!(quota > 0 && period > 0)) return;
    double cores = quota / period;
    if (limits->cores == 0 || cores < limits->cores) limits->cores = cores;
}

static void limit_memory(qi_cgroup_limits *limits, const char *text) {
    char *end;
    unsigned long long bytes = strtoull(text, &end, 10);
    /* Version 1 writes "none" as the largest number of pages that a long can hold. */
    if (end == text || bytes == 0 || bytes > (unsigned long long)LONG_MAX / 2) return;
    if (limits->memory_bytes == 0 || bytes < limits->memory_bytes) limits->memory_bytes = bytes;
}

/* Adds the limits written in one folder of a hierarchy. */
static void read_group(qi_cgroup_limits *limits, const char *folder, bool v2) {
    char path[PATH_MAX], text[128];
    if (v2) {
        snprintf(path, sizeof path, "%s/cpu.max", folder);
        double quota, period;
        if (read_text(path, text, sizeof text) && sscanf(text, "%lf %lf", &quota, &period) == 2)
            limit_cores(limits, quota, period);
        snprintf(path, sizeof path, "%s/memory.max", folder);
        if (read_text(path, text, sizeof text)) limit_memory(limits, text);
        return;
    }
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (read_text(path, text, sizeof text)) {
        double quota = strtod(text, NULL);
        snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
        if (read_text(path, text, sizeof text)) limit_cores(limits, quota, strtod(text, NULL));
    }
    snprintf(path, sizeof path, "%s/memory.limit_in_bytes", folder);
    if (read_text(path, text, sizeof text)) limit_memory(limits, text);
}

/* Asks the folder of group, seen from a mount at mount_at, and all above it. */
static void read_path(qi_cgroup_limits *limits, const char *mount_at, const char *group, bool v2) {
    char folder[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s%s", mount_at, group);
    if (n < 0 || (size_t)n >= sizeof folder) return;
    size_t top = strlen(mount_at);
    for (;;) {
        read_group(limits, folder, v2);
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < top) return;
        *slash = 0;
    }
}

static bool has_word(const char *list, const char *word) {
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ',') && (p[n] == ',' || p[n] == 0)) return true;
    return false;
}

/* Our group in the hierarchy of a controller (version 1) or in version 2's (controller ""). */
static bool group_of(const char *cgroup_text, const char *controller, char *out, size_t size) {
    char copy[text_bytes];
    snprintf(copy, sizeof copy, "%s", cgroup_text);
    char *rest = copy;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *names = strchr(line, ':');
        char *path = names ? strchr(names + 1, ':') : NULL;
        if (!path) continue;
        names++;
        *path++ = 0;
        if (*controller ? !has_word(names, controller) : *names != 0) continue;
        snprintf(out, size, "%s", path);
        return true;
    }
    return false;
}

/* The part of group below what a mount shows, its visible root being part_root. */
static const char *below(const char *group, const char *part_root) {
    size_t n = strlen(part_root);
    if (n > 1 && strncmp(group, part_root, n) == 0 && (group[n] == '/' || group[n] == 0))
        return group + n;
    return strcmp(group, "/") == 0 ? "" : group;
}

static void read_mount(qi_cgroup_limits *limits, const char *root, char *line,
                       const char *cgroup_text) {
    char part_root[1024], mount_at[1024], type[64], options[1024], at[PATH_MAX], group[1024];
    char *tail = strstr(line, " - ");
    if (!tail) return;
    if (sscanf(line, "%*s %*s %*s %1023s %1023s", part_root, mount_at) != 2) return;
    if (sscanf(tail, " - %63s %*s %1023s", type, options) != 2) return;
    snprintf(at, sizeof at, "%s%s", root, mount_at);
    if (strcmp(type, "cgroup2") == 0) {
        if (group_of(cgroup_text, "", group, sizeof group))
            read_path(limits, at, below(group, part_root), true);
    } else if (strcmp(type, "cgroup") == 0) {
        static const char *const controllers[] = {"cpu", "memory"};
        for (int i = 0; i < 2; i++)
            if (has_word(options, controllers[i]) &&
                group_of(cgroup_text, controllers[i], group, sizeof group))
                read_path(limits, at, below(group, part_root), false);
    }
}

qi_cgroup_limits qi_cgroup_read(const char *root) {
    qi_cgroup_limits limits = {0};
    char path[PATH_MAX];
    char *mounts = malloc(text_bytes), *groups = malloc(text_bytes);
    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    if (mounts && groups && read_text(path, mounts, text_bytes)) {
        snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
        if (read_text(path, groups, text_bytes)) {
            char *rest = mounts;
            for (char *line; (line = strsep(&rest, "\n"));)
                read_mount(&limits, root, line, groups);
        }
    }
    free(mounts);
    free(groups);
    return limits;
}

/* Processors in the affinity mask; the mask is as large as the kernel says it must be. */
static uint32_t affinity_cores(void) {
    for (int n = 1024; n <= 1 << 18; n *= 4) {
        cpu_set_t *set = CPU_ALLOC(n);
        if (!set) break;
        size_t bytes = CPU_ALLOC_SIZE(n);
        int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0) return (uint32_t)count;
    }
    return 1;
}

uint32_t qi_cores_allowed(void) {
    uint32_t cores = affinity_cores();
    double quota = ceil(qi_cgroup_read("").cores);
    if (quota >= 1 && quota < cores) cores = (uint32_t)quota;
    return cores;
}

uint64_t qi_memory_allowed_bytes(void) {
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = qi_cgroup_read("").memory_bytes;
    return limit && limit < bytes ? limit : bytes;
}
