/* What this process may use: cores and memory, as the kernel's control groups and the affinity mask
 * allow. Both versions of control groups are read, up the whole path, because a limit holds
 * for every group below the one that carries it. Sources: cgroups(7), the kernel's
 * admin-guide/cgroup-v2 and scheduler/sched-bwc. Pure but for the files read; any thread. */
#ifndef QI_FLOW_CGROUP_H
#define QI_FLOW_CGROUP_H

#include <stdint.h>

typedef struct qi_cgroup_limits {
    double cores;          /* quota divided by period; 0: no limit */
    uint64_t memory_bytes; /* 0: no limit */
} qi_cgroup_limits;

/* The limits found in /proc/self and the folders mounted there. root is put before every path (""
 * is the running system; tests give a folder of their own). What cannot be read is no limit. */
qi_cgroup_limits qi_cgroup_read(const char *root);

/* Whole cores to compute on: the affinity mask or the quota rounded up, whichever is less; at least
 * 1. */
uint32_t qi_cores_allowed(void);

/* The lower of the control group's limit and the machine's memory. */
uint64_t qi_memory_allowed_bytes(void);

#endif
