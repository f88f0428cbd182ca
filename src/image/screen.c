/* See screen.h. A screen changes between ink and paper far more often along a row than letters do.
 */
#include "image/screen.h"

#include <string.h>

enum {
    TILE = 16,
    MIN_CHANGES = 66,  /* of 240 possible in a tile; small print has about 50 */
    WEAK_CHANGES = 44, /* beside a tile that has so many */
    MIN_TILES = 12,    /* fewer in a page are not worth a second look */
    REACH = 2          /* pixels to each side that a smoothed one is the mean of */
};

enum { WEAK = 1, BUSY = 2 };

typedef struct tile_map {
    uint8_t *cells;
    uint32_t nx, ny;
} tile_map;

/* Changes along the rows y0 <= y < y1 in each of the four tiles of a word. */
static void count_changes(const qi_mask *mask, size_t word, uint32_t y0, uint32_t y1,
                          uint32_t changes[4]) {
    memset(changes, 0, 4 * sizeof *changes);
    for (uint32_t y = y0; y < y1; y++) {
        uint64_t bits = qi_mask_row(mask, y)[word];
        uint64_t change = bits ^ (bits >> 1);
        for (uint32_t k = 0; k < 4 && change; k++)
            changes[k] += (uint32_t)__builtin_popcountll(change >> (16 * k) & 0x7fff);
    }
}

/* Screens are busy in every quarter of a tile, where small print has its gaps. */
static void mark_busy_tiles(const qi_mask *mask, const tile_map *map) {
    for (uint32_t ty = 0; ty < map->ny; ty++) {
        for (size_t j = 0; j < mask->stride; j++) {
            uint32_t sum[4] = {0}, least[4] = {TILE * TILE, TILE * TILE, TILE * TILE, TILE * TILE};
            for (uint32_t quarter = 0; quarter < 4; quarter++) {
                uint32_t y0 = ty * TILE + quarter * (TILE / 4), y1 = y0 + TILE / 4, changes[4];
                if (y1 > mask->height) break;
                count_changes(mask, j, y0, y1, changes);
                for (uint32_t k = 0; k < 4; k++) {
                    sum[k] += changes[k];
                    least[k] = changes[k] < least[k] ? changes[k] : least[k];
                }
            }
            for (uint32_t k = 0; k < 4 && j * 4 + k < map->nx; k++)
                map->cells[(size_t)ty * map->nx + j * 4 + k] =
                    least[k] < 6 || sum[k] <= WEAK_CHANGES ? 0
                    : sum[k] > MIN_CHANGES                 ? BUSY
                                                           : WEAK;
        }
    }
}

static uint32_t busy_beside(const tile_map *m, uint32_t x, uint32_t y) {
    uint32_t n = 0;
    for (uint32_t v = y ? y - 1 : 0; v <= y + 1 && v < m->ny; v++)
        for (uint32_t u = x ? x - 1 : 0; u <= x + 1 && u < m->nx; u++)
            n += (v != y || u != x) && m->cells[(size_t)v * m->nx + u] == BUSY;
    return n;
}

/* Lone busy tiles become weak ones, weak ones beside busy ones busy, as far as that goes in two
 * sweeps. Returns how many are busy. */
static uint32_t settle_tiles(const tile_map *m) {
    for (uint32_t y = 0; y < m->ny; y++)
        for (uint32_t x = 0; x < m->nx; x++)
            if (m->cells[(size_t)y * m->nx + x] == BUSY && busy_beside(m, x, y) < 2)
                m->cells[(size_t)y * m->nx + x] = WEAK;
    uint32_t n = 0;
    for (int sweep = 0; sweep < 2; sweep++) {
        n = 0;
        for (uint32_t i = 0; i < m->ny; i++) {
            uint32_t y = sweep ? m->ny - 1 - i : i;
            for (uint32_t k = 0; k < m->nx; k++) {
                uint32_t x = sweep ? m->nx - 1 - k : k;
                uint8_t *cell = &m->cells[(size_t)y * m->nx + x];
                if (*cell == WEAK && busy_beside(m, x, y)) *cell = BUSY;
                n += *cell == BUSY;
            }
        }
    }
    return n;
}

static void smooth_tile(const qi_grey *page, uint32_t x0, uint32_t y0, const qi_grey *out) {
    uint32_t x1 = x0 + TILE < page->width ? x0 + TILE : page->width;
    uint32_t y1 = y0 + TILE < page->height ? y0 + TILE : page->height;
    uint32_t left = x0 > REACH ? x0 - REACH : 0, top = y0 > REACH ? y0 - REACH : 0;
    uint32_t right = x1 + REACH < page->width ? x1 + REACH : page->width;
    uint32_t bottom = y1 + REACH < page->height ? y1 + REACH : page->height;
    uint16_t across[TILE + 2 * REACH][TILE];
    for (uint32_t y = top; y < bottom; y++) {
        const uint8_t *row = qi_grey_row(page, y);
        for (uint32_t x = x0; x < x1; x++) {
            uint32_t from = x > left + REACH ? x - REACH : left;
            uint32_t to = x + REACH + 1 < right ? x + REACH + 1 : right, sum = 0;
            for (uint32_t u = from; u < to; u++)
                sum += row[u];
            across[y - top][x - x0] = (uint16_t)(sum * 16 / (to - from));
        }
    }
    for (uint32_t y = y0; y < y1; y++) {
        uint32_t from = y > top + REACH ? y - REACH : top;
        uint32_t to = y + REACH + 1 < bottom ? y + REACH + 1 : bottom;
        for (uint32_t x = x0; x < x1; x++) {
            uint32_t sum = 0;
            for (uint32_t v = from; v < to; v++)
                sum += across[v - top][x - x0];
            qi_grey_row(out, y)[x] = (uint8_t)(sum / (16 * (to - from)));
        }
    }
}

quire_err qi_screen_smooth(const qi_grey *page, const qi_mask *mask, qi_arena *arena,
                           bool *ret_found, qi_grey *ret_smooth) {
    tile_map map = {.nx = (mask->width + TILE - 1) / TILE, .ny = (mask->height + TILE - 1) / TILE};
    map.cells = qi_arena_alloc(arena, (size_t)map.nx * map.ny, 1);
    if (!map.cells) return QUIRE_ERR_NO_MEMORY;
    *ret_found = false;
    mark_busy_tiles(mask, &map);
    if (settle_tiles(&map) < MIN_TILES) return QUIRE_ERR_OK;
    qi_grey out = {.width = page->width, .height = page->height, .stride = page->width};
    out.px = qi_arena_alloc(arena, page->height, page->width);
    if (!out.px) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t y = 0; y < page->height; y++)
        memcpy(qi_grey_row(&out, y), qi_grey_row(page, y), page->width);
    for (uint32_t y = 0; y < map.ny; y++)
        for (uint32_t x = 0; x < map.nx; x++)
            if (map.cells[(size_t)y * map.nx + x] == BUSY || busy_beside(&map, x, y) > 0)
                smooth_tile(page, x * TILE, y * TILE, &out);
    *ret_smooth = out;
    *ret_found = true;
    return QUIRE_ERR_OK;
}
