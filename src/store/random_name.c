/* Names from the kernel's random bytes; see random_name.h. */
#include "store/random_name.h"

#include <sys/random.h>

const char qi_name_digits[33] = "0123456789abcdefghjkmnpqrstvwxyz";

void qi_random_name(char *ret, size_t n) {
    unsigned char bytes[64];
    /* Up to 256 bytes come whole and without an error once the kernel has started. */
    while (getrandom(bytes, n, 0) != (ssize_t)n)
        continue;
    for (size_t i = 0; i < n; i++)
        ret[i] = qi_name_digits[bytes[i] & 31];
}
