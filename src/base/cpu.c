/* CPU levels; see cpu.h. */
#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "quire/quire.h"

static const char *const names[QI_CPU_N_LEVELS] = {"scalar", "avx2", "avx512vnni"};

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
    return QI_CPU_AVX512VNNI;
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
