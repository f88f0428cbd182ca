/* Bounded streams; see pdf_stream.h. qpdf unpacks without a bound, so that Flate, nearly all there
 * is, is done here with zlib; other filters, which are seldom, are left to qpdf where even the
 * worst that they can make of their input is within WORST_BYTES. */
#include "decode/helper/pdf_stream.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FIRST_BYTES = 1 << 16, MAX_FILTERS = 8 };
#define WORST_BYTES (UINT64_C(256) << 20)

static bool is_name(qpdf_data q, qpdf_oh o, const char *full, const char *abbreviated) {
    return qpdf_oh_is_name_and_equals(q, o, full) || qpdf_oh_is_name_and_equals(q, o, abbreviated);
}

/* The most bytes that a filter makes of one; 0 where it is not one of ours. */
static uint64_t worst_ratio(qpdf_data q, qpdf_oh filter) {
    if (is_name(q, filter, "/FlateDecode", "/Fl")) return 1032;
    if (is_name(q, filter, "/LZWDecode", "/LZW")) return 2731;
    if (is_name(q, filter, "/RunLengthDecode", "/RL")) return 64;
    if (is_name(q, filter, "/ASCII85Decode", "/A85")) return 4;
    if (is_name(q, filter, "/ASCIIHexDecode", "/AHx")) return 1;
    if (is_name(q, filter, "/Crypt", "/Crypt")) return 1;
    return 0;
}

typedef enum packing { PLAIN, FLATE, OTHER, FOREIGN } packing;

static packing packing_of(qpdf_data q, qpdf_oh dict, uint64_t *ret_ratio) {
    qpdf_oh filter = qpdf_oh_get_key(q, dict, "/Filter");
    *ret_ratio = 1;
    if (qpdf_oh_is_null(q, filter)) return PLAIN;
    bool many = qpdf_oh_is_array(q, filter);
    int n = many ? qpdf_oh_get_array_n_items(q, filter) : 1;
    if (n > MAX_FILTERS) return FOREIGN;
    bool flate = false;
    for (int i = 0; i < n; i++) {
        qpdf_oh f = many ? qpdf_oh_get_array_item(q, filter, i) : filter;
        uint64_t ratio = worst_ratio(q, f);
        if (!ratio || __builtin_mul_overflow(*ret_ratio, ratio, ret_ratio)) return FOREIGN;
        flate = is_name(q, f, "/FlateDecode", "/Fl");
    }
    if (n == 0) return PLAIN;
    qpdf_oh parms = qpdf_oh_get_key(q, dict, "/DecodeParms");
    if (qpdf_oh_is_array(q, parms) && qpdf_oh_get_array_n_items(q, parms) > 0)
        parms = qpdf_oh_get_array_item(q, parms, 0);
    bool predicted = qpdf_oh_is_dictionary(q, parms) && qpdf_oh_has_key(q, parms, "/Predictor");
    return n == 1 && flate && !predicted ? FLATE : OTHER;
}

static bool unpack(const uint8_t *in, size_t n, size_t max_bytes, uint8_t **ret, size_t *ret_n) {
    z_stream z = {.next_in = (Bytef *)in};
    if (inflateInit(&z) != Z_OK) return false;
    uint8_t *out = NULL;
    size_t size = 0, capacity = 0;
    int status = Z_OK;
    bool fits = true;
    while (status == Z_OK) {
        if (size == capacity) {
            /* One byte past the bound shows that there is more. */
            size_t more = capacity ? capacity * 2 : FIRST_BYTES;
            if (more > max_bytes) more = max_bytes + 1;
            uint8_t *grown = more > capacity ? realloc(out, more) : NULL;
            if (!grown) {
                fits = false;
                break;
            }
            out = grown;
            capacity = more;
        }
        size_t left = n - (size_t)(z.next_in - in), room = capacity - size;
        uInt give = left > 1u << 30 ? 1u << 30 : (uInt)left;
        uInt take = room > 1u << 30 ? 1u << 30 : (uInt)room;
        z.avail_in = give;
        z.next_out = out + size;
        z.avail_out = take;
        status = inflate(&z, Z_NO_FLUSH);
        size += take - z.avail_out;
    }
    inflateEnd(&z);
    if (!fits || size > max_bytes) {
        free(out);
        return false;
    }
    *ret = out;
    *ret_n = size;
    return true;
}

/* Decrypted, and decoded to this level. */
static bool raw_bytes(qpdf_data q, qpdf_oh stream, enum qpdf_stream_decode_level_e level,
                      size_t *budget_bytes, uint8_t **ret, size_t *ret_n) {
    unsigned char *bytes = NULL;
    size_t n = 0;
    QPDF_BOOL filtered = QPDF_FALSE;
    QPDF_ERROR_CODE e = qpdf_oh_get_stream_data(q, stream, level, &filtered, &bytes, &n);
    if (e & QPDF_ERRORS || !bytes || (level && !filtered) || n > *budget_bytes) {
        free(bytes);
        return false;
    }
    *budget_bytes -= n;
    *ret = bytes;
    *ret_n = n;
    return true;
}

bool qi_pdf_stream_read(qpdf_data q, qpdf_oh stream, size_t *budget_bytes, uint8_t **ret_bytes,
                        size_t *ret_n_bytes) {
    if (!qpdf_oh_is_stream(q, stream)) return false;
    uint64_t ratio, worst;
    packing p = packing_of(q, qpdf_oh_get_dict(q, stream), &ratio);
    uint8_t *raw;
    size_t n;
    if (p == FOREIGN || !raw_bytes(q, stream, qpdf_dl_none, budget_bytes, &raw, &n)) return false;
    if (p == PLAIN) {
        *ret_bytes = raw;
        *ret_n_bytes = n;
        return true;
    }
    bool ok = p == FLATE && unpack(raw, n, *budget_bytes, ret_bytes, ret_n_bytes);
    free(raw);
    if (p == FLATE) {
        if (ok) *budget_bytes -= *ret_n_bytes;
        return ok;
    }
    return !__builtin_mul_overflow(ratio, (uint64_t)n, &worst) && worst <= WORST_BYTES &&
           raw_bytes(q, stream, qpdf_dl_specialized, budget_bytes, ret_bytes, ret_n_bytes);
}
