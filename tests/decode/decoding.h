/* What tests of the decoder share: documents in memory, their decoding, and processes. */
#ifndef QI_TESTS_DECODING_H
#define QI_TESTS_DECODING_H

#include <stdbool.h>

#include "decode/decoder.h"

/* By the helper that this variable of the environment names. */
qi_decoder *decoder_new(const char *variable);

/* A document in memory; the caller closes it. */
int document(const void *bytes, size_t n);
/* A P5 of w × h with pixel (x, y) = x + y * 3 + seed. */
int greymap(uint32_t w, uint32_t h, uint8_t seed);

quire_err decode(qi_decoder *decoder, int fd, uint32_t page, const qi_deadline *deadline,
                 qi_decoded *ret, quire_diag *diag);
/* Decodes a greymap and looks at its pixels. */
void check_greymap(qi_decoder *decoder, uint32_t w, uint32_t h, uint8_t seed);

bool has_children(void);
/* The children of the main thread, at most n, the oldest first; how many. */
int children(pid_t pids[], int n);
pid_t helper_pid(void);  /* the one child of the main thread */
bool is_gone(pid_t pid); /* a process, or within two seconds */

#endif
