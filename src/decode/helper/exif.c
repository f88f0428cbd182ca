/* Orientation and resolution from EXIF; see exif.h. Damage means no information, never an error:
 * the pixels are what counts. */
#include "decode/helper/exif.h"

#include <stdbool.h>
#include <string.h>

typedef struct view {
    const uint8_t *bytes;
    size_t n;
    bool big;
} view;

static uint32_t u16(const view *v, size_t at) {
    if (at > v->n || v->n - at < 2) return 0;
    const uint8_t *p = v->bytes + at;
    return v->big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t u32(const view *v, size_t at) {
    if (at > v->n || v->n - at < 4) return 0;
    return v->big ? u16(v, at) << 16 | u16(v, at + 2) : u16(v, at + 2) << 16 | u16(v, at);
}

static double ratio(const view *v, size_t at) {
    uint32_t denominator = u32(v, (size_t)at + 4);
    return denominator ? (double)u32(v, at) / denominator : 0;
}

void qi_exif_read(const uint8_t *bytes, size_t n, qi_exif *ret_exif) {
    *ret_exif = (qi_exif){.orientation = 1};
    if (n >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0) {
        bytes += 6;
        n -= 6;
    }
    if (n < 8 || (memcmp(bytes, "II", 2) != 0 && memcmp(bytes, "MM", 2) != 0)) return;
    view v = {bytes, n, bytes[0] == 'M'};
    if (u16(&v, 2) != 42) return;
    size_t directory = u32(&v, 4);
    uint32_t n_entries = u16(&v, directory);
    double unit = 1; /* inches, the default of ResolutionUnit */
    for (uint32_t i = 0; i < n_entries && i < 512; i++) {
        size_t entry = directory + 2 + (size_t)i * 12;
        uint32_t type = u16(&v, entry + 2), value = u16(&v, entry + 8);
        switch (u16(&v, entry)) {
        case 0x0112:
            if (type == 3 && value >= 1 && value <= 8) ret_exif->orientation = (int)value;
            break;
        case 0x011A:
            if (type == 5) ret_exif->dpi_x = ratio(&v, u32(&v, entry + 8));
            break;
        case 0x011B:
            if (type == 5) ret_exif->dpi_y = ratio(&v, u32(&v, entry + 8));
            break;
        case 0x0128:
            unit = value == 3 ? 2.54 : 1;
            break;
        }
    }
    ret_exif->dpi_x *= unit;
    ret_exif->dpi_y *= unit;
}
