/* Inline images; see pdf_inline_image.h. Entries have a long and a short name. */
#include "decode/helper/pdf_inline_image.h"

#include <math.h>
#include <string.h>

#define MAX_DATA_BYTES (128e6)

static bool is(const char *key, const char *full, const char *brief) {
    return !strcmp(key, full) || !strcmp(key, brief);
}

/* A value, or one of an array's. */
static void read_value(const char *key, const qi_pdf_token *t, qi_pdf_inline_image *image,
                       double *bits) {
    if (is(key, "/Width", "/W")) {
        image->width = t->number;
    } else if (is(key, "/Height", "/H")) {
        image->height = t->number;
    } else if (is(key, "/BitsPerComponent", "/BPC")) {
        *bits = t->number;
    } else if (is(key, "/ImageMask", "/IM")) {
        image->is_stencil = !strcmp(t->text, "true");
    } else if (is(key, "/Interpolate", "/I")) {
        image->interpolates = !strcmp(t->text, "true");
    } else if (is(key, "/ColorSpace", "/CS") && t->kind == QI_PDF_NAME) {
        char *to = *image->space ? image->base : image->space;
        memcpy(to, t->text, sizeof image->space);
    } else if (is(key, "/Filter", "/F")) {
        image->has_filter = true;
        image->has_lzw |= is(t->text, "/LZWDecode", "/LZW");
        image->has_crypt |= !strcmp(t->text, "/Crypt");
    }
}

static double bytes_of(const qi_pdf_inline_image *image, double bits) {
    double channels = is(image->space, "/DeviceRGB", "/RGB")     ? 3
                      : is(image->space, "/DeviceCMYK", "/CMYK") ? 4
                                                                 : 1;
    return image->height * ceil(image->width * (image->is_stencil ? 1 : bits * channels) / 8);
}

bool qi_pdf_inline_image_read(qi_pdf_tokens *tokens, qi_pdf_inline_image *ret_image) {
    qi_pdf_inline_image image = {0};
    char key[QI_PDF_NAME_BYTES] = "";
    double bits = 8;
    int depth = 0;
    for (;;) {
        qi_pdf_token t;
        qi_pdf_token_next(tokens, &t);
        if (t.kind == QI_PDF_END) return false;
        if (t.kind == QI_PDF_KEYWORD && !strcmp(t.text, "ID")) break;
        if (t.kind == QI_PDF_OPEN) {
            depth++;
        } else if (t.kind == QI_PDF_SHUT) {
            if (depth && --depth == 0) key[0] = 0;
        } else if (!*key) {
            if (t.kind == QI_PDF_NAME && !depth) memcpy(key, t.text, sizeof key);
        } else {
            read_value(key, &t, &image, &bits);
            if (!depth) key[0] = 0;
        }
    }
    double n = bytes_of(&image, bits);
    bool known = !image.has_filter && n > 0 && n < MAX_DATA_BYTES;
    qi_pdf_token_skip_image(tokens, known ? (size_t)n : 0);
    *ret_image = image;
    return true;
}
