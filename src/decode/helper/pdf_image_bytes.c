/* Memory of images as poppler 22.12 draws them; see pdf_image_bytes.h. The pixels become a surface
 * of cairo's; JPEG 2000 is unpacked whole, and so is progressive JPEG. */
#include "decode/helper/pdf_image_bytes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "decode/helper/codec.h"
#include "decode/helper/jpx.h"
#include "decode/helper/pdf_stream.h"

#define SURFACE_BYTES    4                    /* a pixel */
#define MAX_SURFACE_SIDE 32767                /* longer ones are shrunk while they are read */
#define JPX_BYTES        4                    /* a sample */
#define MOST_CHANNELS    4                    /* unless the file is asked */
#define JPEG_BYTES       8                    /* a pixel: coefficients of that many channels */
#define SMALL_PIXELS     (2 << 20)            /* not worth asking the file */
#define MAX_PACKED_BYTES (UINT64_C(64) << 20) /* files larger than this are not asked */
#define MAX_PIXELS       (UINT64_C(1) << 40)
#define MAX_BYTES        (UINT64_C(1) << 46) /* nobody has as much */

static qpdf_oh entry(qpdf_data q, qpdf_oh stream, const char *key) {
    qpdf_oh dict = qpdf_oh_get_dict(q, stream), value = qpdf_oh_get_key(q, dict, key);
    qpdf_oh_release(q, dict);
    return value;
}

static uint64_t side(qpdf_data q, qpdf_oh stream, const char *key) {
    qpdf_oh o = entry(q, stream, key);
    long long v;
    bool ok = qpdf_oh_get_value_as_longlong(q, o, &v) && v > 0 && v <= INT32_MAX;
    qpdf_oh_release(q, o);
    return ok ? (uint64_t)v : 0;
}

/* The filter that makes the pixels, the last one, is this. */
static bool is_coded(qpdf_data q, qpdf_oh stream, const char *filter) {
    qpdf_oh o = entry(q, stream, "/Filter");
    if (qpdf_oh_is_array(q, o)) {
        int n = qpdf_oh_get_array_n_items(q, o);
        qpdf_oh last = n > 0 ? qpdf_oh_get_array_item(q, o, n - 1) : qpdf_oh_new_null(q);
        qpdf_oh_release(q, o);
        o = last;
    }
    bool is = qpdf_oh_is_name_and_equals(q, o, filter);
    qpdf_oh_release(q, o);
    return is;
}

/* What unpacking takes, beside the surface. */
static uint64_t bytes_to_unpack(qpdf_data q, qpdf_oh stream, uint64_t pixels, uint32_t *asks) {
    bool is_jpx = is_coded(q, stream, "/JPXDecode");
    if (!is_jpx && !is_coded(q, stream, "/DCTDecode")) return 0;
    uint64_t bytes = pixels * (is_jpx ? JPX_BYTES * MOST_CHANNELS : JPEG_BYTES);
    qi_input input = {.password = ""};
    size_t budget = 2 * (size_t)MAX_PACKED_BYTES;
    uint8_t *packed = NULL;
    if (pixels <= SMALL_PIXELS || !*asks) return bytes;
    --*asks;
    if (side(q, stream, "/Length") <= MAX_PACKED_BYTES &&
        qi_pdf_stream_read_packed(q, stream, &budget, &packed, &input.n_bytes)) {
        qi_measure m;
        quire_diag diag;
        uint32_t n_channels;
        input.bytes = packed;
        if (is_jpx && qi_jpx_measure(packed, input.n_bytes, &n_channels, &m))
            bytes = pixels * JPX_BYTES * n_channels + input.n_bytes;
        else if (!is_jpx && !qi_codec_jpeg.measure(&input, 0, &m, &diag))
            bytes = m.decode_bytes;
    }
    free(packed);
    return bytes;
}

static uint64_t bytes_of(qpdf_data q, qpdf_oh stream, uint64_t width, uint64_t height,
                         uint32_t *asks) {
    uint64_t pixels = width * height, bytes = 0;
    if (pixels >= MAX_PIXELS) return MAX_BYTES;
    if (width <= MAX_SURFACE_SIDE && height <= MAX_SURFACE_SIDE) bytes = pixels * SURFACE_BYTES;
    return bytes + (qpdf_oh_is_stream(q, stream) ? bytes_to_unpack(q, stream, pixels, asks) : 0);
}

static uint64_t bytes_of_mask(qpdf_data q, qpdf_oh image, const char *key, uint32_t *asks) {
    qpdf_oh mask = entry(q, image, key);
    uint64_t bytes = 0;
    if (qpdf_oh_is_stream(q, mask))
        bytes = bytes_of(q, mask, side(q, mask, "/Width"), side(q, mask, "/Height"), asks);
    qpdf_oh_release(q, mask);
    return bytes;
}

uint64_t qi_pdf_image_bytes(qpdf_data q, qpdf_oh image, uint32_t width_px, uint32_t height_px,
                            uint32_t *asks) {
    uint64_t bytes = bytes_of(q, image, width_px, height_px, asks);
    if (!qpdf_oh_is_stream(q, image)) return bytes;
    return bytes + bytes_of_mask(q, image, "/SMask", asks) + bytes_of_mask(q, image, "/Mask", asks);
}
