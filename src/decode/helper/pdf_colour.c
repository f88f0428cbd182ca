/* Plain colour spaces; see pdf_colour.h. */
#include "decode/helper/pdf_colour.h"

#include <stdlib.h>
#include <string.h>

#include "decode/helper/codec.h"
#include "decode/helper/pdf_stream.h"

enum { MAX_PALETTE_STREAM = 1 << 20 };

static bool is(qpdf_data q, qpdf_oh o, const char *name) {
    return qpdf_oh_is_name_and_equals(q, o, name);
}

/* 1, 3, or 0 for what is not plain; a palette's own space is not. */
static uint32_t plain_channels(qpdf_data q, qpdf_oh space, int depth) {
    if (is(q, space, "/DeviceGray") || is(q, space, "/CalGray")) return 1;
    if (is(q, space, "/DeviceRGB") || is(q, space, "/CalRGB")) return 3;
    if (!qpdf_oh_is_array(q, space) || qpdf_oh_get_array_n_items(q, space) < 1) return 0;
    qpdf_oh kind = qpdf_oh_get_array_item(q, space, 0);
    if (is(q, kind, "/CalGray") || is(q, kind, "/DeviceGray")) return 1;
    if (is(q, kind, "/CalRGB") || is(q, kind, "/DeviceRGB")) return 3;
    if (!is(q, kind, "/ICCBased") || depth > 2 || qpdf_oh_get_array_n_items(q, space) < 2) return 0;
    qpdf_oh profile = qpdf_oh_get_array_item(q, space, 1);
    if (!qpdf_oh_is_stream(q, profile)) return 0;
    qpdf_oh dict = qpdf_oh_get_dict(q, profile);
    qpdf_oh alternate = qpdf_oh_get_key(q, dict, "/Alternate");
    int n = 0;
    if (!qpdf_oh_get_value_as_int(q, qpdf_oh_get_key(q, dict, "/N"), &n) || (n != 1 && n != 3))
        return 0;
    /* Lab has three channels too. */
    return qpdf_oh_is_null(q, alternate) || plain_channels(q, alternate, depth + 1) == (uint32_t)n
               ? (uint32_t)n
               : 0;
}

uint32_t qi_pdf_colour_channels(qpdf_data q, qpdf_oh space) {
    return plain_channels(q, space, 0);
}

static bool read_palette(qpdf_data q, qpdf_oh space, qi_pdf_colour *c) {
    uint32_t n = plain_channels(q, qpdf_oh_get_array_item(q, space, 1), 0);
    int last = -1;
    if (!n || !qpdf_oh_get_value_as_int(q, qpdf_oh_get_array_item(q, space, 2), &last) ||
        last < 0 || last > 255)
        return false;
    qpdf_oh table = qpdf_oh_get_array_item(q, space, 3);
    uint8_t *owned = NULL;
    const uint8_t *bytes;
    size_t n_bytes = 0, budget = MAX_PALETTE_STREAM;
    if (qpdf_oh_is_string(q, table)) {
        bytes = (const uint8_t *)qpdf_oh_get_binary_string_value(q, table, &n_bytes);
    } else {
        if (!qi_pdf_stream_read(q, table, &budget, &owned, &n_bytes)) return false;
        bytes = owned;
    }
    bool ok = n_bytes >= ((size_t)last + 1) * n;
    for (int i = 0; ok && i <= last; i++, bytes += n)
        c->palette[i] = n == 1 ? bytes[0] : qi_luma(bytes[0], bytes[1], bytes[2]);
    for (int i = last + 1; ok && i < 256; i++)
        c->palette[i] = c->palette[last];
    free(owned);
    c->has_palette = true;
    c->n_channels = 1;
    return ok;
}

static bool read_decode(qpdf_data q, qpdf_oh image, qi_pdf_colour *c) {
    qpdf_oh decode = qpdf_oh_get_key(q, image, "/Decode");
    if (qpdf_oh_is_null(q, decode)) return true;
    int n = qpdf_oh_is_array(q, decode) ? qpdf_oh_get_array_n_items(q, decode) : 0;
    if (c->has_palette || n != 2 * (int)c->n_channels) return false;
    double v[6];
    for (int i = 0; i < n; i++)
        if (!qpdf_oh_get_value_as_number(q, qpdf_oh_get_array_item(q, decode, i), v + i))
            return false;
    if (n == 2 && v[0] == 1 && v[1] == 0) {
        c->is_inverted = true;
        return true;
    }
    for (int i = 0; i < n; i++)
        if (v[i] != i % 2) return false;
    return true;
}

bool qi_pdf_colour_read(qpdf_data q, qpdf_oh image, qi_pdf_colour *ret_colour) {
    qi_pdf_colour c = {0};
    qpdf_oh dict = qpdf_oh_get_dict(q, image), space = qpdf_oh_get_key(q, dict, "/ColorSpace");
    if (qpdf_oh_is_array(q, space) && qpdf_oh_get_array_n_items(q, space) == 4 &&
        is(q, qpdf_oh_get_array_item(q, space, 0), "/Indexed")) {
        if (!read_palette(q, space, &c)) return false;
    } else {
        c.n_channels = plain_channels(q, space, 0);
    }
    if (!c.n_channels || !read_decode(q, dict, &c)) return false;
    *ret_colour = c;
    return true;
}
