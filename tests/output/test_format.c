/* What the writers write: the exact bytes of a small document in each format, hostile names and
 * numbers, failed pages, and that JSON parses. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "output/emit.h"
#include "output/format.h"

static const quire_word words[] = {
    {{10, 20, 50, 40}, "Hello", 0.9634f, false},
    {{60, 20, 99, 40}, "w\"or\tld", 0.5f, true},
    {{10, 60, 70, 80},
     "\xC3\x9C"
     "ber",
     1,
     false},
};
static const quire_line lines[] = {
    {{10, 20, 99, 40}, {10, 36.04f, 99, 35.96f}, 12.5f, 0.73f, "Hello w\"or\tld", "eng", 0, 2},
    {{10, 60, 70, 80},
     {10, 76, 70, 76},
     0,
     1,
     "\xC3\x9C"
     "ber",
     NULL,
     2,
     1,
     QUIRE_SOURCE_LAYER},
};
static const quire_block blocks[] = {{{10, 20, 99, 40}, 0, 1}, {{10, 60, 70, 80}, 1, 1}};

static const quire_page page_0 = {
    .index = 0,
    .width_px = 800,
    .height_px = 600,
    .dpi = 300,
    .rotation = 90,
    .skew_degrees = -0.004f,
    .confidence = 0.8211f,
    .text_source = QUIRE_SOURCE_MIXED,
    .text_reason = QUIRE_REASON_UNCOVERED,
    .blocks = blocks,
    .lines = lines,
    .words = words,
    .n_blocks = 2,
    .n_lines = 2,
    .n_words = 3,
    .timings = {.decode_ns = 1234567, .recognise_ns = 1000000000},
};
static const quire_page page_1 = {
    .index = 1, .error = QUIRE_ERR_CORRUPT, .error_text = "a.tif: page 2 is damaged"};

static const quire_model_info model = {
    .language = "eng", .path = "/x", .sha256 = "00ff", .network = "[1,36,0,1 Lfx96]", .integer = 1};

static qi_output_document document(const char *name) {
    return (qi_output_document){
        .name = name, .media_type = "image/tiff", .n_pages = 2, .models = &model, .n_models = 1};
}

/* The document of the two pages in a format; freed by the caller. */
static qi_strbuf write_all(const char *format_name, qi_output_document d) {
    const qi_output_format *f = qi_output_format_find(format_name, strlen(format_name));
    assert_non_null(f);
    qi_strbuf out = {0};
    f->begin(&out, &d);
    f->page(&out, &d, &page_0);
    d.n_pages_written++;
    f->page(&out, &d, &page_1);
    f->end(&out, &d, &(qi_output_end){.n_failed = 1});
    assert_false(out.failed);
    return out;
}

static void text_has_lines_blocks_and_pages(void **state) {
    qi_strbuf out = write_all("txt", document("a.tif"));
    assert_string_equal(out.data, "Hello w\"or\tld\n\n\xC3\x9C"
                                  "ber\n\f");
    qi_strbuf_done(&out);
}

static void tsv_has_the_columns_of_tesseract(void **state) {
    qi_strbuf out = write_all("tsv", document("a.tif"));
    assert_string_equal(
        out.data, "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\t"
                  "height\tconf\ttext\n"
                  "1\t1\t0\t0\t0\t0\t0\t0\t800\t600\t-1\t\n"
                  "2\t1\t1\t0\t0\t0\t10\t20\t89\t20\t-1\t\n"
                  "3\t1\t1\t1\t0\t0\t10\t20\t89\t20\t-1\t\n"
                  "4\t1\t1\t1\t1\t0\t10\t20\t89\t20\t-1\t\n"
                  "5\t1\t1\t1\t1\t1\t10\t20\t40\t20\t96.340001\tHello\n"
                  "5\t1\t1\t1\t1\t2\t60\t20\t39\t20\t50.000000\tw\"or ld\n"
                  "2\t1\t2\t0\t0\t0\t10\t60\t60\t20\t-1\t\n"
                  "3\t1\t2\t1\t0\t0\t10\t60\t60\t20\t-1\t\n"
                  "4\t1\t2\t1\t1\t0\t10\t60\t60\t20\t-1\t\n"
                  "5\t1\t2\t1\t1\t1\t10\t60\t60\t20\t100.000000\t\xC3\x9C"
                  "ber\n"
                  "1\t2\t0\t0\t0\t0\t0\t0\t0\t0\t-1\t\n");
    qi_strbuf_done(&out);
}

#define PAGE_0(nl)                                                                                 \
    "\"index\":0,\"error\":null,\"width_px\":800,\"height_px\":600,\"dpi\":300.0,"                 \
    "\"dpi_estimated\":false,\"rotation\":90,\"skew_degrees\":0.00,\"confidence\":0.8211,"         \
    "\"text_source\":{\"kind\":\"mixed\",\"reason\":\"uncovered-ink\"},"                           \
    "\"blocks\":[" nl "{\"box\":[10,20,99,40],\"lines\":[" nl                                      \
    "{\"text\":\"Hello w\\\"or\\tld\",\"box\":[10,20,99,40],\"baseline\":[10.0,36.0,99.0,36.0],"   \
    "\"x_height_px\":12.5,\"confidence\":0.7300,\"language\":\"eng\",\"reader\":\"lstm\","         \
    "\"words\":[{\"text\":\"Hello\",\"box\":[10,20,50,40],\"confidence\":0.9634,"                  \
    "\"space_before\":false},{\"text\":\"w\\\"or\\tld\",\"box\":[60,20,99,40],"                    \
    "\"confidence\":0.5000,\"space_before\":true}]}]}," nl "{\"box\":[10,60,70,80],\"lines\":[" nl \
    "{\"text\":\"\xC3\x9C"                                                                         \
    "ber\",\"box\":[10,60,70,80],\"baseline\":[10.0,76.0,70.0,76.0],"                              \
    "\"x_height_px\":0.0,\"confidence\":1.0000,\"language\":null,\"reader\":\"pdf\","              \
    "\"words\":[{\"text\":\"\xC3\x9C"                                                              \
    "ber\",\"box\":[10,60,70,80],\"confidence\":1.0000,"                                           \
    "\"space_before\":false}]}]}]"
#define PAGE_1                                                                                     \
    "\"index\":1,\"error\":{\"code\":\"corrupt\",\"text\":\"a.tif: page 2 is damaged\"},"          \
    "\"width_px\":0,\"height_px\":0,\"dpi\":0.0,\"dpi_estimated\":false,\"rotation\":0,"           \
    "\"skew_degrees\":0.00,\"confidence\":0.0000,\"text_source\":null,\"blocks\":[]"
#define DOCUMENT                                                                                   \
    "\"name\":\"a.tif\",\"media_type\":\"image/tiff\",\"n_pages\":2,"                              \
    "\"models\":[{\"language\":\"eng\",\"sha256\":\"00ff\",\"network\":\"[1,36,0,1 Lfx96]\","      \
    "\"integer\":true}]"

static void json_is_the_documented_schema(void **state) {
    qi_strbuf out = write_all("json", document("a.tif"));
    assert_string_equal(out.data, "{\"schema\":\"quire/1\"," DOCUMENT ",\"pages\":[\n"
                                  "{" PAGE_0("\n") "},\n{" PAGE_1 "}],\"n_failed_pages\":1,"
                                                   "\"error\":null}\n");
    cJSON *tree = cJSON_Parse(out.data);
    assert_non_null(tree);
    cJSON_Delete(tree);
    qi_strbuf_done(&out);
}

static void jsonl_is_an_object_a_line(void **state) {
    qi_strbuf out = write_all("jsonl", document("a.tif"));
    assert_string_equal(
        out.data,
        "{\"schema\":\"quire/1\",\"record\":\"page\",\"name\":\"a.tif\"," PAGE_0(
            "") "}\n"
                "{\"schema\":\"quire/1\",\"record\":\"page\",\"name\":\"a.tif\"," PAGE_1 "}\n"
                "{\"schema\":\"quire/1\",\"record\":\"document\"," DOCUMENT
                ",\"n_failed_pages\":1,\"error\":null}\n");
    qi_strbuf_done(&out);
}

static void timings_come_only_when_asked_for(void **state) {
    qi_output_document d = document("a.tif");
    d.with_timings = true;
    qi_strbuf out = write_all("json", d);
    assert_non_null(strstr(out.data, "\"timings_ms\":{\"decode\":1.235,\"layout\":0.000,"
                                     "\"crop\":0.000,\"recognise\":1000.000,\"text\":0.000,"
                                     "\"compose\":0.000}"));
    qi_strbuf_done(&out);
}

static void names_of_any_bytes_are_valid_json(void **state) {
    qi_strbuf out = write_all("json", document("a\n\xFF\"\\\x7F\xED\xA0\x80.tif"));
    cJSON *tree = cJSON_Parse(out.data);
    assert_non_null(tree);
    assert_string_equal(cJSON_GetObjectItem(tree, "name")->valuestring,
                        "a\n\\xFF\"\\\x7F\\xED\\xA0\\x80.tif");
    cJSON_Delete(tree);
    qi_strbuf_done(&out);
}

static void a_failed_document_says_why(void **state) {
    const qi_output_format *f = qi_output_format_find("json", 4);
    qi_output_document d = {.name = "gone.png"};
    qi_strbuf out = {0};
    f->begin(&out, &d);
    f->end(&out, &d, &(qi_output_end){.error = QUIRE_ERR_NOT_FOUND});
    assert_string_equal(out.data,
                        "{\"schema\":\"quire/1\",\"name\":\"gone.png\",\"media_type\":null,"
                        "\"n_pages\":0,\"models\":[],\"pages\":[],\"n_failed_pages\":0,"
                        "\"error\":{\"code\":\"not-found\",\"text\":\"no such file\"}}\n");
    qi_strbuf_done(&out);
}

static void fractions_are_fixed(void **state) {
    static const struct {
        double value;
        unsigned digits;
        const char *text;
    } cases[] = {{0, 2, "0.00"},         {-0.001, 2, "0.00"},   {1.005, 1, "1.0"},
                 {-12.345, 2, "-12.35"}, {0.0625, 4, "0.0625"}, {7, 0, "7"},
                 {NAN, 1, "0.0"},        {INFINITY, 1, "0.0"},  {99.999, 2, "100.00"}};
    setlocale(LC_ALL, "de_DE.UTF-8");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qi_strbuf out = {0};
        qi_emit_fixed(&out, cases[i].value, cases[i].digits);
        assert_string_equal(out.data, cases[i].text);
        qi_strbuf_done(&out);
    }
    setlocale(LC_ALL, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_lines_blocks_and_pages),
        cmocka_unit_test(tsv_has_the_columns_of_tesseract),
        cmocka_unit_test(json_is_the_documented_schema),
        cmocka_unit_test(jsonl_is_an_object_a_line),
        cmocka_unit_test(timings_come_only_when_asked_for),
        cmocka_unit_test(names_of_any_bytes_are_valid_json),
        cmocka_unit_test(a_failed_document_says_why),
        cmocka_unit_test(fractions_are_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
