/* Fingerprints of pixels: XXH3 of 128 bits (xxHash by Yann Collet, whose header Debian's
 * libxxhash-dev brings and each variant compiles for its level) under a secret of random bytes.
 * Every level gives the same. */
#ifndef QI_KERNELS_FINGERPRINT_FINGERPRINT_H
#define QI_KERNELS_FINGERPRINT_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

enum { QI_SECRET_BYTES = 192 };

/* Of n_rows rows of row_bytes each, stride apart, as if they followed one another; what lies
 * between them is not read. */
typedef void (*qi_fingerprint_fn)(const uint8_t secret[QI_SECRET_BYTES], const uint8_t *rows,
                                  size_t row_bytes, size_t stride, size_t n_rows, uint64_t ret[2]);

typedef struct qi_fingerprint_kernel {
    const char *name;
    qi_cpu_level level;
    qi_fingerprint_fn fn;
} qi_fingerprint_kernel;

extern const qi_fingerprint_kernel qi_fingerprint_kernels[];
extern const unsigned qi_n_fingerprint_kernels;

#define QI_VARIANT(name, level)                                                                    \
    void name(const uint8_t secret[QI_SECRET_BYTES], const uint8_t *rows, size_t row_bytes,        \
              size_t stride, size_t n_rows, uint64_t ret[2]);
#include "kernels/fingerprint/fingerprint.def"
#undef QI_VARIANT

#endif
