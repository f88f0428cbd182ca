/* fingerprint.h for AVX2. */
#include "kernels/fingerprint/fingerprint_xxh3.h"

void qi_fingerprint_avx2(const uint8_t secret[QI_SECRET_BYTES], const uint8_t *rows,
                         size_t row_bytes, size_t stride, size_t n_rows, uint64_t ret[2]) {
    fingerprint(secret, rows, row_bytes, stride, n_rows, ret);
}
