/* CPU levels; see cpu.h. */
#include "base/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "quire/quire.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Tile registers are 8 KB more to keep for each thread, which the system does for a process that
 * has asked (Linux 5.16): arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA), for all its threads.
 */
static bool has_amx(void) {
    enum { amx_tile = 1 << 24, amx_int8 = 1 << 25, req_xcomp_perm = 0x1023, xtiledata = 18 };
    unsigned a, b, c, d, both = amx_tile | amx_int8;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & both) == both &&
           syscall(SYS_arch_prctl, req_xcomp_perm, xtiledata) == 0;
}
#else
static bool has_amx(void) {
    return false;
}
#endif

static const char *const names[QI_CPU_N_LEVELS] = {"scalar", "avx2", "avx512vnni", "amx"};

const char *qi_cpu_level_name(qi_cpu_level level) {
    return names[level];
}

qi_cpu_level qi_cpu_level_max(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("bmi2"))
        return QI_CPU_SCALAR;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vnni"))
        return QI_CPU_AVX2;
    return has_amx() ? QI_CPU_AMX : QI_CPU_AVX512VNNI;
#else
    return QI_CPU_SCALAR;
#endif
}

qi_cpu_level qi_cpu_level_now(void) {
    static _Atomic int cached; /* level + 1; 0: not known yet; every thread would store the same */
    int known = atomic_load_explicit(&cached, memory_order_relaxed);
    if (known) return (qi_cpu_level)(known - 1);
    qi_cpu_level level = qi_cpu_level_max();
    const char *cap = getenv("QUIRE_CPU");
    for (int i = 0; cap && i < (int)level; i++)
        if (!strcmp(cap, names[i])) level = (qi_cpu_level)i;
    atomic_store_explicit(&cached, (int)level + 1, memory_order_relaxed);
    return level;
}

const char *quire_cpu_level(void) {
    return qi_cpu_level_name(qi_cpu_level_now());
}
