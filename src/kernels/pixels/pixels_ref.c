/* The scalar oracle of pixels.h. */
#include "kernels/pixels/pixels.h"

void qi_pixels_ref_octets(const uint8_t *px, size_t stride, uint32_t n_rows, uint32_t n,
                          qi_octet *ret) {
    for (uint32_t x = 0; x < n; x += QI_OCTET)
        *ret++ = qi_octet_of(px + x, stride, n_rows, n - x < QI_OCTET ? n - x : QI_OCTET);
}

void qi_pixels_ref_below(const uint8_t *px, const uint8_t *limits, uint32_t n,
                         uint64_t *ret_words) {
    for (uint32_t x = 0; x < n; x += 64) {
        uint64_t word = 0;
        for (uint32_t i = 0; i < 64 && x + i < n; i++)
            word |= (uint64_t)(px[x + i] < limits[x + i]) << i;
        *ret_words++ = word;
    }
}

void qi_pixels_ref_luma(const uint32_t *px, uint32_t n, uint8_t *ret_grey) {
    for (uint32_t i = 0; i < n; i++)
        ret_grey[i] = qi_luma(px[i] >> 16 & 255, px[i] >> 8 & 255, px[i] & 255);
}
