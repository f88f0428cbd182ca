/* What the checks of kerncheck.c share with those that have a file of their own. */
#ifndef QI_TESTS_KERNELS_KERNCHECK_H
#define QI_TESTS_KERNELS_KERNCHECK_H

#include "guarded.h"
#include "kernels/kernels.h"

uint32_t rnd(uint32_t n); /* below n */

/* Counts a check of the kernel and tells of one that failed, with three numbers of its case. */
void result(const char *name, bool ok, const char *what, unsigned a, unsigned b, unsigned c);

/* Whether two outputs agree, gaps between rows included. */
bool same(const guarded *a, const guarded *b);

/* Pixels as pages have them: mostly white, or anything. */
void fill_pixels(uint8_t *to, size_t n, bool mostly_white);

void check_pixels(const qi_pixels_kernel *k);
void bench_pixels(const qi_pixels_kernel *k);

void check_line_pixels(const qi_line_pixels_kernel *k);
void check_sharpness(void);
void bench_line_pixels(const qi_line_pixels_kernel *k);

void check_bilinear(const qi_bilinear_kernel *k);
void bench_bilinear(const qi_bilinear_kernel *k);

void check_fingerprint(const qi_fingerprint_kernel *k);
void bench_fingerprint(const qi_fingerprint_kernel *k);

#endif
