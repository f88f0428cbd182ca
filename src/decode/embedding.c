/* The checks of embedding.h. */
#include "decode/embedding.h"

#include <math.h>
#include <string.h>

static bool image_valid(const quire_pdf_page *p) {
    bool bits_fit = p->bits == 1 || p->bits == 2 || p->bits == 4 || p->bits == 8 || p->bits == 16;
    bool channels_fit = p->n_channels == 1 || p->n_channels == 3 || p->n_channels == 4;
    return p->coding <= QUIRE_PDF_FAX && p->columns > 0 && p->columns <= INT32_MAX && p->rows > 0 &&
           p->rows <= INT32_MAX && bits_fit && channels_fit && p->orientation >= 1 &&
           p->orientation <= 8 && isfinite(p->dpi_x) && isfinite(p->dpi_y) && p->dpi_x >= 0 &&
           p->dpi_y >= 0 && p->inverted <= 1 && p->predicted <= 1 && p->colour_transform >= -1 &&
           p->colour_transform <= 1 && p->fax_k >= -1 && p->fax_k <= 1 && p->fax_black_is_1 <= 1 &&
           p->n_palette <= 256;
}

static bool is_name(const char *name, size_t n) {
    size_t i = 0;
    for (; i < n && name[i]; i++) {
        char c = name[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
    }
    return i > 0 && i < n;
}

static bool original_valid(const quire_pdf_page *p) {
    for (int i = 0; i < 6; i++)
        if (!isfinite(p->to_points[i]) || fabs(p->to_points[i]) > 1e9) return false;
    return p->object > 0 && p->object < INT32_MAX / 2 && p->generation <= UINT16_MAX &&
           is_name(p->font_name, sizeof p->font_name) && p->font_at <= p->content_at &&
           p->content_at <= p->n_bytes;
}

bool qi_embedding_accept(quire_pdf_page *page, const void *memory, size_t total_bytes) {
    if (total_bytes < sizeof(qi_embedding) || page->n_covered > QI_EMBEDDING_MAX_COVERED)
        return false;
    size_t at = sizeof(qi_embedding) + (size_t)page->n_covered * sizeof *page->covered;
    if (at > total_bytes || page->n_bytes != total_bytes - at) return false;
    if (page->kind == QUIRE_PDF_IMAGE ? !image_valid(page)
                                      : page->kind != QUIRE_PDF_ORIGINAL || !original_valid(page))
        return false;
    page->covered = (const quire_box *)((const char *)memory + sizeof(qi_embedding));
    page->bytes = (const uint8_t *)memory + at;
    return true;
}
