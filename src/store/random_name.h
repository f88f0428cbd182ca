/* Names that nobody can guess and nobody is given twice, of the 32 characters 0–9 and a–z without
 * i, l, o and u, in the order of their codes. Any thread. */
#ifndef QI_STORE_RANDOM_NAME_H
#define QI_STORE_RANDOM_NAME_H

#include <stddef.h>

extern const char qi_name_digits[33];

/* n characters of 5 random bits each, at most 64, without NUL. */
void qi_random_name(char *ret, size_t n);

#endif
