/* A PDF file that is written from its beginning to its end: objects, their places, the
 * cross-reference section. zlib is here to compress what Quire itself has made; it reads nothing.
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "output/emit.h"
#include "output/pdf_parts.h"

enum { ID_BYTES = 16 };

void qi_pdf_file_init(qi_pdf_file *f, uint32_t first_object) {
    *f = (qi_pdf_file){.next_object = first_object};
    sha256_init(&f->hash);
}

void qi_pdf_file_done(qi_pdf_file *f) {
    free(f->objects);
    *f = (qi_pdf_file){0};
}

void qi_pdf_file_count(qi_pdf_file *f, const qi_strbuf *out) {
    if (out->length) sha256_update(&f->hash, out->length, (const uint8_t *)out->data);
    f->n_before += out->length;
}

uint32_t qi_pdf_number(qi_pdf_file *f) {
    return f->next_object++;
}

static void note(qi_pdf_file *f, uint32_t number, uint32_t generation, uint64_t at) {
    if (f->n_objects == f->capacity) {
        size_t capacity = f->capacity ? f->capacity * 2 : 64;
        qi_pdf_object *more = realloc(f->objects, capacity * sizeof *more);
        if (!more) {
            f->failed = true;
            return;
        }
        f->objects = more;
        f->capacity = capacity;
    }
    f->objects[f->n_objects++] = (qi_pdf_object){number, generation, at};
}

void qi_pdf_begin(qi_pdf_file *f, qi_strbuf *out, uint32_t number, uint32_t generation) {
    note(f, number, generation, f->n_before + out->length);
    qi_emit_int(out, number);
    qi_strbuf_append(out, " ", 1);
    qi_emit_int(out, generation);
    qi_strbuf_puts(out, " obj\n");
}

void qi_pdf_end(qi_strbuf *out) {
    qi_strbuf_puts(out, "\nendobj\n");
}

void qi_pdf_stream(qi_pdf_file *f, qi_strbuf *out, uint32_t number, const char *keys,
                   const void *bytes, size_t n, bool deflated) {
    uLongf n_packed = deflated ? compressBound(n) : 0;
    Bytef *packed = deflated ? malloc(n_packed) : NULL;
    if (deflated && (!packed || compress2(packed, &n_packed, bytes, n, 9) != Z_OK)) {
        f->failed = true;
        free(packed);
        return;
    }
    qi_pdf_begin(f, out, number, 0);
    qi_strbuf_puts(out, "<< ");
    qi_strbuf_puts(out, keys);
    if (deflated) qi_strbuf_puts(out, " /Filter /FlateDecode");
    qi_strbuf_puts(out, " /Length ");
    qi_emit_int(out, (int64_t)(deflated ? n_packed : n));
    qi_strbuf_puts(out, " >>\nstream\n");
    qi_strbuf_append(out, deflated ? packed : bytes, deflated ? n_packed : n);
    qi_strbuf_puts(out, "\nendstream");
    qi_pdf_end(out);
    free(packed);
}

/* ---- the end ---- */

static int by_number(const void *a, const void *b) {
    const qi_pdf_object *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Sorted, of each number the last. */
static void sort_objects(qi_pdf_file *f) {
    if (!f->n_objects) return;
    qsort(f->objects, f->n_objects, sizeof *f->objects, by_number);
    size_t n = 0;
    for (size_t i = 0; i < f->n_objects; i++) {
        if (n && f->objects[n - 1].number == f->objects[i].number) n--;
        f->objects[n++] = f->objects[i];
    }
    f->n_objects = n;
}

/* The end of the run of numbers without gaps that begins at i. */
static size_t run_end(const qi_pdf_file *f, size_t i) {
    size_t end = i + 1;
    while (end < f->n_objects && f->objects[end].number == f->objects[end - 1].number + 1)
        end++;
    return end;
}

static void put_padded(qi_strbuf *out, uint64_t v, int digits) {
    char text[20];
    for (int i = digits; i-- > 0; v /= 10)
        text[i] = (char)('0' + v % 10);
    qi_strbuf_append(out, text, (size_t)digits);
}

static void put_table(const qi_pdf_file *f, qi_strbuf *out, bool is_update) {
    qi_strbuf_puts(out, is_update ? "xref\n" : "xref\n0 1\n0000000000 65535 f \n");
    for (size_t i = 0, end; i < f->n_objects; i = end) {
        end = run_end(f, i);
        qi_emit_int(out, f->objects[i].number);
        qi_strbuf_append(out, " ", 1);
        qi_emit_int(out, (int64_t)(end - i));
        qi_strbuf_append(out, "\n", 1);
        for (size_t k = i; k < end; k++) {
            put_padded(out, f->objects[k].at, 10);
            qi_strbuf_append(out, " ", 1);
            put_padded(out, f->objects[k].generation, 5);
            qi_strbuf_append(out, " n \n", 4);
        }
    }
}

static void put_reference(qi_strbuf *out, const char *key, uint32_t number, uint32_t generation) {
    qi_strbuf_puts(out, key);
    qi_emit_int(out, number);
    qi_strbuf_append(out, " ", 1);
    qi_emit_int(out, generation);
    qi_strbuf_puts(out, " R");
}

static void put_hex(qi_strbuf *out, const uint8_t *bytes, size_t n) {
    static const char digits[] = "0123456789abcdef";
    qi_strbuf_append(out, "<", 1);
    for (size_t i = 0; i < n; i++) {
        qi_strbuf_append(out, &digits[bytes[i] >> 4], 1);
        qi_strbuf_append(out, &digits[bytes[i] & 15], 1);
    }
    qi_strbuf_append(out, ">", 1);
}

/* What both kinds of cross-reference say. */
static void put_trailer(qi_pdf_file *f, qi_strbuf *out, const qi_pdf_trailer *t) {
    struct sha256_ctx hash = f->hash;
    uint8_t id[ID_BYTES];
    if (out->length) sha256_update(&hash, out->length, (const uint8_t *)out->data);
    sha256_digest(&hash, sizeof id, id);
    qi_strbuf_puts(out, "/Size ");
    qi_emit_int(out, f->next_object);
    put_reference(out, " /Root ", t->root, t->root_generation);
    if (t->info) put_reference(out, " /Info ", t->info, t->info_generation);
    if (t->is_update) {
        qi_strbuf_puts(out, " /Prev ");
        qi_emit_int(out, (int64_t)t->previous_xref);
    }
    qi_strbuf_puts(out, " /ID [");
    put_hex(out, t->first_id ? t->first_id : id, t->first_id ? t->n_first_id : sizeof id);
    put_hex(out, id, sizeof id);
    qi_strbuf_puts(out, "]");
}

static void put_big_endian(qi_strbuf *out, uint64_t v, int n) {
    for (int i = n; i-- > 0;) {
        char byte = (char)(v >> 8 * i);
        qi_strbuf_append(out, &byte, 1);
    }
}

static void put_xref_stream(qi_pdf_file *f, qi_strbuf *out, const qi_pdf_trailer *t) {
    enum { ENTRY_BYTES = 11 };
    qi_pdf_begin(f, out, qi_pdf_number(f), 0); /* which is the last of them, and itself one */
    qi_strbuf_puts(out, "<< /Type /XRef /W [1 8 2] /Index [");
    for (size_t i = 0, end; i < f->n_objects; i = end) {
        end = run_end(f, i);
        qi_emit_int(out, f->objects[i].number);
        qi_strbuf_append(out, " ", 1);
        qi_emit_int(out, (int64_t)(end - i));
        qi_strbuf_append(out, end < f->n_objects ? " " : "]", 1);
    }
    qi_strbuf_puts(out, " ");
    put_trailer(f, out, t);
    qi_strbuf_puts(out, " /Length ");
    qi_emit_int(out, (int64_t)(f->n_objects * ENTRY_BYTES));
    qi_strbuf_puts(out, " >>\nstream\n");
    for (size_t i = 0; i < f->n_objects; i++) {
        put_big_endian(out, 1, 1);
        put_big_endian(out, f->objects[i].at, 8);
        put_big_endian(out, f->objects[i].generation, 2);
    }
    qi_strbuf_puts(out, "\nendstream");
    qi_pdf_end(out);
}

void qi_pdf_finish(qi_pdf_file *f, qi_strbuf *out, const qi_pdf_trailer *t) {
    sort_objects(f);
    uint64_t at = f->n_before + out->length;
    if (t->xref_stream) {
        put_xref_stream(f, out, t);
    } else {
        put_table(f, out, t->is_update);
        qi_strbuf_puts(out, "trailer\n<< ");
        put_trailer(f, out, t);
        qi_strbuf_puts(out, " >>\n");
    }
    qi_strbuf_puts(out, "startxref\n");
    qi_emit_int(out, (int64_t)at);
    qi_strbuf_puts(out, "\n%%EOF\n");
}
