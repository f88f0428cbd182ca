/* The table of `quire run` and the parsers that only it needs. */
#include "cli/run_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"

static const char *format_choice(size_t i) {
    return i < QI_OUTPUT_N_FORMATS ? qi_output_formats[i].name : NULL;
}

static bool parse_formats(const char *text, void *field) {
    qi_run_formats f = {0};
    for (const char *at = text;; at++) {
        size_t n = strcspn(at, ",");
        const qi_output_format *format = qi_output_format_find(at, n);
        if (!format) return false;
        size_t i = 0;
        while (i < f.n && f.list[i] != format)
            i++;
        if (i == f.n) f.list[f.n++] = format;
        at += n;
        if (!*at) break;
    }
    *(qi_run_formats *)field = f;
    return true;
}

static const char *text_choice(size_t i) {
    static const char *const names[] = {"lines", "paragraphs"};
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

static bool parse_text(const char *text, void *field) {
    const bool paragraphs = !strcmp(text, text_choice(1));
    if (!paragraphs && strcmp(text, text_choice(0)) != 0) return false;
    *(bool *)field = paragraphs;
    return true;
}

static bool parse_region(const char *text, void *field) {
    quire_request request = *(quire_request *)field;
    for (int i = 0; i < 4; i++) {
        char *end;
        if (!strchr("0123456789.", *text) || !*text) return false;
        double v = strtod(text, &end);
        if (end == text || !isfinite(v) || v > 1e6) return false;
        request.region.percent[i] = *end == '%';
        if (*end == '%') end++;
        if (request.region.percent[i] && v > 100) return false;
        if (*end != (i < 3 ? ',' : 0)) return false;
        if (i >= 2 && v <= 0) return false;
        request.region.value[i] = (float)v;
        text = end + 1;
    }
    request.region.set = true;
    *(quire_request *)field = request;
    return true;
}

static const char *progress_choice(size_t i) {
    static const char *const names[] = {"auto", "bar", "json", "none"};
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

static bool parse_progress(const char *text, void *field) {
    const char *name;
    for (size_t i = 0; (name = progress_choice(i)); i++)
        if (!strcmp(text, name)) {
            *(qi_progress_kind *)field = (qi_progress_kind)i;
            return true;
        }
    return false;
}

static const char *text_layer_choice(size_t i) {
    static const char *const names[] = {
        [QUIRE_TEXT_LAYER_AUTO] = "auto",
        [QUIRE_TEXT_LAYER_VERIFIED] = "verified",
        [QUIRE_TEXT_LAYER_ONLY] = "only",
        [QUIRE_TEXT_LAYER_OFF] = "off",
    };
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

const char *qi_text_layer_name(quire_text_layer use) {
    return text_layer_choice((size_t)use);
}

static bool parse_text_layer(const char *text, void *field) {
    const char *name;
    for (size_t i = 0; (name = text_layer_choice(i)); i++)
        if (!strcmp(text, name)) {
            *(quire_text_layer *)field = (quire_text_layer)i;
            return true;
        }
    return false;
}

#define FIELD(name)  offsetof(qi_run_values, name)
#define FLAG(member) NULL, FIELD(member), qi_parse_flag, "yes or no"

static const qi_option options[] = {
    {"output", 'o', "DIR", FIELD(output), qi_parse_string, "the name of a folder",
     "write result files below DIR instead of text to stdout", .kind = QI_VALUE_FOLDER},
    {"format", 'f', "LIST", FIELD(formats), parse_formats, "a list of formats such as txt,json",
     "formats of results, several with -o", "txt", format_choice, ','},
    {"text", 0, "KIND", FIELD(text_paragraphs), parse_text, NULL,
     "what txt has on a line, a line of the page or a whole paragraph", "lines", text_choice},
    {"language", 'l', "LIST", FIELD(reader.languages), qi_parse_string, "a list such as eng+deu",
     "languages of the text, such as eng+deu", "eng", NULL, '+', QI_VALUE_LANGUAGE},
    {"pages", 0, "RANGES", FIELD(request.pages), qi_parse_string, "a list of pages such as 1-3,7",
     "read only these pages: 1-3,7"},
    {"region", 0, "X,Y,W,H", FIELD(request), parse_region,
     "a region such as 0,0,50%,300: left, top, width, height in pixels or %",
     "read only this part of each page, in pixels or %"},
    {"text-layer", 0, "USE", FIELD(reader.text_layer), parse_text_layer, NULL,
     "use of the text that PDF pages hold", "auto", text_layer_choice},
    {"password", 0, "TEXT", FIELD(request.password), qi_parse_string, "the password of a document",
     "open encrypted documents with this (others see a command line: prefer QUIRE_PASSWORD)"},
    {"files-from", 0, "FILE", FIELD(files_from), qi_parse_string, "the name of a file, or -",
     "read the names of inputs from FILE, one a line (or each ended by a NUL byte); - is stdin",
     .kind = QI_VALUE_FILE},
    {"recursive", 0, FLAG(recursive), "read folders with all below them; =no: their own files only",
     "yes"},
    {"jobs", 0, "N", FIELD(reader.jobs), qi_parse_jobs, "a number from 1 to 512",
     "threads that compute", "the cores this process may use"},
    {"memory", 0, "BYTES", FIELD(reader.memory_bytes), qi_parse_bytes,
     "a number of bytes such as 400m or 2g", "memory of all processes together", "400m"},
    {"timeout", 0, "SECONDS", FIELD(reader.timeout_ms), qi_parse_seconds,
     "a time such as 90, 1.5s, 2m or 1h", "for opening a document, and for each page", "180"},
    {"max-pixels", 0, "N", FIELD(reader.max_pixels), qi_parse_count, "a number such as 200m",
     "largest page", "200m"},
    {"progress", 0, "KIND", FIELD(progress), parse_progress, NULL, "what stderr shows", "auto",
     progress_choice},
    {"overwrite", 0, FLAG(overwrite), "replace results that exist"},
    {"skip-existing", 0, FLAG(skip_existing),
     "keep results that exist, without a message for each"},
    {"resume", 0, FLAG(resume),
     "go on with a run that was broken off (give its other options too)"},
    {"report", 0, "FILE", FIELD(report), qi_parse_string, "the name of a file",
     "write what became of each document, times and memory to FILE, as JSON",
     .kind = QI_VALUE_FILE},
    {"strict", 0, FLAG(reader.strict), "a page that fails makes its document fail"},
    {"no-timings", 0, FLAG(no_timings),
     "leave timings out of results, for the same bytes each time"},
    {"pdfa", 0, FLAG(pdfa), "make PDF/A-2b of -f pdf, or fail where that cannot be"},
    {"quiet", 'q', FLAG(quiet), "print errors only"},
    {"verbose", 0, FLAG(verbose), "print a line for each document"},
};

static const qi_example examples[] = {
    {"quire run scan.jpg", "text to stdout"},
    {"quire run -o out -f txt,json inbox/ *.tif", "result files below out/"},
    {"find /archive -name '*.tif' | quire run --files-from - -o out --progress json",
     "a list of inputs, and events for a program"},
    {"quire run -l eng+deu --pages 1-3,7 --region 0,0,50%,30% letter.tif",
     "the upper left of some pages, in two languages"},
};

const qi_option_table qi_run_options = {
    "run",
    "read images and write their text",
    "quire run [options] [inputs…]",
    "Reads images and PDFs and writes their text. Inputs are files, folders, or - for standard "
    "input.\n",
    options,
    sizeof options / sizeof *options,
    .operands = QI_VALUE_FILE,
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
};

enum { n_options = sizeof options / sizeof *options };

static unsigned char given_of(const unsigned char *given, const char *name) {
    for (size_t i = 0; i < n_options; i++)
        if (!strcmp(options[i].name, name)) return given[i];
    return 0;
}

/* Of two options that exclude each other the flag beats the environment. */
static quire_err settle_existing(qi_run_values *v, const unsigned char *given, quire_diag *diag) {
    if (!v->overwrite || !v->skip_existing) return QUIRE_ERR_OK;
    unsigned char overwrite = given_of(given, "overwrite"), skip = given_of(given, "skip-existing");
    if (overwrite == skip)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "--overwrite and --skip-existing exclude each other; give one of them");
    v->overwrite = overwrite > skip;
    v->skip_existing = !v->overwrite;
    return QUIRE_ERR_OK;
}

static quire_err check_pdf(qi_run_values *v, int n_inputs, quire_diag *diag) {
    const qi_output_format *pdf = qi_output_format_find("pdf", 3);
    for (size_t i = 0; i < v->formats.n; i++)
        v->request.want_pdf |= v->formats.list[i] == pdf;
    if (v->pdfa && !v->request.want_pdf)
        return qi_fail(diag, QUIRE_ERR_USAGE, "--pdfa is about PDFs; ask for one with -f pdf");
    v->request.want_pdf_a = v->pdfa;
    if (!v->request.want_pdf || v->output) return QUIRE_ERR_OK;
    if (n_inputs != 1 || v->files_from)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "a PDF on standard output is of one input; give a folder with -o DIR");
    if (isatty(STDOUT_FILENO))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "a PDF is not for a terminal; give a folder with -o DIR or a file with >");
    return QUIRE_ERR_OK;
}

static quire_err check(qi_run_values *v, int n_inputs, char **inputs, quire_diag *diag) {
    int n_stdin = v->files_from && !strcmp(v->files_from, "-");
    for (int i = 0; i < n_inputs; i++) {
        if (!*inputs[i]) return qi_fail(diag, QUIRE_ERR_USAGE, "an input has an empty name");
        n_stdin += !strcmp(inputs[i], "-");
    }
    if (n_stdin > 1)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "standard input can be used once, as an input or by --files-from -");
    if (!n_inputs && !v->files_from)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "there is nothing to read; name files or folders, or - for standard input");
    if (v->resume && !v->output)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "--resume needs the folder that holds the results; give it with -o DIR");
    if (!v->output && v->formats.n > 1)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "several formats need a folder for their files; give one with -o DIR");
    return check_pdf(v, n_inputs, diag);
}

qi_parse_result qi_run_options_parse(int argc, char **argv, qi_run_values *ret_values,
                                     int *ret_first, quire_diag *diag) {
    qi_run_values v = {.recursive = true};
    unsigned char given[n_options] = {0};
    parse_formats("txt", &v.formats);
    quire_options_init(&v.reader);
    quire_request_init(&v.request);
    qi_parse_result result =
        qi_options_parse(&qi_run_options, argc, argv, &v, given, ret_first, diag);
    if (result != QI_PARSE_RUN) return result;
    if (settle_existing(&v, given, diag) || check(&v, argc - *ret_first, argv + *ret_first, diag))
        return QI_PARSE_WRONG;
    *ret_values = v;
    return QI_PARSE_RUN;
}
