/* quire.1, in the man macros. */
#include <string.h>

#include "cli/describe/describe.h"

/* Text as the reader shall see it: a - is a hyphen-minus, for copying, nothing begins a request. */
static void put_text(qi_strbuf *out, const char *text) {
    for (; *text; text++) {
        bool at_start = !out->length || out->data[out->length - 1] == '\n';
        if (at_start && (*text == '.' || *text == '\'')) qi_strbuf_puts(out, "\\&");
        if (*text == '-')
            qi_strbuf_puts(out, "\\-");
        else if (*text == '\\')
            qi_strbuf_puts(out, "\\e");
        else if (*text == '\'')
            qi_strbuf_puts(out, "\\(aq");
        else if (*text == '~')
            qi_strbuf_puts(out, "\\(ti");
        else if (!strncmp(text, "…", strlen("…"))) {
            qi_strbuf_puts(out, "...");
            text += strlen("…") - 1;
        } else
            qi_strbuf_append(out, text, 1);
    }
}

static void put_styled(qi_strbuf *out, char style, const char *text) {
    qi_strbuf_printf(out, "\\f%c", style);
    put_text(out, text);
    qi_strbuf_puts(out, "\\fR");
}

static void put_option(qi_strbuf *out, const qi_option *o, bool common) {
    char letter[] = {'-', o->letter, 0}, variable[64];
    qi_strbuf_puts(out, ".TP\n");
    if (o->letter) {
        put_styled(out, 'B', letter);
        qi_strbuf_puts(out, ", ");
    }
    qi_strbuf_puts(out, "\\fB\\-\\-");
    put_text(out, o->name);
    qi_strbuf_puts(out, "\\fR");
    if (o->argument) {
        qi_strbuf_puts(out, " ");
        put_styled(out, 'I', o->argument);
    } else if (!common) {
        qi_strbuf_puts(out, "[=\\fIyes\\fR|\\fIno\\fR]");
    }
    qi_strbuf_puts(out, "\n");
    qi_strbuf help = {0};
    qi_option_describe(o, &help);
    if (help.failed)
        out->failed = true;
    else
        put_text(out, help.data);
    qi_strbuf_done(&help);
    qi_strbuf_puts(out, "\n");
    if (common) return;
    qi_option_variable(o, variable, sizeof variable);
    qi_strbuf_printf(out, ".br\nEnvironment: %s\n", variable);
}

static void put_command(qi_strbuf *out, const qi_option_table *t) {
    qi_strbuf_printf(out, ".SS quire %s\n", t->command);
    put_styled(out, 'B', t->synopsis);
    qi_strbuf_puts(out, "\n.PP\n");
    put_text(out, t->about);
    for (size_t i = 0; i < t->n_options; i++)
        put_option(out, &t->options[i], false);
}

static void put_synopsis(qi_strbuf *out) {
    qi_strbuf_puts(out, ".SH SYNOPSIS\n");
    for (size_t i = 0; i < QI_N_COMMANDS; i++) {
        const qi_option_table *t = qi_commands[i].options;
        if (i) qi_strbuf_puts(out, ".br\n");
        qi_strbuf_printf(out, "\\fBquire %s\\fR", t->command);
        put_text(out, t->synopsis + strlen("quire ") + strlen(t->command));
        qi_strbuf_puts(out, "\n");
    }
}

/* What ends a command besides errors of the public list. */
static const struct {
    int status;
    const char *text;
} other_statuses[] = {
    {0, "all was done"},
    {QI_EXIT_MIXED, "several documents failed, for reasons with different statuses"},
    {128 + 1, "interrupted by SIGHUP"},
    {128 + 2, "interrupted by SIGINT"},
    {128 + 15, "interrupted by SIGTERM"},
    {QI_EXIT_PIPE, "standard output was closed by its reader"},
};

static void put_statuses(qi_strbuf *out) {
    static const quire_err errors[] = {
#define QUIRE_X(code, ...) QUIRE_ERR_##code,
        QUIRE_ERRORS(QUIRE_X)
#undef QUIRE_X
    };
    qi_strbuf_puts(out, ".SH EXIT STATUS\n");
    for (int status = 0; status < 256; status++) {
        size_t n = 0;
        for (size_t i = 0; i < sizeof other_statuses / sizeof *other_statuses; i++)
            if (other_statuses[i].status == status) {
                qi_strbuf_printf(out, ".TP\n.B %d\n", status);
                put_text(out, other_statuses[i].text);
                n++;
            }
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
            if (!errors[i] || quire_err_exit_status(errors[i]) != status) continue;
            if (!n) qi_strbuf_printf(out, ".TP\n.B %d\n", status);
            qi_strbuf_puts(out, n++ ? "; " : "");
            put_text(out, quire_err_text(errors[i]));
            qi_strbuf_puts(out, " (");
            put_text(out, quire_err_name(errors[i]));
            qi_strbuf_puts(out, ")");
        }
        if (n) qi_strbuf_puts(out, "\n");
    }
    qi_strbuf_puts(out, ".PP\nWhen several documents fail for reasons of the same status, that is "
                        "the status of the run.\n");
}

static void put_entry(qi_strbuf *out, const char *name, const char *text) {
    qi_strbuf_puts(out, ".TP\n");
    put_styled(out, 'B', name);
    qi_strbuf_puts(out, "\n");
    put_text(out, text);
    qi_strbuf_puts(out, "\n");
}

static void put_surroundings(qi_strbuf *out, const char *helper_folder) {
    qi_strbuf_puts(out, ".SH ENVIRONMENT\n");
    qi_strbuf_puts(out,
                   "Each option above names its environment twin. Flags take 1, 0, yes or no "
                   "there. The command line beats the environment, which beats the default.\n");
    put_entry(out, "TESSDATA_PREFIX", "the folder of the models");
    put_entry(out, "QUIRE_DECODE", "the decoding helper to use");
    put_entry(out, "QUIRE_CPU", "scalar, avx2, avx512vnni or amx: the highest CPU level to use");
    qi_strbuf_puts(out, ".SH FILES\n");
    put_entry(out, "/usr/share/tesseract-ocr/5/tessdata/LANG.traineddata",
              "the models, from the packages tesseract-ocr-LANG");
    qi_strbuf path = {0};
    qi_strbuf_printf(&path, "%s/quire-decode", helper_folder);
    if (path.failed)
        out->failed = true;
    else
        put_entry(out, path.data,
                  "the sandboxed program that opens images, where there is none beside quire");
    qi_strbuf_done(&path);
}

static void put_examples(qi_strbuf *out) {
    qi_strbuf_puts(out, ".SH EXAMPLES\n");
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        for (size_t k = 0; k < qi_commands[i].options->n_examples; k++)
            put_entry(out, qi_commands[i].options->examples[k].line,
                      qi_commands[i].options->examples[k].about);
}

void qi_describe_man(const char *helper_folder, qi_strbuf *out) {
    qi_strbuf_printf(out, ".TH QUIRE 1 \"\" \"Quire %s\" \"User Commands\"\n", QUIRE_VERSION);
    qi_strbuf_puts(out, ".SH NAME\nquire \\- read documents: images in, text with layout out\n");
    put_synopsis(out);
    qi_strbuf_puts(out, ".SH DESCRIPTION\n");
    put_text(out, QI_ABOUT_QUIRE);
    qi_strbuf_puts(out, "\nResults go to standard output or to files, all messages to standard "
                        "error.\n.SH COMMANDS\n");
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        put_command(out, qi_commands[i].options);
    qi_strbuf_puts(out, ".SS Every command\n");
    for (size_t i = 0; i < QI_N_COMMON_OPTIONS; i++)
        put_option(out, &qi_common_options[i], true);
    put_statuses(out);
    put_surroundings(out, helper_folder);
    put_examples(out);
    qi_strbuf_puts(out, ".SH SEE ALSO\n.BR tesseract (1)\n");
}
