/* Whether a text layer is believed: a table of what is known of it and what follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read/text_decision.h"

#define GOOD .n_chars = 1000, .n_visible = 1000, .covered_px = 1000

static const struct {
    const char *what;
    qi_text_facts facts;
    quire_text_source source;
    quire_text_reason reason;
} cases[] = {
    {"all is well", {GOOD}, QUIRE_SOURCE_LAYER, QUIRE_REASON_GOOD_LAYER},
    {"nothing is known of the glyphs",
     {.n_chars = 10, .covered_px = 10},
     QUIRE_SOURCE_LAYER,
     QUIRE_REASON_GOOD_LAYER},
    {"no text", {0}, QUIRE_SOURCE_PIXELS, QUIRE_REASON_NO_TEXT},
    {"too much", {.too_much = true}, QUIRE_SOURCE_PIXELS, QUIRE_REASON_TOO_MUCH},
    {"without places", {.unusable = true}, QUIRE_SOURCE_PIXELS, QUIRE_REASON_UNUSABLE},
    {"mostly invisible",
     {.n_chars = 10, .n_visible = 4, .n_invisible = 6},
     QUIRE_SOURCE_PIXELS,
     QUIRE_REASON_INVISIBLE},
    {"2 % unmapped", {GOOD, .n_bad = 20}, QUIRE_SOURCE_LAYER, QUIRE_REASON_GOOD_LAYER},
    {"more unmapped", {GOOD, .n_bad = 21}, QUIRE_SOURCE_PIXELS, QUIRE_REASON_UNMAPPED},
    {"20 % hidden", {GOOD, .n_hidden = 200}, QUIRE_SOURCE_LAYER, QUIRE_REASON_GOOD_LAYER},
    {"more hidden", {GOOD, .n_hidden = 201}, QUIRE_SOURCE_PIXELS, QUIRE_REASON_OFF_INK},
    {"a picture with words",
     {GOOD, .n_over_picture = 500},
     QUIRE_SOURCE_MIXED,
     QUIRE_REASON_OVER_PICTURE},
    {"mostly a picture",
     {GOOD, .n_over_picture = 501},
     QUIRE_SOURCE_PIXELS,
     QUIRE_REASON_OVER_PICTURE},
    {"a picture of what is not hidden",
     {GOOD, .n_hidden = 100, .n_over_picture = 451},
     QUIRE_SOURCE_PIXELS,
     QUIRE_REASON_OVER_PICTURE},
    {"95 % covered", {GOOD, .uncovered_px = 52}, QUIRE_SOURCE_LAYER, QUIRE_REASON_GOOD_LAYER},
    {"less covered", {GOOD, .uncovered_px = 53}, QUIRE_SOURCE_MIXED, QUIRE_REASON_UNCOVERED},
    {"hardly covered", {GOOD, .uncovered_px = 4001}, QUIRE_SOURCE_PIXELS, QUIRE_REASON_UNCOVERED},
    {"counts that do not fit 32 bits",
     {.n_chars = UINT32_MAX, .covered_px = UINT32_MAX, .uncovered_px = UINT32_MAX, .n_bad = 1},
     QUIRE_SOURCE_MIXED,
     QUIRE_REASON_UNCOVERED},
};

static void layers_are_believed_by_what_is_known(void **state) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const quire_text_layer uses[] = {QUIRE_TEXT_LAYER_AUTO, QUIRE_TEXT_LAYER_VERIFIED};
        for (int k = 0; k < 2; k++) {
            qi_text_decision d = qi_text_decide(uses[k], &cases[i].facts);
            if (d.source != cases[i].source || d.reason != cases[i].reason)
                fail_msg("%s: %s, %s", cases[i].what, quire_text_source_name(d.source),
                         quire_text_reason_name(d.reason));
        }
        qi_text_decision only = qi_text_decide(QUIRE_TEXT_LAYER_ONLY, &cases[i].facts);
        assert_int_equal(only.source, QUIRE_SOURCE_LAYER);
        assert_int_equal(only.reason, QUIRE_REASON_ONLY_LAYER);
        qi_text_decision off = qi_text_decide(QUIRE_TEXT_LAYER_OFF, &cases[i].facts);
        assert_int_equal(off.source, QUIRE_SOURCE_PIXELS);
        assert_int_equal(off.reason, QUIRE_REASON_NOT_ASKED);
    }
}

static void facts_count_characters(void **state) {
    static const char pool[] = "ab\xEF\xBF\xBD\xEE\x80\x80xyz";
    const qi_text_word words[] = {
        {0, 0, 20, 20, 12, 0, 8, QI_TEXT_SHOWN},
        {0, 0, 20, 20, 12, 8, 3, 0},
        {0, 0, 20, 20, 1, 8, 2, QI_TEXT_SHOWN},
        {0, 0, 20, 20, 0, 8, 1, QI_TEXT_SHOWN | QI_TEXT_OVER_PICTURE},
    };
    const qi_text_layer layer = {
        .head = {.n_words = 4, .covered_px = 7, .n_invisible = 3}, .words = words, .pool = pool};
    qi_text_facts f;
    qi_text_facts_of(&layer, &f);
    assert_int_equal(f.n_chars, 10);
    assert_int_equal(f.n_bad, 2);
    assert_int_equal(f.n_hidden, 5); /* without ink, and too small to be read */
    assert_int_equal(f.n_over_picture, 1);
    assert_int_equal(f.covered_px, 7);
    assert_int_equal(f.n_invisible, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_believed_by_what_is_known),
        cmocka_unit_test(facts_count_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
