/* Packing of weights, once per network and level; see gemm.h. */
#include "kernels/gemm/gemm.h"

#include <stdlib.h>
#include <string.h>

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

/* Where input k of a part that starts at group first lies in a panel, for column c. */
static size_t place(const qi_packed *p, uint32_t first, uint32_t k, uint32_t c) {
    uint32_t g = p->layout.group;
    return ((size_t)(first + k / g) * qi_panel_cols(p) + c) * g + k % g;
}

static size_t place_input(const qi_packed *p, uint32_t k, uint32_t c) {
    return k < p->n_x ? place(p, 0, k, c) : place(p, p->groups_x, k - p->n_x, c);
}

static void pack_s8(qi_packed *p, uint32_t col, const qi_packed_row *row, float steps) {
    uint32_t cols = qi_panel_cols(p), n = p->n_x + p->n_h;
    int8_t *panel = (int8_t *)p->w + col / cols * qi_panel_stride(p);
    int32_t sum = 0;
    for (uint32_t k = 0; k < n; k++) {
        panel[place_input(p, k, col % cols)] = row->s8[k];
        sum += row->s8[k];
    }
    ((int32_t *)p->init)[col] = row->s8[n] * (int32_t)steps - 128 * sum;
    p->scale[col] = (float)(row->scale / (double)steps);
}

static void pack_f32(qi_packed *p, uint32_t col, const qi_packed_row *row) {
    uint32_t cols = qi_panel_cols(p), n = p->n_x + p->n_h;
    float *panel = (float *)p->w + col / cols * qi_panel_stride(p);
    for (uint32_t k = 0; k < n; k++)
        panel[place_input(p, k, col % cols)] = row->f32[k];
    ((float *)p->init)[col] = row->f32[n];
}

bool qi_pack(qi_packed *ret, qi_gemm_layout layout, bool s8, const qi_packed_row rows[],
             uint32_t n_cols, uint32_t n_x, uint32_t n_h, float steps) {
    qi_packed p = {.layout = layout, .n_cols = n_cols, .n_x = n_x, .n_h = n_h};
    uint32_t g = layout.group, cols = layout.lanes * layout.quads;
    p.n_panels = (n_cols + cols - 1) / cols;
    p.groups_x = (n_x + g - 1) / g;
    p.groups_h = (n_h + g - 1) / g;
    size_t all = (size_t)p.n_panels * cols, w_bytes;
    if (__builtin_mul_overflow(qi_panel_stride(&p), (size_t)p.n_panels, &w_bytes) ||
        w_bytes > SIZE_MAX / 16)
        return false;
    w_bytes = round_up(w_bytes * (s8 ? 1 : sizeof(float)), 64);
    size_t col_bytes = round_up(all * 4, 64);
    p.bytes = w_bytes + 2 * col_bytes;
    p.memory = aligned_alloc(64, p.bytes);
    if (!p.memory) return false;
    memset(p.memory, 0, p.bytes);
    p.w = p.memory;
    p.init = (char *)p.memory + w_bytes;
    p.scale = (float *)((char *)p.init + col_bytes);
    for (uint32_t c = 0; c < n_cols; c++) {
        if (s8 && rows[c].s8) pack_s8(&p, c, &rows[c], steps);
        if (!s8 && rows[c].f32) pack_f32(&p, c, &rows[c]);
    }
    *ret = p;
    return true;
}

void qi_packed_done(qi_packed *p) {
    free(p->memory);
    *p = (qi_packed){0};
}
