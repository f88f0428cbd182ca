/* The body of every variant of fingerprint.h: xxHash compiled into it, with the instructions that
 * its library's flags allow. */
#ifndef QI_KERNELS_FINGERPRINT_FINGERPRINT_XXH3_H
#define QI_KERNELS_FINGERPRINT_FINGERPRINT_XXH3_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernels/fingerprint/fingerprint.h"

static inline void fingerprint(const uint8_t *secret, const uint8_t *rows, size_t row_bytes,
                               size_t stride, size_t n_rows, uint64_t ret[2]) {
    XXH128_hash_t hash;
    if (row_bytes == stride) {
        hash = XXH3_128bits_withSecret(rows, row_bytes * n_rows, secret, QI_SECRET_BYTES);
    } else {
        XXH3_state_t state;
        XXH3_INITSTATE(&state);
        XXH3_128bits_reset_withSecret(&state, secret, QI_SECRET_BYTES);
        for (; n_rows > 0; n_rows--, rows += stride)
            XXH3_128bits_update(&state, rows, row_bytes);
        hash = XXH3_128bits_digest(&state);
    }
    ret[0] = hash.low64;
    ret[1] = hash.high64;
}

#endif
