/* Fingerprints of pictures, by which what was read is known again: 128 bits under a secret that is
 * drawn when a reader starts and told to nobody. Two pictures meet by chance once in 2^128; who
 * makes two to differ where the hash (kernels/fingerprint) is weakest would still have to guess 32
 * bits of the secret. Pure; any thread. */
#ifndef QI_IMAGE_FINGERPRINT_H
#define QI_IMAGE_FINGERPRINT_H

#include <stdbool.h>

#include "base/err.h"
#include "image/grey.h"

typedef struct qi_secret {
    uint8_t bytes[192];
} qi_secret;

typedef struct qi_fingerprint {
    uint64_t bits[2];
} qi_fingerprint;

/* From the system's random numbers. INTERNAL: it has none. */
quire_err qi_secret_draw(qi_secret *ret_secret);

/* Of the pixels, row after row; not of the size. */
qi_fingerprint qi_grey_fingerprint(const qi_secret *secret, const qi_grey *grey);

static inline bool qi_fingerprint_equal(qi_fingerprint a, qi_fingerprint b) {
    return a.bits[0] == b.bits[0] && a.bits[1] == b.bits[1];
}

#endif
