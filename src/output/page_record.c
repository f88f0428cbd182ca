/* Writing and reading of page records; see page_record.h. */
#include "output/page_record.h"

#include <stdlib.h>
#include <string.h>

static void put_box(qi_strbuf *out, quire_box box) {
    qi_strbuf_append(out, &box, sizeof box);
}

static quire_box take_box(qi_bytes *in) {
    quire_box box = {qi_bytes_i32(in), qi_bytes_i32(in), qi_bytes_i32(in), qi_bytes_i32(in)};
    return box;
}

enum { VERSION = 1 };

/* Bytes that a block, line and word take at least: what bounds their number. */
enum { MIN_BLOCK = 24, MIN_LINE = 16 + 16 + 8 + 8 + 8 + 4, MIN_WORD = 16 + 4 + 1 + 4 };

/* Every field of these is written and read below: a new one belongs there, and VERSION counts up.
 * Of pdf it is only whether there was one, of image nothing: that is a file of its own. */
_Static_assert(sizeof(quire_page) == 176 && sizeof(quire_block) == 24 && sizeof(quire_line) == 72 &&
                   sizeof(quire_word) == 32 && sizeof(quire_timings) == 48,
               "write the new field into the record");

static void put_head(qi_strbuf *out, const quire_page *p) {
    qi_strbuf_put_u32(out, VERSION);
    qi_strbuf_put_u32(out, p->index);
    qi_strbuf_put_u32(out, p->error);
    qi_strbuf_put_string(out, p->error_text);
    qi_strbuf_put_u32(out, p->width_px);
    qi_strbuf_put_u32(out, p->height_px);
    qi_strbuf_put_f32(out, p->dpi);
    qi_strbuf_put_u32(out, p->dpi_estimated);
    qi_strbuf_put_u32(out, (uint32_t)p->rotation);
    qi_strbuf_put_f32(out, p->skew_degrees);
    qi_strbuf_put_f32(out, p->confidence);
    qi_strbuf_append(out, &p->timings, sizeof p->timings);
    qi_strbuf_put_u64(out, p->elapsed_ns);
    qi_strbuf_put_u32(out, p->text_source);
    qi_strbuf_put_u32(out, p->text_reason);
    qi_strbuf_put_u32(out, p->pdf != NULL);
    qi_strbuf_put_u32(out, p->n_blocks);
    qi_strbuf_put_u32(out, p->n_lines);
    qi_strbuf_put_u32(out, p->n_words);
}

void qi_page_record_put(qi_strbuf *out, const quire_page *p) {
    put_head(out, p);
    for (uint32_t i = 0; i < p->n_blocks; i++) {
        put_box(out, p->blocks[i].box);
        qi_strbuf_put_u32(out, p->blocks[i].first_line);
        qi_strbuf_put_u32(out, p->blocks[i].n_lines);
    }
    for (uint32_t i = 0; i < p->n_lines; i++) {
        const quire_line *line = &p->lines[i];
        put_box(out, line->box);
        qi_strbuf_append(out, line->baseline, sizeof line->baseline);
        qi_strbuf_put_f32(out, line->x_height_px);
        qi_strbuf_put_f32(out, line->confidence);
        qi_strbuf_put_string(out, line->text);
        qi_strbuf_put_string(out, line->language);
        qi_strbuf_put_u32(out, line->first_word);
        qi_strbuf_put_u32(out, line->n_words);
        qi_strbuf_put_u32(out, line->source);
    }
    for (uint32_t i = 0; i < p->n_words; i++) {
        const quire_word *word = &p->words[i];
        const char space = word->space_before;
        put_box(out, word->box);
        qi_strbuf_put_f32(out, word->confidence);
        qi_strbuf_append(out, &space, 1);
        qi_strbuf_put_string(out, word->text);
    }
}

static quire_text_source take_source(qi_bytes *in) {
    uint32_t source = qi_bytes_u32(in);
    if (source > QUIRE_SOURCE_MIXED) in->bad = true;
    return in->bad ? QUIRE_SOURCE_PIXELS : (quire_text_source)source;
}

static const quire_pdf_page not_kept;

static void take_head(qi_bytes *in, quire_page *p) {
    if (qi_bytes_u32(in) != VERSION) in->bad = true;
    p->index = qi_bytes_u32(in);
    uint32_t error = qi_bytes_u32(in);
    if (error > QUIRE_ERR_CANCELLED) in->bad = true;
    p->error = in->bad ? QUIRE_ERR_OK : (quire_err)error;
    p->error_text = qi_bytes_string(in);
    p->width_px = qi_bytes_u32(in);
    p->height_px = qi_bytes_u32(in);
    p->dpi = qi_bytes_f32(in);
    p->dpi_estimated = qi_bytes_u32(in) != 0;
    p->rotation = qi_bytes_i32(in);
    p->skew_degrees = qi_bytes_f32(in);
    p->confidence = qi_bytes_f32(in);
    const uint8_t *timings = qi_bytes_take(in, sizeof p->timings);
    if (timings) memcpy(&p->timings, timings, sizeof p->timings);
    p->elapsed_ns = qi_bytes_u64(in);
    p->text_source = take_source(in);
    uint32_t reason = qi_bytes_u32(in);
    if (reason > QUIRE_REASON_DIFFERS) in->bad = true;
    p->text_reason = in->bad ? QUIRE_REASON_NO_LAYER : (quire_text_reason)reason;
    if (qi_bytes_u32(in)) p->pdf = &not_kept;
    p->n_blocks = qi_bytes_u32(in);
    p->n_lines = qi_bytes_u32(in);
    p->n_words = qi_bytes_u32(in);
}

/* A range of *ret_n from *ret_first on, within n and after those before, which end at *end: writers
 * reckon with room for each line and word once. */
static void take_range(qi_bytes *in, uint32_t n, uint32_t *end, uint32_t *ret_first,
                       uint32_t *ret_n) {
    *ret_first = qi_bytes_u32(in);
    *ret_n = qi_bytes_u32(in);
    if (*ret_first < *end || *ret_first > n || *ret_n > n - *ret_first)
        in->bad = true;
    else
        *end = *ret_first + *ret_n;
}

static void take_blocks(qi_bytes *in, const quire_page *p, quire_block *blocks) {
    uint32_t end = 0;
    for (uint32_t i = 0; i < p->n_blocks && !in->bad; i++) {
        quire_block *b = &blocks[i];
        b->box = take_box(in);
        take_range(in, p->n_lines, &end, &b->first_line, &b->n_lines);
    }
}

static void take_lines(qi_bytes *in, const quire_page *p, quire_line *lines) {
    uint32_t end = 0;
    for (uint32_t i = 0; i < p->n_lines && !in->bad; i++) {
        quire_line *line = &lines[i];
        line->box = take_box(in);
        for (int k = 0; k < 4; k++)
            line->baseline[k] = qi_bytes_f32(in);
        line->x_height_px = qi_bytes_f32(in);
        line->confidence = qi_bytes_f32(in);
        line->text = qi_bytes_string(in);
        line->language = qi_bytes_string(in);
        take_range(in, p->n_words, &end, &line->first_word, &line->n_words);
        line->source = take_source(in);
        if (!line->text) in->bad = true;
    }
}

static void take_words(qi_bytes *in, const quire_page *p, quire_word *words) {
    for (uint32_t i = 0; i < p->n_words && !in->bad; i++) {
        quire_word *word = &words[i];
        word->box = take_box(in);
        word->confidence = qi_bytes_f32(in);
        word->space_before = qi_bytes_u8(in) != 0;
        word->text = qi_bytes_string(in);
        if (!word->text) in->bad = true;
    }
}

quire_err qi_page_record_take(qi_bytes *in, quire_page *ret, void **ret_storage) {
    quire_page p = {0};
    take_head(in, &p);
    const uint64_t least = (uint64_t)p.n_blocks * MIN_BLOCK + (uint64_t)p.n_lines * MIN_LINE +
                           (uint64_t)p.n_words * MIN_WORD;
    if (in->bad || least > qi_bytes_left(in)) return QUIRE_ERR_CORRUPT;
    const size_t lines_bytes = p.n_lines * sizeof *p.lines,
                 words_bytes = p.n_words * sizeof *p.words,
                 n = lines_bytes + words_bytes + p.n_blocks * sizeof *p.blocks;
    char *storage = malloc(n ? n : 1);
    if (!storage) return QUIRE_ERR_NO_MEMORY;
    quire_line *lines = (quire_line *)storage;
    quire_word *words = (quire_word *)(storage + lines_bytes);
    quire_block *blocks = (quire_block *)(storage + lines_bytes + words_bytes);
    take_blocks(in, &p, blocks);
    take_lines(in, &p, lines);
    take_words(in, &p, words);
    if (in->bad) {
        free(storage);
        return QUIRE_ERR_CORRUPT;
    }
    p.lines = lines;
    p.words = words;
    p.blocks = blocks;
    *ret = p;
    *ret_storage = storage;
    return QUIRE_ERR_OK;
}
