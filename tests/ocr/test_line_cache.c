/* The table of lines that were read: a reading comes back as it was added, for its own picture,
 * width, model and look alone; the newest are kept; threads may use it side by side. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ocr/line_cache.h"

enum { WIDTH = 100, HEIGHT = 36, MAX_WORDS = 4, MAX_TEXT = 200, BYTES = 64 << 10 };

static const qi_line_model models[2]; /* told apart by their places */

typedef struct fixture {
    qi_secret secret;
    qi_line_cache *cache;
} fixture;

static int set_up(void **state) {
    static fixture f;
    assert_int_equal(qi_secret_draw(&f.secret), QUIRE_ERR_OK);
    assert_int_equal(qi_line_cache_new(BYTES, &f.secret, &f.cache), QUIRE_ERR_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    qi_line_cache_free(((fixture *)*state)->cache);
    return 0;
}

/* The n-th line's key. */
static qi_line_key key_of(const fixture *f, uint32_t n) {
    uint8_t px[WIDTH * HEIGHT] = {0};
    memcpy(px + sizeof px / 2, &n, sizeof n);
    const qi_grey line = {px, WIDTH, HEIGHT, WIDTH};
    return qi_line_cache_key(f->cache, &line, &models[0], true);
}

typedef struct storage {
    qi_read_word words[MAX_WORDS];
    char text[MAX_TEXT];
} storage;

static qi_reading empty(storage *s) {
    return (qi_reading){
        .words = s->words, .text = s->text, .max_words = MAX_WORDS, .max_text_bytes = MAX_TEXT};
}

/* The n-th line's reading. */
static qi_reading reading_of(uint32_t n, storage *s) {
    qi_reading r = empty(s);
    r.n_words = n % (MAX_WORDS + 1);
    r.text_bytes = r.n_words * (7 + n % 40);
    r.mean_confidence = (float)n / 1000;
    r.inverted = n % 2;
    memset(s, 0, sizeof *s);
    memset(s->text, 'a' + (int)(n % 26), r.text_bytes);
    for (uint32_t i = 0; i < r.n_words; i++)
        s->words[i] = (qi_read_word){.text_at = i * (7 + n % 40),
                                     .text_bytes = 7 + n % 40,
                                     .n_chars = n,
                                     .certainty = -(float)i,
                                     .space_before = i > 0,
                                     .u1 = (float)(n + i)};
    return r;
}

static void add(const fixture *f, uint32_t n) {
    storage s;
    const qi_line_key key = key_of(f, n);
    const qi_reading r = reading_of(n, &s);
    qi_line_cache_add(f->cache, &key, &r);
}

/* Whether the n-th line is known; its reading is then what was added. */
static bool is_known(const fixture *f, uint32_t n) {
    storage s, found_in;
    const qi_line_key key = key_of(f, n);
    const qi_reading r = reading_of(n, &s);
    qi_reading found = empty(&found_in);
    found.error = QUIRE_ERR_NO_MEMORY;
    if (!qi_line_cache_find(f->cache, &key, &found)) {
        assert_int_equal(found.error, QUIRE_ERR_NO_MEMORY);
        return false;
    }
    assert_int_equal(found.error, QUIRE_ERR_OK);
    assert_int_equal(found.n_words, r.n_words);
    assert_int_equal(found.text_bytes, r.text_bytes);
    assert_true(found.mean_confidence == r.mean_confidence && found.inverted == r.inverted);
    assert_memory_equal(found.text, r.text, r.text_bytes);
    assert_memory_equal(found.words, r.words, r.n_words * sizeof *r.words);
    return true;
}

static void what_was_added_is_found(void **state) {
    const fixture *f = *state;
    for (uint32_t n = 0; n < 20; n++) {
        assert_false(is_known(f, n));
        add(f, n);
        add(f, n);
        assert_true(is_known(f, n));
    }
    for (uint32_t n = 0; n < 20; n++)
        assert_true(is_known(f, n));
}

/* The same bytes in another shape, for another model, with another look are other lines. */
static void all_that_a_reading_depends_on_counts(void **state) {
    const fixture *f = *state;
    uint8_t px[2 * WIDTH * HEIGHT] = {0};
    const qi_grey line = {px, WIDTH, 2 * HEIGHT, WIDTH}, wide = {px, 2 * WIDTH, HEIGHT, 2 * WIDTH};
    qi_line_key key = qi_line_cache_key(f->cache, &line, &models[0], true);
    const qi_line_key others[] = {qi_line_cache_key(f->cache, &wide, &models[0], true),
                                  qi_line_cache_key(f->cache, &line, &models[1], true),
                                  qi_line_cache_key(f->cache, &line, &models[0], false)};
    storage s;
    qi_reading r = reading_of(3, &s);
    qi_line_cache_add(f->cache, &key, &r);
    assert_true(qi_line_cache_find(f->cache, &key, &r));
    for (int i = 0; i < 3; i++)
        assert_false(qi_line_cache_find(f->cache, &others[i], &r));
    px[5] = 1;
    key = qi_line_cache_key(f->cache, &line, &models[0], true);
    assert_false(qi_line_cache_find(f->cache, &key, &r));
}

/* Many more lines than there is room for: the last are there, the first are not, and what is found
 * is never another's. */
static void the_oldest_are_forgotten(void **state) {
    const fixture *f = *state;
    for (uint32_t n = 0; n < 5000; n++) {
        add(f, n);
        assert_true(is_known(f, n));
        assert_true(n < 3 || is_known(f, n - 3));
    }
    uint32_t n_known = 0;
    for (uint32_t n = 0; n < 5000; n++)
        n_known += is_known(f, n);
    assert_in_range(n_known, 60, BYTES / 12);
    for (uint32_t n = 0; n < 1000; n++)
        assert_false(is_known(f, n));
}

static void *use(void *arg) {
    const fixture *f = arg;
    for (uint32_t n = 0; n < 4000; n++) {
        is_known(f, n % 300);
        add(f, n % 300);
    }
    return NULL;
}

static void threads_share_it(void **state) {
    fixture *f = *state;
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, use, f), 0);
    use(f);
    pthread_join(other, NULL);
    assert_true(is_known(f, 99));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_added_is_found),
        TEST(all_that_a_reading_depends_on_counts),
        TEST(the_oldest_are_forgotten),
        TEST(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
