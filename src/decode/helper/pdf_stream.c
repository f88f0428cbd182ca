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
    return n == 1 && flate ? FLATE : OTHER;
}

static long long integer_of(qpdf_data q, qpdf_oh dict, const char *key, long long otherwise) {
    long long v;
    return qpdf_oh_is_dictionary(q, dict) &&
                   qpdf_oh_get_value_as_longlong(q, qpdf_oh_get_key(q, dict, key), &v)
               ? v
               : otherwise;
}

static uint8_t paeth(int left, int up, int corner) {
    int p = left + up - corner, a = abs(p - left), b = abs(p - up), c = abs(p - corner);
    return (uint8_t)(a <= b && a <= c ? left : b <= c ? up : corner);
}

/* Undoes PNG's predictors in place: each row begins with the number of its own. */
static void unpredict_rows(uint8_t *bytes, size_t *n_bytes, size_t row, size_t pixel) {
    size_t n_rows = *n_bytes / (row + 1);
    for (size_t y = 0; y < n_rows; y++) {
        const uint8_t *from = bytes + y * (row + 1) + 1, kind = from[-1];
        uint8_t *to = bytes + y * row;
        for (size_t x = 0; x < row; x++) {
            int left = x >= pixel ? to[x - pixel] : 0, up = y ? (to - row)[x] : 0;
            int corner = x >= pixel && y ? (to - row)[x - pixel] : 0, add = 0;
            if (kind == 1) add = left;
            if (kind == 2) add = up;
            if (kind == 3) add = (left + up) / 2;
            if (kind == 4) add = paeth(left, up, corner);
            to[x] = (uint8_t)(from[x] + add);
        }
    }
    *n_bytes = n_rows * row;
}

/* False for a predictor that is not undone here. */
static bool unpredict(qpdf_data q, qpdf_oh parms, uint8_t *bytes, size_t *n_bytes) {
    long long predictor = integer_of(q, parms, "/Predictor", 1);
    long long colours = integer_of(q, parms, "/Colors", 1);
    long long bits = integer_of(q, parms, "/BitsPerComponent", 8);
    long long columns = integer_of(q, parms, "/Columns", 1);
    if (predictor == 1) return true;
    if (predictor < 10 || predictor > 15 || colours < 1 || colours > 32 || bits < 1 || bits > 16 ||
        columns < 1 || columns > 1 << 24)
        return false;
    unpredict_rows(bytes, n_bytes, (size_t)(columns * colours * bits + 7) / 8,
                   (size_t)(colours * bits + 7) / 8);
    return true;
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
    if (!(e & QPDF_ERRORS) && !bytes && n == 0) bytes = malloc(1); /* an empty stream */
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
    if (p == FLATE) {
        qpdf_oh name, parms;
        uint8_t *bytes;
        bool ok = unpack(raw, n, *budget_bytes, &bytes, &n);
        free(raw);
        if (!ok) return false;
        *budget_bytes -= n;
        qi_pdf_stream_last_filter(q, stream, &name, &parms);
        if (!unpredict(q, parms, bytes, &n)) {
            free(bytes);
            return false;
        }
        *ret_bytes = bytes;
        *ret_n_bytes = n;
        return true;
    }
    free(raw);
    return !__builtin_mul_overflow(ratio, (uint64_t)n, &worst) && worst <= WORST_BYTES &&
           raw_bytes(q, stream, qpdf_dl_specialized, budget_bytes, ret_bytes, ret_n_bytes);
}

void qi_pdf_stream_last_filter(qpdf_data q, qpdf_oh stream, qpdf_oh *ret_name, qpdf_oh *ret_parms) {
    qpdf_oh dict = qpdf_oh_get_dict(q, stream);
    qpdf_oh name = qpdf_oh_get_key(q, dict, "/Filter");
    qpdf_oh parms = qpdf_oh_get_key(q, dict, "/DecodeParms");
    if (qpdf_oh_is_array(q, name)) {
        int last = qpdf_oh_get_array_n_items(q, name) - 1;
        name = last >= 0 ? qpdf_oh_get_array_item(q, name, last) : qpdf_oh_new_null(q);
        if (qpdf_oh_is_array(q, parms))
            parms = last >= 0 && last < qpdf_oh_get_array_n_items(q, parms)
                        ? qpdf_oh_get_array_item(q, parms, last)
                        : qpdf_oh_new_null(q);
    } else if (qpdf_oh_is_array(q, parms) && qpdf_oh_get_array_n_items(q, parms) > 0) {
        parms = qpdf_oh_get_array_item(q, parms, 0);
    }
    *ret_name = name;
    *ret_parms = parms;
}

bool qi_pdf_stream_read_packed(qpdf_data q, qpdf_oh stream, size_t *budget_bytes,
                               uint8_t **ret_bytes, size_t *ret_n_bytes) {
    if (!qpdf_oh_is_stream(q, stream)) return false;
    qpdf_oh filter = qpdf_oh_get_key(q, qpdf_oh_get_dict(q, stream), "/Filter");
    int n_filters = qpdf_oh_is_array(q, filter) ? qpdf_oh_get_array_n_items(q, filter) : 1;
    qpdf_oh parms = qpdf_oh_get_key(q, qpdf_oh_get_dict(q, stream), "/DecodeParms");
    if (qpdf_oh_is_array(q, parms) && qpdf_oh_get_array_n_items(q, parms) > 0)
        parms = qpdf_oh_get_array_item(q, parms, 0);
    bool flate = n_filters == 2 &&
                 is_name(q, qpdf_oh_get_array_item(q, filter, 0), "/FlateDecode", "/Fl") &&
                 integer_of(q, parms, "/Predictor", 1) == 1;
    uint8_t *raw;
    size_t n;
    if ((n_filters != 1 && !flate) || !raw_bytes(q, stream, qpdf_dl_none, budget_bytes, &raw, &n))
        return false;
    if (!flate) {
        *ret_bytes = raw;
        *ret_n_bytes = n;
        return true;
    }
    bool ok = unpack(raw, n, *budget_bytes, ret_bytes, ret_n_bytes);
    free(raw);
    if (ok) *budget_bytes -= *ret_n_bytes;
    return ok;
}
