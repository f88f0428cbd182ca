/* The list of formats. */
#include "output/format.h"

#include <string.h>

#include "output/writers.h"

const qi_output_format qi_output_formats[QI_OUTPUT_N_FORMATS] = {
    {"txt", "txt", NULL, qi_write_nothing_begin, qi_write_text_page, qi_write_nothing_end},
    {"json", "json", NULL, qi_write_json_begin, qi_write_json_page, qi_write_json_end},
    {"jsonl", "jsonl", NULL, qi_write_nothing_begin, qi_write_jsonl_page, qi_write_jsonl_end},
    {"tsv", "tsv", NULL, qi_write_tsv_begin, qi_write_tsv_page, qi_write_nothing_end},
    {"hocr", "hocr", NULL, qi_write_hocr_begin, qi_write_hocr_page, qi_write_hocr_end},
    {"alto", "alto.xml", NULL, qi_write_alto_begin, qi_write_alto_page, qi_write_alto_end},
    {"md", "md", "\n* * *\n\n", qi_write_nothing_begin, qi_write_markdown_page,
     qi_write_nothing_end},
    {"pdf", "pdf", NULL, qi_write_pdf_begin, qi_write_pdf_page, qi_write_pdf_end,
     qi_copy_pdf_original},
};

const qi_output_format *qi_output_format_find(const char *name, size_t n) {
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        if (strlen(qi_output_formats[i].name) == n && !memcmp(qi_output_formats[i].name, name, n))
            return &qi_output_formats[i];
    return NULL;
}

void qi_write_nothing_begin(qi_strbuf *out, const qi_output_document *document) {}

void qi_write_nothing_end(qi_strbuf *out, const qi_output_document *document,
                          const qi_output_end *end) {}
