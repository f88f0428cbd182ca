/* Tables of submit and ingest; see client_options.h. */
#include "cli/client_options.h"

#include <string.h>

#include "cli/commands.h"

static const char *priority_choice(size_t i) {
    static const char *const names[] = {"high", "normal", "low"};
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

static bool parse_priority(const char *text, void *field) {
    const char *name;
    for (size_t i = 0; (name = priority_choice(i)); i++)
        if (!strcmp(text, name)) {
            *(const char **)field = name;
            return true;
        }
    return false;
}

static bool parse_parallel(const char *text, void *field) {
    return qi_take_whole(text, 1, 256, field);
}

/* All formats but the searchable PDF, which the service does not make. */
static const char *format_choice(size_t i) {
    for (size_t k = 0; k < QI_OUTPUT_N_FORMATS; k++)
        if (strcmp(qi_output_formats[k].name, "pdf") != 0 && !i--) return qi_output_formats[k].name;
    return NULL;
}

static bool parse_formats(const char *text, void *field) {
    qi_run_formats formats;
    if (!qi_parse_formats(text, &formats)) return false;
    for (size_t i = 0; i < formats.n; i++)
        if (!strcmp(formats.list[i]->name, "pdf")) return false;
    *(qi_run_formats *)field = formats;
    return true;
}

static void init_client(qi_client_values *v) {
    *v = (qi_client_values){.server = "http://127.0.0.1:8080", .n_parallel = 8};
}

#define QI_GIVE_UP_STANDARD "60 where it cannot be reached, never where it has no room"
#define FIELD(name)         offsetof(qi_submit_values, name)
static const qi_option submit_options[] = {
#include "cli/client_options.def"
    {"files-from", 0, "FILE", FIELD(files_from), qi_parse_string, "the name of a file, or -",
     "read the names of inputs from FILE, one a line (or each ended by a NUL byte); - is stdin",
     .kind = QI_VALUE_FILE},
    {"recursive", 0, NULL, FIELD(recursive), qi_parse_flag, "yes or no",
     "send folders with all below them; =no: their own files only", "yes"},
    {"wait", 0, NULL, FIELD(wait), qi_parse_flag, "yes or no",
     "wait until documents are read, and write their results"},
    {"output", 'o', "DIR", FIELD(output), qi_parse_string, "the name of a folder",
     "with --wait, write result files below DIR instead of text to stdout",
     .kind = QI_VALUE_FOLDER},
    {"format", 'f', "LIST", FIELD(formats), parse_formats, "a list of formats such as txt,json",
     "formats of results, several with -o", "txt", format_choice, ','},
    {"overwrite", 0, NULL, FIELD(overwrite), qi_parse_flag, "yes or no",
     "replace results that exist"},
    {"skip-existing", 0, NULL, FIELD(skip_existing), qi_parse_flag, "yes or no",
     "keep results that exist, without a message for each"},
};
#undef FIELD
#undef QI_GIVE_UP_STANDARD

static const qi_example submit_examples[] = {
    {"quire submit --server http://scans:8080 inbox/", "prints the ids of the documents"},
    {"quire submit --wait -o out -f txt,json inbox/", "as quire run does, with a service's cores"},
};

const qi_option_table qi_submit_options = {
    "submit",
    "send documents to a service",
    "quire submit [options] [inputs…]",
    "Sends files and folders to a service (quire serve). Inputs are as for quire run. What does "
    "not\n"
    "go through is sent again, and never becomes a second document.\n",
    submit_options,
    sizeof submit_options / sizeof *submit_options,
    .operands = QI_VALUE_FILE,
    .examples = submit_examples,
    .n_examples = sizeof submit_examples / sizeof *submit_examples,
};

static quire_err check_submit(qi_submit_values *v, int n_inputs, quire_diag *diag) {
    if (!n_inputs && !v->files_from)
        return qi_fail(diag, QUIRE_ERR_USAGE, "an input is missing; see quire submit --help");
    if (v->output && !v->wait)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "results are there when documents were read: -o needs --wait");
    if (!v->output && v->formats.n > 1)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "several formats need a folder for their files; give one with -o DIR");
    if (v->wait && !v->output && v->client.json)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "--json prints a line for each document, and stdout has the results; give a "
                       "folder for these with -o DIR, or -f json");
    if (v->overwrite && v->skip_existing)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "--overwrite and --skip-existing exclude each other; give one of them");
    return QUIRE_ERR_OK;
}

qi_parse_result qi_submit_options_parse(int argc, char **argv, qi_submit_values *ret_values,
                                        int *ret_first, quire_diag *diag) {
    qi_submit_values v = {.recursive = true};
    init_client(&v.client);
    parse_formats("txt", &v.formats);
    qi_parse_result result =
        qi_options_parse(&qi_submit_options, argc, argv, &v, NULL, ret_first, diag);
    if (result != QI_PARSE_RUN) return result;
    if (check_submit(&v, argc - *ret_first, diag)) return QI_PARSE_WRONG;
    *ret_values = v;
    return QI_PARSE_RUN;
}

#define QI_GIVE_UP_STANDARD "60 where it cannot be reached (with --watch never), else never"
#define FIELD(name)         offsetof(qi_ingest_values, name)
static const qi_option ingest_options[] = {
    {"watch", 0, NULL, FIELD(watch), qi_parse_flag, "yes or no",
     "go on: send files as they come, until a signal"},
    {"settle", 0, "SECONDS", FIELD(settle_ms), qi_parse_seconds, "a time such as 2",
     "a file that is found counts as complete when it has not changed for so long", "2"},
    {"state", 0, "DIR", FIELD(state), qi_parse_string, "the name of a folder",
     "keep what was sent in DIR", "FOLDER/.quire-ingest", .kind = QI_VALUE_FOLDER},
#include "cli/client_options.def"
};
#undef FIELD
#undef QI_GIVE_UP_STANDARD

static const qi_example ingest_examples[] = {
    {"quire ingest --watch /scans --priority low", "sends what is there, and what comes"},
    {"quire ingest /scans", "sends what was not sent before, and ends"},
};

const qi_option_table qi_ingest_options = {
    "ingest",
    "send a folder's files to a service, each once",
    "quire ingest [options] FOLDER",
    "Sends the files of a folder and of all below it to a service (quire serve), each once, "
    "however\n"
    "often it is started. Files stay as they are.\n",
    ingest_options,
    sizeof ingest_options / sizeof *ingest_options,
    .operands = QI_VALUE_FOLDER,
    .examples = ingest_examples,
    .n_examples = sizeof ingest_examples / sizeof *ingest_examples,
};

qi_parse_result qi_ingest_options_parse(int argc, char **argv, qi_ingest_values *ret_values,
                                        quire_diag *diag) {
    qi_ingest_values v = {.settle_ms = 2000};
    int first;
    init_client(&v.client);
    qi_parse_result result =
        qi_options_parse(&qi_ingest_options, argc, argv, &v, NULL, &first, diag);
    if (result != QI_PARSE_RUN) return result;
    if (argc - first != 1) {
        qi_fail(diag, QUIRE_ERR_USAGE, "ingest takes one folder; see quire ingest --help");
        return QI_PARSE_WRONG;
    }
    v.folder = argv[first];
    *ret_values = v;
    return QI_PARSE_RUN;
}
