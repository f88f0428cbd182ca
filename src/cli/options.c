/* The engine behind tables of options: getopt_long does the splitting. */
#include "cli/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LONG = 0x100, MAX_OPTIONS = 48, HELP = 0x1000, VERSION };

const qi_option qi_common_options[QI_N_COMMON_OPTIONS] = {
    {"version", 0, NULL, 0, NULL, NULL, "print the version and exit"},
    {"help", 'h', NULL, 0, NULL, NULL, "print this and exit"},
};

bool qi_parse_flag(const char *text, void *field) {
    static const char *const words[2][4] = {{"0", "no", "false", "off"},
                                            {"1", "yes", "true", "on"}};
    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 4; i++)
            if (!strcmp(text, words[value][i])) {
                *(bool *)field = value;
                return true;
            }
    return false;
}

bool qi_parse_string(const char *text, void *field) {
    if (!*text) return false;
    *(const char **)field = text;
    return true;
}

/* A whole number with an optional k, m or g; false when it is none, zero or past limit. */
static bool scaled(const char *text, uint64_t unit, uint64_t limit, uint64_t *ret) {
    uint64_t v = 0;
    const char *p = text;
    for (; isdigit((unsigned char)*p); p++) {
        if (v > (limit - (uint64_t)(*p - '0')) / 10) return false;
        v = v * 10 + (uint64_t)(*p - '0');
    }
    if (p == text) return false;
    static const char units[] = "kmg";
    const char *u = *p ? strchr(units, tolower((unsigned char)*p)) : NULL;
    for (ptrdiff_t i = 0; u && i <= u - units; i++) {
        if (v > limit / unit) return false;
        v *= unit;
    }
    if (u) p++;
    if (u && unit == 1024 && (*p == 'b' || *p == 'B')) p++;
    if (*p || v == 0) return false;
    *ret = v;
    return true;
}

bool qi_take_whole(const char *text, uint32_t least, uint32_t most, uint32_t *ret) {
    uint64_t v = 0;
    const size_t n = strspn(text, "0123456789");
    if (!n || n > 10 || text[n]) return false;
    for (; *text; text++)
        v = v * 10 + (uint64_t)(*text - '0');
    if (v < least || v > most) return false;
    *ret = (uint32_t)v;
    return true;
}

bool qi_take_decimal(const char *text, double least, double most, double *ret) {
    char *end;
    if (!*text || text[strspn(text, "0123456789.")]) return false;
    const double v = strtod(text, &end);
    if (end == text || *end || !(v >= least && v <= most)) return false;
    *ret = v;
    return true;
}

bool qi_parse_jobs(const char *text, void *field) {
    return qi_take_whole(text, 1, 512, field);
}

bool qi_parse_bytes(const char *text, void *field) {
    return scaled(text, 1024, (uint64_t)1 << 50, field);
}

bool qi_parse_count(const char *text, void *field) {
    return scaled(text, 1000, (uint64_t)1 << 50, field);
}

bool qi_parse_seconds(const char *text, void *field) {
    char *end;
    if (!isdigit((unsigned char)*text)) return false;
    double v = strtod(text, &end);
    double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : 1;
    if (*end && strchr("smh", *end)) end++;
    v *= unit * 1000;
    if (*end || !(v >= 1 && v <= 4e9)) return false;
    *(uint32_t *)field = (uint32_t)v;
    return true;
}

void qi_option_variable(const qi_option *o, char *out, size_t size) {
    size_t n = (size_t)snprintf(out, size, "QUIRE_%s", o->name);
    for (size_t i = 6; i < n && i < size; i++)
        out[i] = o->name[i - 6] == '-' ? '_' : (char)toupper((unsigned char)o->name[i - 6]);
}

/* "auto, bar, json or none" */
static void list_choices(const qi_option *o, const char *last, qi_strbuf *out) {
    const char *text;
    for (size_t i = 0; (text = o->choice(i)); i++)
        qi_strbuf_printf(out, "%s%s", !i ? "" : o->choice(i + 1) ? ", " : last, text);
}

void qi_option_describe(const qi_option *o, qi_strbuf *out) {
    qi_strbuf_puts(out, o->help);
    if (o->choice) {
        qi_strbuf_puts(out, ": ");
        list_choices(o, ", ", out);
    }
    if (o->standard) qi_strbuf_printf(out, " (default: %s)", o->standard);
}

static void put_option(qi_strbuf *out, const qi_option *o) {
    const size_t start = out->length;
    qi_strbuf_printf(out, o->letter ? "  -%c, " : "      ", o->letter);
    qi_strbuf_printf(out, "--%s%s%s", o->name, o->argument ? " " : "",
                     o->argument ? o->argument : "");
    const size_t n = out->length - start;
    qi_strbuf_printf(out, "%s%*s", n > 33 ? "\n" : "", n > 33 ? 34 : 34 - (int)n, "");
    qi_option_describe(o, out);
    qi_strbuf_puts(out, "\n");
}

static quire_err print_help(const qi_option_table *t, quire_diag *diag) {
    qi_strbuf out = {0};
    qi_strbuf_printf(&out, "usage: %s\n\n%s\noptions:\n", t->synopsis, t->about);
    for (size_t i = 0; i < t->n_options; i++)
        put_option(&out, &t->options[i]);
    for (size_t i = 0; i < QI_N_COMMON_OPTIONS; i++)
        put_option(&out, &qi_common_options[i]);
    if (t->n_options)
        qi_strbuf_puts(
            &out,
            "\nEach option NAME can also be set by the environment variable QUIRE_NAME (capitals,\n"
            "- becomes _; flags: 1, 0, yes, no). The command line wins.\n");
    if (t->n_examples) qi_strbuf_puts(&out, "\nexamples:\n");
    for (size_t i = 0; i < t->n_examples; i++)
        qi_strbuf_printf(&out, "  %s\n      %s\n", t->examples[i].line, t->examples[i].about);
    bool failed = out.failed;
    if (!failed) fwrite(out.data, 1, out.length, stdout);
    qi_strbuf_done(&out);
    return failed ? qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out") : QUIRE_ERR_OK;
}

static bool take(const qi_option *o, const char *text, const char *shown, void *values,
                 quire_diag *diag) {
    if (o->parse(text, (char *)values + o->offset)) return true;
    char value[100];
    qi_printable(value, sizeof value, text);
    qi_strbuf expects = {0};
    if (o->expects) qi_strbuf_puts(&expects, o->expects);
    if (o->expects && o->choice) qi_strbuf_puts(&expects, "; there are ");
    if (o->choice) list_choices(o, o->expects ? " and " : " or ", &expects);
    qi_fail(diag, QUIRE_ERR_USAGE, "%s: \"%s\" is not %s", shown, value,
            expects.failed ? "right" : expects.data);
    qi_strbuf_done(&expects);
    return false;
}

static bool take_environment(const qi_option_table *t, void *values, unsigned char *given,
                             quire_diag *diag) {
    for (size_t i = 0; i < t->n_options; i++) {
        char variable[64];
        qi_option_variable(&t->options[i], variable, sizeof variable);
        const char *text = getenv(variable);
        if (!text || !*text) continue;
        if (!take(&t->options[i], text, variable, values, diag)) return false;
        if (given) given[i] = 1;
    }
    return true;
}

static void fail_unknown(const qi_option_table *t, int c, char **argv, quire_diag *diag) {
    char shown[100], letter[3] = {'-', (char)optopt, 0};
    bool is_letter = optopt > 0 && optopt < FIRST_LONG;
    qi_printable(shown, sizeof shown, is_letter ? letter : argv[optind - 1]);
    qi_fail(diag, QUIRE_ERR_USAGE, "%s: %s; see quire %s --help", shown,
            c == ':'                       ? "a value is missing"
            : optopt >= FIRST_LONG         ? "takes no value"
            : strncmp(shown, "--", 2) != 0 ? "no such option"
                                           : "no such option, or not a clear one",
            t->command);
}

static qi_parse_result take_arguments(const qi_option_table *t, int argc, char **argv, void *values,
                                      unsigned char *given, quire_diag *diag) {
    char letters[2 * MAX_OPTIONS + 8] = ":h";
    size_t n_letters = 2;
    struct option list[MAX_OPTIONS + 3] = {{"help", no_argument, NULL, HELP},
                                           {"version", no_argument, NULL, VERSION}};
    for (size_t i = 0; i < t->n_options; i++) {
        const qi_option *o = &t->options[i];
        list[i + 2] = (struct option){o->name, o->argument ? required_argument : optional_argument,
                                      NULL, FIRST_LONG + (int)i};
        if (o->letter) letters[n_letters++] = o->letter;
        if (o->letter && o->argument) letters[n_letters++] = ':';
    }
    optind = 0; /* glibc: start anew */
    opterr = 0;
    int c;
    while ((c = getopt_long(argc, argv, letters, list, NULL)) != -1) {
        if (c == 'h' || c == HELP) {
            return print_help(t, diag) ? QI_PARSE_WRONG : QI_PARSE_STOP;
        }
        if (c == VERSION) {
            printf("quire %s\n", quire_version());
            return QI_PARSE_STOP;
        }
        if (c == '?' || c == ':') {
            fail_unknown(t, c, argv, diag);
            return QI_PARSE_WRONG;
        }
        size_t i = (size_t)(c - FIRST_LONG);
        if (c < FIRST_LONG)
            for (i = 0; t->options[i].letter != c;)
                i++;
        char shown[64];
        snprintf(shown, sizeof shown, "--%s", t->options[i].name);
        if (!take(&t->options[i], optarg ? optarg : "yes", shown, values, diag))
            return QI_PARSE_WRONG;
        if (given) given[i] = 2;
    }
    return QI_PARSE_RUN;
}

qi_parse_result qi_options_parse(const qi_option_table *table, int argc, char **argv, void *values,
                                 unsigned char *given, int *ret_first, quire_diag *diag) {
    /* The command line is read last, so that it wins; help comes before all errors of the
     * environment. */
    quire_diag wrong = {0};
    bool ok = take_environment(table, values, given, &wrong);
    qi_parse_result result = take_arguments(table, argc, argv, values, given, diag);
    if (result == QI_PARSE_RUN && !ok) {
        *diag = wrong;
        result = QI_PARSE_WRONG;
    }
    if (result == QI_PARSE_RUN) *ret_first = optind;
    return result;
}
