/* CPU levels. A level is a bundle of features checked with CPUID and XGETBV (the compiler's own
 * check does both); the environment variable QUIRE_CPU=scalar|avx2|avx512vnni|amx caps it. */
#ifndef QI_BASE_CPU_H
#define QI_BASE_CPU_H

typedef enum qi_cpu_level {
    QI_CPU_SCALAR,
    QI_CPU_AVX2,       /* AVX2, FMA, BMI2 */
    QI_CPU_AVX512VNNI, /* the above, AVX-512 F BW VL DQ VNNI */
    QI_CPU_AMX,        /* the above, AMX-TILE, AMX-INT8, and the system's leave to use tiles */
    QI_CPU_N_LEVELS
} qi_cpu_level;

/* The level to run at: the processor's, capped by QUIRE_CPU as it was at the first call.
 * Thread-safe. */
qi_cpu_level qi_cpu_level_now(void);

/* The highest level this processor has, whatever the cap. */
qi_cpu_level qi_cpu_level_max(void);
const char *qi_cpu_level_name(qi_cpu_level level);

#endif
