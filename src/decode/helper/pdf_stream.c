/* Bounded streams; see pdf_stream.h. qpdf unpacks without a bound, so that Flate, nearly all there
 * is, is done here with zlib; other filters, which are seldom, are left to qpdf where even the
 * worst that they can make of their input is within WORST_BYTES. */
#include "decode/helper/pdf_stream.h"

#include <stdlib.h>
#include <string.h>

#include "decode/helper/pdf_integer.h"

enum { FIRST_BYTES = 1 << 16, MAX_FILTERS = 8 };
#define WORST_BYTES (UINT64_C(256) << 20)
#define WORK_BYTES  (UINT64_C(4) << 20) /* zlib's, rows */

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

/* Undoes rows in place; what is left of a last one is dropped. */
static void unpredict(const qi_pdf_predictor *p, uint8_t *bytes, size_t *n_bytes) {
    size_t row = p->row_bytes, n_rows = *n_bytes / (row + 1);
    for (size_t y = 0; y < n_rows; y++) {
        const uint8_t *from = bytes + y * (row + 1);
        uint8_t *to = bytes + y * row;
        qi_pdf_predictor_undo(p, from[0], from + 1, y ? to - row : NULL, to);
    }
    *n_bytes = n_rows * row;
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
        qi_pdf_predictor predictor;
        if (!qi_pdf_predictor_read(q, parms, &predictor)) {
            free(bytes);
            return false;
        }
        if (predictor.row_bytes) unpredict(&predictor, bytes, &n);
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
                 qi_pdf_integer(q, parms, "/Predictor", 1) == 1;
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

uint64_t qi_pdf_unpacking_bytes(qpdf_data q, qpdf_oh stream, uint64_t unpacked_bytes) {
    uint64_t ratio;
    qpdf_oh dict = qpdf_oh_get_dict(q, stream);
    bool is_whole = packing_of(q, dict, &ratio) == OTHER;
    long long packed_bytes = qi_pdf_integer(q, dict, "/Length", 0);
    if (packed_bytes < 0) packed_bytes = 0;
    return 3 * (is_whole ? unpacked_bytes : (uint64_t)packed_bytes) + WORK_BYTES;
}

bool qi_pdf_unpacking_begin(qpdf_data q, qpdf_oh stream, size_t *budget_bytes,
                            qi_pdf_unpacking *u) {
    *u = (qi_pdf_unpacking){0};
    if (!qpdf_oh_is_stream(q, stream)) return false;
    uint64_t ratio;
    if (packing_of(q, qpdf_oh_get_dict(q, stream), &ratio) != FLATE)
        return qi_pdf_stream_read(q, stream, budget_bytes, &u->bytes, &u->n_bytes);
    qpdf_oh name, parms;
    qi_pdf_stream_last_filter(q, stream, &name, &parms);
    if (!qi_pdf_predictor_read(q, parms, &u->predictor) ||
        !raw_bytes(q, stream, qpdf_dl_none, budget_bytes, &u->bytes, &u->n_bytes))
        return false;
    size_t row = u->predictor.row_bytes;
    u->is_flate = inflateInit(&u->z) == Z_OK;
    u->rows = row ? calloc(2, row + 1) : NULL;
    if (u->is_flate && (!row || u->rows)) return true;
    qi_pdf_unpacking_end(u);
    return false;
}

/* What Flate packed, with the numbers of predictors. */
static size_t inflate_more(qi_pdf_unpacking *u, uint8_t *to, size_t n) {
    size_t done = 0;
    while (done < n && !u->has_ended) {
        size_t left = u->n_bytes - u->at, room = n - done;
        uInt give = left > 1u << 30 ? 1u << 30 : (uInt)left;
        uInt take = room > 1u << 30 ? 1u << 30 : (uInt)room;
        u->z.next_in = u->bytes + u->at;
        u->z.avail_in = give;
        u->z.next_out = to + done;
        u->z.avail_out = take;
        u->has_ended = inflate(&u->z, Z_NO_FLUSH) != Z_OK;
        u->at += give - u->z.avail_in;
        done += take - u->z.avail_out;
    }
    return done;
}

/* The next row, undone, where there is a whole one. */
static bool next_row(qi_pdf_unpacking *u) {
    size_t row = u->predictor.row_bytes;
    uint8_t *before = u->rows + (u->n_rows & 1) * (row + 1);
    uint8_t *now = u->rows + (~u->n_rows & 1) * (row + 1);
    if (inflate_more(u, now, row + 1) < row + 1) return false;
    qi_pdf_predictor_undo(&u->predictor, now[0], now + 1, u->n_rows ? before + 1 : NULL, now + 1);
    u->n_rows++;
    u->row = now + 1;
    u->row_left = row;
    return true;
}

size_t qi_pdf_unpacking_next(qi_pdf_unpacking *u, uint8_t *to, size_t n) {
    size_t done = 0;
    if (u->is_flate && !u->rows) return inflate_more(u, to, n);
    while (done < n && (u->row_left || (u->rows && next_row(u)))) {
        size_t some = u->row_left < n - done ? u->row_left : n - done;
        memcpy(to + done, u->row + u->predictor.row_bytes - u->row_left, some);
        u->row_left -= some;
        done += some;
    }
    if (!u->is_flate) {
        done = u->n_bytes - u->at < n ? u->n_bytes - u->at : n;
        memcpy(to, u->bytes + u->at, done);
        u->at += done;
    }
    return done;
}

void qi_pdf_unpacking_end(qi_pdf_unpacking *u) {
    if (u->is_flate) inflateEnd(&u->z);
    free(u->bytes);
    free(u->rows);
    *u = (qi_pdf_unpacking){0};
}
