/* See fingerprint.h. */
#include "image/fingerprint.h"

#include <sys/random.h>

#include "kernels/kernels.h"

_Static_assert(sizeof((qi_secret *)0)->bytes == QI_SECRET_BYTES, "the kernel's secret");

quire_err qi_secret_draw(qi_secret *ret_secret) {
    qi_secret secret;
    if (getentropy(secret.bytes, sizeof secret.bytes)) return QUIRE_ERR_INTERNAL;
    *ret_secret = secret;
    return QUIRE_ERR_OK;
}

qi_fingerprint qi_grey_fingerprint(const qi_secret *secret, const qi_grey *grey) {
    qi_fingerprint ret;
    qi_kernels k;
    qi_kernels_of(qi_cpu_level_now(), &k);
    k.fingerprint->fn(secret->bytes, grey->px, grey->width, grey->stride, grey->height, ret.bits);
    return ret;
}
