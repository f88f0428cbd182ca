/* The table of `quire run` and the parsers that only it needs. */
#include "cli/run_options.h"

#include <string.h>
#include <unistd.h>

#include "cli/commands.h"

static const char *format_choice(size_t i) {
    return i < QI_OUTPUT_N_FORMATS ? qi_output_formats[i].name : NULL;
}

bool qi_parse_formats(const char *text, void *field) {
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

#define FIELD(name)  offsetof(qi_run_values, name)
#define FLAG(member) NULL, FIELD(member), qi_parse_flag, "yes or no"

static const qi_option options[] = {
    {"output", 'o', "DIR", FIELD(output), qi_parse_string, "the name of a folder",
     "write result files below DIR instead of text to stdout", .kind = QI_VALUE_FOLDER},
    {"format", 'f', "LIST", FIELD(formats), qi_parse_formats, "a list of formats such as txt,json",
     "formats of results, several with -o", "txt", format_choice, ','},
    {"text", 0, "KIND", FIELD(text_paragraphs), parse_text, NULL,
     "what txt has on a line, a line of the page or a whole paragraph", "lines", text_choice},
#include "cli/reading_options.def"
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
    {"strict", 0, FLAG(reading.reader.strict), "a page that fails makes its document fail"},
    {"no-timings", 0, FLAG(no_timings),
     "leave timings out of results, for the same bytes each time"},
    {"anew", 0, FLAG(reading.reader.anew),
     "read pages and lines again that were read before, for measuring"},
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
        v->reading.request.want_pdf |= v->formats.list[i] == pdf;
    if (v->pdfa && !v->reading.request.want_pdf)
        return qi_fail(diag, QUIRE_ERR_USAGE, "--pdfa is about PDFs; ask for one with -f pdf");
    v->reading.request.want_pdf_a = v->pdfa;
    if (!v->reading.request.want_pdf || v->output) return QUIRE_ERR_OK;
    if (n_inputs != 1 || v->reading.files_from)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "a PDF on standard output is of one input; give a folder with -o DIR");
    if (isatty(STDOUT_FILENO))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "a PDF is not for a terminal; give a folder with -o DIR or a file with >");
    return QUIRE_ERR_OK;
}

static quire_err check(qi_run_values *v, int n_inputs, char **inputs, quire_diag *diag) {
    if (qi_reading_options_check(&v->reading, n_inputs, inputs, diag)) return diag->code;
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
    qi_run_values v = {0};
    unsigned char given[n_options] = {0};
    qi_parse_formats("txt", &v.formats);
    qi_reading_options_init(&v.reading);
    qi_parse_result result =
        qi_options_parse(&qi_run_options, argc, argv, &v, given, ret_first, diag);
    if (result != QI_PARSE_RUN) return result;
    if (settle_existing(&v, given, diag) || check(&v, argc - *ret_first, argv + *ret_first, diag))
        return QI_PARSE_WRONG;
    *ret_values = v;
    return QI_PARSE_RUN;
}
