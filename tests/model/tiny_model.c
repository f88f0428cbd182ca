/* Writing the model of tiny_model.h, byte by byte as the format wants it. */
#include "tiny_model.h"

#include <assert.h>
#include <string.h>

const char tiny_charset[] =
    "7\n"
    "NULL 0 Common 0\n"
    "Joined 7 0,255,0,255,0,0,0,0,0,0 Latin 1 0 1 Joined\t# Joined [4a ]a\n"
    "|Broken|0|1 f 0,255,0,255,0,0,0,0,0,0 Common 2 10 2 |Broken|0|1\t# Broken\n"
    "a 3 0,255,0,255,0,0,0,0,0,0 Latin 3 0 3 a\t# a [61 ]a\n"
    "b 3 0,255,0,255,0,0,0,0,0,0 Latin 4 0 4 b\t# b [62 ]a\n"
    "c 10 0,255,0,255,0,0,0,0,0,0 Common 5 10 5 c\t# c [63 ]p\n"
    "\xE4\xB8\x80 1 0,255,0,255,0,0,0,0,0,0 Han 6 0 6 \xE4\xB8\x80\t# [4e00 ]x\n";

void tiny_put(tiny_buffer *b, const void *bytes, size_t n) {
    assert(n <= sizeof b->bytes - b->n);
    memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
}

static void put_u8(tiny_buffer *b, uint8_t v) {
    tiny_put(b, &v, 1);
}

void tiny_put_u32(tiny_buffer *b, uint32_t v) {
    tiny_put(b, &v, sizeof v);
}

static void put_string(tiny_buffer *b, const char *s) {
    tiny_put_u32(b, (uint32_t)strlen(s));
    tiny_put(b, s, strlen(s));
}

void tiny_recoder(tiny_buffer *b) {
    static const uint32_t codes[TINY_CHARACTERS][3] = {{1, 0}, {1, 6}, {1, 6},   {1, 1},
                                                       {1, 2}, {1, 3}, {2, 4, 5}};
    tiny_put_u32(b, TINY_CHARACTERS);
    for (int i = 0; i < TINY_CHARACTERS; i++) {
        put_u8(b, 1);
        for (uint32_t k = 0; k <= codes[i][0]; k++)
            tiny_put_u32(b, codes[i][k]);
    }
}

/* Three bits of character, then the flags last 1 and word end 4, then the target. */
static void put_edge(tiny_buffer *b, uint32_t character, uint32_t flags, uint64_t target) {
    uint64_t e = character | flags << 3 | target << 6;
    tiny_put(b, &e, sizeof e);
}

static void put_dawg_head(tiny_buffer *b, uint32_t n_edges) {
    tiny_put(b, "\x2A\0", 2);
    tiny_put_u32(b, TINY_CHARACTERS);
    tiny_put_u32(b, n_edges);
}

void tiny_words(tiny_buffer *b) {
    put_dawg_head(b, 3);
    put_edge(b, 3, 1, 1);
    put_edge(b, 4, 1 | 4, 2);
    put_edge(b, 5, 1 | 4, 0);
}

void tiny_punctuation(tiny_buffer *b) {
    put_dawg_head(b, 2);
    put_edge(b, 0, 1 | 4, 1); /* character 0 stands for a word */
    put_edge(b, 5, 1 | 4, 0);
}

static void put_layer(tiny_buffer *b, const char *type, uint32_t n_in, uint32_t n_out) {
    put_u8(b, 0);
    put_string(b, type);
    put_u8(b, 0);
    put_u8(b, 0);
    tiny_put_u32(b, 0); /* flags */
    tiny_put_u32(b, n_in);
    tiny_put_u32(b, n_out);
    tiny_put_u32(b, 0); /* weights, not looked at */
    put_string(b, type);
}

static void put_weights(tiny_buffer *b, uint32_t rows, uint32_t cols, int is_float) {
    const double scale = 1.0 / 64;
    put_u8(b, is_float ? 128 : 128 | 1);
    tiny_put_u32(b, rows);
    tiny_put_u32(b, cols);
    tiny_put(b, "\0\0\0\0\0\0\0", is_float ? 8 : 1);
    for (uint32_t i = 0; i < rows * cols; i++) {
        int8_t w = (int8_t)((int)(i * 37 % 251) - 125);
        double v = w * scale;
        if (is_float)
            tiny_put(b, &v, sizeof v);
        else
            tiny_put(b, &w, 1);
    }
    if (is_float) return;
    tiny_put_u32(b, rows);
    for (uint32_t i = 0; i < rows; i++)
        tiny_put(b, &scale, sizeof scale);
}

void tiny_network(tiny_buffer *b, int is_float) {
    put_layer(b, "Series", TINY_HEIGHT, TINY_CLASSES);
    tiny_put_u32(b, 5);
    put_layer(b, "Input", TINY_HEIGHT, 1);
    const uint32_t shape[5] = {1, TINY_HEIGHT, 0, 1, 0};
    for (int i = 0; i < 5; i++)
        tiny_put_u32(b, shape[i]);
    put_layer(b, "Series", 1, 3);
    tiny_put_u32(b, 2);
    put_layer(b, "Convolve", 1, 9);
    tiny_put_u32(b, 1);
    tiny_put_u32(b, 1);
    put_layer(b, "Tanh", 9, 3);
    put_weights(b, 3, 10, is_float);
    put_layer(b, "XYTranspose", 3, 2);
    tiny_put_u32(b, 1);
    put_layer(b, "SummLSTM", 3, 2);
    tiny_put_u32(b, 5);
    for (int gate = 0; gate < 4; gate++)
        put_weights(b, 2, 6, is_float);
    put_layer(b, "RTLReversed", 2, 2);
    tiny_put_u32(b, 1);
    put_layer(b, "LSTM", 2, 2);
    tiny_put_u32(b, 4);
    for (int gate = 0; gate < 4; gate++)
        put_weights(b, 2, 5, is_float);
    put_layer(b, "Softmax", 2, TINY_CLASSES);
    put_weights(b, TINY_CLASSES, 3, is_float);
    put_string(b, "[1,4,0,1 Ct3,3,3 Lfys2 Lrx2 O1c7]");
    tiny_put_u32(b, is_float ? 64 : 64 | 1); /* re-coded, of integers */
    tiny_put_u32(b, 1);                      /* training iteration */
    tiny_put_u32(b, 1);                      /* sample iteration */
    tiny_put_u32(b, TINY_BLANK);
    tiny_put(b, "\0\0\0\0\0\0\0\0\0\0\0", 12);
}

void tiny_file(tiny_buffer *b, int is_float, const char *config) {
    enum { n_entries = 24 };
    int64_t offsets[n_entries];
    memset(offsets, 0xFF, sizeof offsets);
    b->n = 0;
    tiny_put_u32(b, n_entries);
    tiny_put(b, offsets, sizeof offsets);
    if (config) {
        offsets[0] = (int64_t)b->n;
        tiny_put(b, config, strlen(config));
    }
    offsets[17] = (int64_t)b->n;
    tiny_network(b, is_float);
    offsets[18] = (int64_t)b->n;
    tiny_punctuation(b);
    offsets[19] = (int64_t)b->n;
    tiny_words(b);
    offsets[21] = (int64_t)b->n;
    tiny_put(b, tiny_charset, strlen(tiny_charset));
    offsets[22] = (int64_t)b->n;
    tiny_recoder(b);
    offsets[23] = (int64_t)b->n;
    tiny_put(b, "tiny", 4);
    memcpy(b->bytes + 4, offsets, sizeof offsets);
}
