/* kerncheck's cases for fingerprint.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kerncheck.h"

/* Against the oracle; rows apart against rows together; and that each byte counts. */
static void check_case(const qi_fingerprint_kernel *k, size_t row, size_t n_rows) {
    size_t stride = row + rnd(70), n = row * n_rows;
    uint8_t secret[QI_SECRET_BYTES];
    guarded apart = guarded_new(stride * (n_rows - 1) + row), together = guarded_new(n);
    fill_pixels(secret, sizeof secret, false);
    fill_pixels(apart.data, apart.bytes, true);
    for (size_t y = 0; y < n_rows; y++)
        memcpy(together.data + y * row, apart.data + y * stride, row);
    uint64_t ours[2], oracle[2], one[2], other[2];
    k->fn(secret, apart.data, row, stride, n_rows, ours);
    k->fn(secret, together.data, row, row, n_rows, one);
    qi_fingerprint_kernels[0].fn(secret, together.data, row, row, n_rows, oracle);
    together.data[rnd((uint32_t)n)] ^= (uint8_t)(1 + rnd(255));
    k->fn(secret, together.data, row, row, n_rows, other);
    bool ok = !memcmp(ours, oracle, sizeof ours) && !memcmp(one, oracle, sizeof one) &&
              memcmp(other, oracle, sizeof other) != 0;
    result(k->name, ok, "row, rows", (uint32_t)row, (uint32_t)n_rows, 0);
    guarded_free(&apart);
    guarded_free(&together);
}

void check_fingerprint(const qi_fingerprint_kernel *k) {
    for (uint32_t i = 0; i < 300; i++)
        check_case(k, 1 + rnd(i % 3 ? 300 : 3000), 1 + rnd(i % 2 ? 60 : 3));
}

/* A page's pixels, and those of its 54 lines of 1,700 × 36. */
void bench_fingerprint(const qi_fingerprint_kernel *k) {
    enum { width = 2480, stride = 2496, height = 3508, line_bytes = 1700 * 36, n_lines = 54 };
    uint8_t *px = malloc((size_t)stride * height), secret[QI_SECRET_BYTES] = {1};
    uint64_t ret[2], ns[2] = {UINT64_MAX, UINT64_MAX};
    if (!px) exit(2);
    fill_pixels(px, (size_t)stride * height, true);
    for (int round = 0; round < 10; round++) {
        uint64_t from = qi_clock_ns();
        k->fn(secret, px, width, stride, height, ret);
        uint64_t between = qi_clock_ns();
        for (int i = 0; i < n_lines; i++)
            k->fn(secret, px, 1700, 1700, 36, ret);
        uint64_t to = qi_clock_ns();
        if (between - from < ns[0]) ns[0] = between - from;
        if (to - between < ns[1]) ns[1] = to - between;
    }
    printf("%-28s %6.2f ms a page, %6.2f ms its lines\n", k->name, (double)ns[0] * 1e-6,
           (double)ns[1] * 1e-6);
    free(px);
}
