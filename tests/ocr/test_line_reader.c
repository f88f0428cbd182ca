/* Reading lines with an installed model: what a warm reader asks of the heap, and that readings do
 * not depend on the batch. The linker sends calls of malloc and its kin through the functions below
 * (-Wl,--wrap). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ocr/line_cache.h"

enum { N_LINES = 24, WIDTH = 1600, LINE_HEIGHT = 60 };

static size_t n_allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

void *__wrap_malloc(size_t n) {
    n_allocations++;
    return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    n_allocations++;
    return __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    n_allocations++;
    return __real_realloc(p, n);
}
void *__wrap_aligned_alloc(size_t alignment, size_t n) {
    n_allocations++;
    return __real_aligned_alloc(alignment, n);
}

typedef struct fixture {
    qi_arena arena;
    qi_line_model *model;
    qi_line_reader *reader; /* without a cache */
    qi_grey page;
    qi_line_crop crops[N_LINES];
    qi_reading readings[N_LINES];
    qi_line_job jobs[N_LINES];
} fixture;

/* Uprights and bars, every other line dark, every third grainy: some read well enough, others are
 * tried inverted and smoothed. */
static void draw(fixture *f) {
    uint32_t seed = 1;
    for (uint32_t y = 0; y < f->page.height; y++) {
        uint32_t line = y / LINE_HEIGHT, within = y % LINE_HEIGHT;
        uint8_t *row = qi_grey_row(&f->page, y);
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint32_t at = x % 24;
            bool ink = within >= 18 && within < 44 && at < 16 && (x / 24 + line) % 6 &&
                       (at < 4 || at >= 12 || (within >= 28 && within < 32));
            seed = seed * 1664525 + 1013904223;
            bool grain = line % 3 == 2 && seed >> 30 == 0;
            row[x] = ink != (line % 2 == 1) && !grain ? 20 : 230;
        }
    }
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    f->page = (qi_grey){malloc(WIDTH * LINE_HEIGHT * N_LINES), WIDTH, LINE_HEIGHT * N_LINES, WIDTH};
    draw(f);
    assert_int_equal(qi_line_model_open("eng", NULL, &f->model, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_line_reader_new(f->model, NULL, &f->reader), QUIRE_ERR_OK);
    for (uint32_t i = 0; i < N_LINES; i++) {
        float base = (float)(i * LINE_HEIGHT + 44);
        qi_text_line line = {.x0 = 8,
                             .x1 = (float)(1592 - 60 * i),
                             .base_y0 = base,
                             .base_y1 = base,
                             .ascent_px = 30,
                             .descent_px = 10};
        f->crops[i] =
            qi_line_crop_of(&line, &f->page, f->model->file->height, QI_LINE_MAX_WIDTH_PX);
        assert_int_equal(
            qi_reading_init(&f->readings[i], f->model, f->crops[i].scaled_width, &f->arena),
            QUIRE_ERR_OK);
        f->jobs[i] = (qi_line_job){.page = &f->page,
                                   .crop = &f->crops[i],
                                   .second_look = true,
                                   .reading = &f->readings[i]};
    }
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    qi_line_reader_free(f->reader);
    qi_line_model_free(f->model);
    qi_arena_done(&f->arena);
    free(f->page.px);
    free(f);
    return 0;
}

static void a_warm_reader_allocates_nothing(void **state) {
    fixture *f = *state;
    qi_line_reader_read(f->reader, f->jobs, N_LINES);
    uint32_t n_words = 0, n_inverted = 0;
    for (uint32_t i = 0; i < N_LINES; i++) {
        n_words += f->readings[i].n_words;
        n_inverted += f->readings[i].inverted;
    }
    assert_true(n_words > N_LINES && n_inverted > 0); /* there was something to do */
    size_t before = n_allocations;
    for (uint32_t n = 1; n <= N_LINES; n++)
        qi_line_reader_read(f->reader, f->jobs + N_LINES - n, n);
    assert_int_equal(n_allocations, before);
    void *volatile one = malloc(1); /* and they are counted */
    free(one);
    assert_int_equal(n_allocations, before + 1);
}

/* The widths that the readings themselves tell of. */
static void what_is_read_again_is_counted(void **state) {
    fixture *f = *state;
    qi_line_reader_read(f->reader, f->jobs, N_LINES);
    uint64_t width = 0, inverted = 0;
    for (uint32_t i = 0; i < N_LINES; i++) {
        width += f->crops[i].scaled_width;
        inverted += f->readings[i].inverted ? f->crops[i].scaled_width : 0;
    }
    quire_line_counts c = {.lines = 1};
    qi_line_reader_count(f->reader, &c);
    assert_int_equal(c.lines, 1 + N_LINES);
    assert_int_equal(c.reused, 0);
    assert_int_equal(c.width_px, width);
    assert_int_equal(c.inverted_better_px, inverted);
    assert_in_range(c.inverted_px, inverted, width);
    assert_in_range(c.smoothed_better_px, 1, c.smoothed_px);
    assert_in_range(c.smoothed_px, 1, width);
    assert_in_range(c.places_taken, 1, c.places - 1);
}

static qi_reading storage_of(fixture *f, uint32_t i) {
    qi_reading r;
    assert_int_equal(qi_reading_init(&r, f->model, f->crops[i].scaled_width, &f->arena),
                     QUIRE_ERR_OK);
    return r;
}

static void assert_same(const qi_reading *a, const qi_reading *b) {
    assert_int_equal(a->n_words, b->n_words);
    assert_int_equal(a->text_bytes, b->text_bytes);
    assert_memory_equal(a->text, b->text, b->text_bytes);
    assert_memory_equal(a->words, b->words, b->n_words * sizeof *b->words);
    assert_true(a->mean_confidence == b->mean_confidence && a->inverted == b->inverted);
    assert_int_equal(a->error, QUIRE_ERR_OK);
}

static quire_line_counts counts_of(qi_line_reader *first, qi_line_reader *second) {
    quire_line_counts counts = {0};
    qi_line_reader_count(first, &counts);
    qi_line_reader_count(second, &counts);
    return counts;
}

static void a_reading_does_not_depend_on_its_batch(void **state) {
    fixture *f = *state;
    qi_line_reader_read(f->reader, f->jobs, N_LINES);
    for (uint32_t i = 0; i < N_LINES; i++) {
        qi_reading alone = storage_of(f, i);
        qi_line_job job = f->jobs[i];
        job.reading = &alone;
        qi_line_reader_read(f->reader, &job, 1);
        assert_same(&alone, &f->readings[i]);
    }
}

/* Each of the shorter lines comes twice in a batch, then once more, on another reader: it is read
 * once, and all its readings are those of a reader without a cache. */
static void a_line_that_comes_again_reads_the_same(void **state) {
    enum { N = N_LINES / 2 };
    fixture *f = *state;
    qi_secret secret;
    qi_line_cache *cache = NULL;
    qi_line_reader *first = NULL, *second = NULL;
    assert_int_equal(qi_secret_draw(&secret), QUIRE_ERR_OK);
    assert_int_equal(qi_line_cache_new(1 << 20, &secret, &cache), QUIRE_ERR_OK);
    assert_int_equal(qi_line_reader_new(f->model, cache, &first), QUIRE_ERR_OK);
    assert_int_equal(qi_line_reader_new(f->model, cache, &second), QUIRE_ERR_OK);
    qi_line_reader_read(f->reader, f->jobs, N_LINES);
    qi_reading readings[3 * N];
    qi_line_job jobs[3 * N];
    for (uint32_t i = 0; i < 3 * N; i++) {
        readings[i] = storage_of(f, N + i % N);
        jobs[i] = f->jobs[N + i % N];
        jobs[i].reading = &readings[i];
    }
    qi_line_reader_read(first, jobs, 2 * N);
    assert_int_equal(counts_of(first, second).reused, N);
    qi_line_reader_read(second, jobs + 2 * N, N);
    assert_int_equal(counts_of(first, second).reused, 2 * N);
    assert_int_equal(counts_of(first, second).lines, 3 * N);
    for (uint32_t i = 0; i < 3 * N; i++) {
        assert_same(&readings[i], &f->readings[N + i % N]);
        assert_true((readings[i].recognise_ns > 0) == (i < N));
    }
    size_t before = n_allocations;
    qi_line_reader_read(second, jobs, 2 * N);
    jobs[0].second_look = jobs[1].second_look = false; /* another line to the cache */
    qi_line_reader_read(first, jobs, 2);
    assert_int_equal(n_allocations, before);
    assert_int_equal(counts_of(first, second).reused, 4 * N);
    qi_line_reader_free(first);
    qi_line_reader_free(second);
    qi_line_cache_free(cache);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_warm_reader_allocates_nothing),
        TEST(what_is_read_again_is_counted),
        TEST(a_reading_does_not_depend_on_its_batch),
        TEST(a_line_that_comes_again_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
