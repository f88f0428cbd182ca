/* See screen.h. A screen changes between ink and paper far more often along a row than letters do.
 */
#include "image/screen.h"

#include <string.h>

enum {
    TILE = 16,
    QUARTER = TILE / 4,
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

/* A word's bits set in each of its bytes. */
static uint64_t count_in_bytes(uint64_t word) {
    const uint64_t pairs = UINT64_C(0x3333333333333333);
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & pairs) + (word >> 2 & pairs);
    return (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
}

/* Changes along a quarter of a row of tiles; of each word four tiles', each in two bytes to be
 * added. */
static void count_changes(const qi_mask *mask, uint32_t y0, uint64_t *changes) {
    memset(changes, 0, mask->stride * sizeof *changes);
    for (uint32_t y = y0; y < y0 + QUARTER; y++) {
        const uint64_t *row = qi_mask_row(mask, y);
        for (size_t j = 0; j < mask->stride; j++)
            changes[j] += count_in_bytes((row[j] ^ row[j] >> 1) & UINT64_C(0x7fff7fff7fff7fff));
    }
}

static uint32_t changes_in_tile(uint64_t changes, uint32_t tile) {
    changes >>= 16 * tile;
    return (changes & 255) + (changes >> 8 & 255);
}

/* Has one of the word's tiles more than WEAK_CHANGES in all its quarters? */
static bool may_be_busy(uint64_t changes) {
    const uint64_t bytes = UINT64_C(0x00ff00ff00ff00ff), ones = UINT64_C(0x0001000100010001);
    uint64_t sums = (changes & bytes) + (changes >> 8 & bytes);
    return (sums + (0x7fff - WEAK_CHANGES) * ones) & (0x8000 * ones);
}

/* Screens are busy in every quarter of a tile, where small print has its gaps. changes: room for
 * four quarters. */
static void mark_busy_tiles(const qi_mask *mask, uint64_t *changes, const tile_map *map) {
    size_t n_words = mask->stride;
    for (uint32_t ty = 0; ty < map->ny; ty++) {
        uint32_t n_quarters = (mask->height - ty * TILE) / QUARTER;
        if (n_quarters > 4) n_quarters = 4;
        memset(changes, 0, 4 * n_words * sizeof *changes);
        for (uint32_t q = 0; q < n_quarters; q++)
            count_changes(mask, ty * TILE + q * QUARTER, changes + q * n_words);
        for (uint32_t x = 0; x < map->nx; x++) {
            const uint64_t *word = changes + x / 4;
            if (!may_be_busy(word[0] + word[n_words] + word[2 * n_words] + word[3 * n_words])) {
                x |= 3;
                continue;
            }
            uint32_t sum = 0, least = TILE * TILE;
            for (uint32_t q = 0; q < n_quarters; q++) {
                uint32_t n = changes_in_tile(word[q * n_words], x % 4);
                sum += n;
                least = n < least ? n : least;
            }
            map->cells[(size_t)ty * map->nx + x] = least < 6 || sum <= WEAK_CHANGES ? 0
                                                   : sum > MIN_CHANGES              ? BUSY
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

/* A tile with all that the means reach over on the page. */
static void smooth_inner_tile(const qi_grey *page, uint32_t x0, uint32_t y0, const qi_grey *out) {
    enum { WINDOW = 2 * REACH + 1 };
    uint16_t across[TILE + 2 * REACH][TILE];
    for (uint32_t v = 0; v < TILE + 2 * REACH; v++) {
        const uint8_t *row = qi_grey_row(page, y0 - REACH + v) + x0 - REACH;
        for (uint32_t x = 0; x < TILE; x++) {
            uint16_t sum = 0;
            for (uint32_t u = 0; u < WINDOW; u++)
                sum = (uint16_t)(sum + row[x + u]);
            across[v][x] = (uint16_t)(sum * 16) / WINDOW;
        }
    }
    for (uint32_t y = 0; y < TILE; y++) {
        uint8_t *row = qi_grey_row(out, y0 + y) + x0;
        for (uint32_t x = 0; x < TILE; x++) {
            uint16_t sum = 0;
            for (uint32_t v = 0; v < WINDOW; v++)
                sum = (uint16_t)(sum + across[y + v][x]);
            row[x] = (uint8_t)(sum / (16 * WINDOW));
        }
    }
}

static void smooth_tile(const qi_grey *page, uint32_t x0, uint32_t y0, const qi_grey *out) {
    if (x0 >= REACH && y0 >= REACH && x0 + TILE + REACH <= page->width &&
        y0 + TILE + REACH <= page->height) {
        smooth_inner_tile(page, x0, y0, out);
        return;
    }
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
    uint64_t *changes = qi_arena_alloc(arena, 4 * mask->stride, sizeof *changes);
    if (!map.cells || !changes) return QUIRE_ERR_NO_MEMORY;
    *ret_found = false;
    mark_busy_tiles(mask, changes, &map);
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
