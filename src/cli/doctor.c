/* `quire doctor`: what Quire finds on this machine, and for what is missing the command that mends
 * it. The last check reads a page of nothing, through helper, layout and output. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"

const qi_option_table qi_doctor_options = {
    "doctor",       "check the installation",
    "quire doctor", "Checks the installation. Exit status 0 when documents can be read, else 3.\n",
    NULL,           0,
};

typedef struct doctor {
    unsigned n_problems;
} doctor;

/* A line of the report: "ok", "note" or "MISSING", what, and what was found. */
static void report(doctor *d, const char *state, const char *what, const char *found) {
    printf("%-8s %-10s %s\n", state, what, found);
    if (!strcmp(state, "MISSING")) d->n_problems++;
}

static void check_machine(doctor *d, const quire_system *s) {
    char text[300];
    const char *level = quire_cpu_level();
    bool capped = strcmp(level, s->cpu_level_max) != 0;
    snprintf(text, sizeof text, "%s%s%s%s", level, capped ? " (QUIRE_CPU; the processor has " : "",
             capped ? s->cpu_level_max : "", capped ? ")" : "");
    bool scalar = !strcmp(s->cpu_level_max, "scalar");
    report(d, scalar ? "note" : "ok", "processor", text);
    if (scalar) report(d, "note", "", "without AVX2 reading is some ten times slower");
    snprintf(text, sizeof text, "%u core%s", s->cores, s->cores == 1 ? "" : "s");
    report(d, "ok", "cores", text);
    snprintf(text, sizeof text, "%.1f GB", (double)s->memory_bytes / 1e9);
    bool small = s->memory_bytes < 400000000;
    report(d, small ? "note" : "ok", "memory", text);
    if (small) report(d, "note", "", "400 MB are comfortable; see --memory");
}

static void check_helper(doctor *d, const quire_system *s) {
    if (s->helper.code) {
        report(d, "MISSING", "helper", s->helper.text);
        return;
    }
    report(d, "ok", "helper", "quire-decode starts");
    report(d, s->helper_seccomp ? "ok" : "note", "seccomp",
           s->helper_seccomp ? "on" : "off: this build or kernel has no system call filter");
    report(d, s->helper_landlock ? "ok" : "note", "Landlock",
           s->helper_landlock ? "on"
                              : "off: needs a kernel of 5.13 or later with Landlock enabled");
    report(d, s->helper_pdf.code ? "note" : "ok", "PDF",
           s->helper_pdf.code ? s->helper_pdf.text : "quire-decode-pdf starts");
    report(d, s->helper_heif ? "ok" : "note", "libheif",
           s->helper_heif ? "HEIC and AVIF can be read"
                          : "missing: for HEIC and AVIF, sudo apt-get install libheif1");
}

static void check_models(doctor *d) {
    quire_installed_models *models;
    quire_diag diag;
    char text[600];
    if (quire_installed_models_open(NULL, &models, &diag)) {
        report(d, "MISSING", "models", diag.text);
        return;
    }
    const quire_installed_model *list;
    const uint32_t n = quire_installed_models_view(models, &list);
    bool has_english = false;
    for (uint32_t i = 0; i < n; i++) {
        const quire_installed_model *m = &list[i];
        if (!m->error && !strcmp(m->info.language, "eng")) has_english = true;
        if (m->error)
            snprintf(text, sizeof text, "%s", m->error_text);
        else
            snprintf(text, sizeof text, "%s, %s, %s", m->info.language,
                     m->info.integer ? "int8" : "float", m->info.path);
        report(d, m->error ? "note" : "ok", "model", text);
    }
    if (!has_english)
        report(d, "MISSING", "model",
               "eng; install it with: sudo apt-get install tesseract-ocr-eng");
    quire_installed_models_close(models);
}

/* Reads a small white page; what it says is in diag. */
static quire_err read_white_page(quire_diag *diag) {
    char page[16 + 64 * 64] = "P5 64 64 255\n";
    const size_t n_head = strlen(page);
    memset(page + n_head, 0xFF, 64 * 64);
    quire_options options;
    quire_options_init(&options);
    options.jobs = 1;
    quire_reader *reader;
    quire_err err = quire_reader_open(&options, &reader, diag);
    if (err) return err;
    err = quire_reader_add_buffer(reader, page, n_head + 64 * 64, "trial page", NULL, NULL, diag);
    bool ended = err != QUIRE_ERR_OK;
    while (!ended) {
        quire_item item;
        quire_reader_next(reader, &item);
        ended = item.kind == QUIRE_ITEM_END || item.kind == QUIRE_ITEM_IDLE;
        if (item.kind == QUIRE_ITEM_END) {
            err = item.error;
            *diag = item.diag;
        }
        quire_item_done(&item);
    }
    quire_reader_close(reader);
    return err;
}

int qi_command_doctor(int argc, char **argv) {
    quire_diag diag;
    int first;
    char none;
    qi_parse_result parsed =
        qi_options_parse(&qi_doctor_options, argc, argv, &none, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    if (first != argc) {
        qi_fail(&diag, QUIRE_ERR_USAGE, "doctor takes no arguments; see quire doctor --help");
        return qi_command_fail(&diag);
    }
    doctor d = {0};
    quire_system system;
    report(&d, "ok", "quire", quire_version());
    quire_system_probe(NULL, &system);
    check_machine(&d, &system);
    check_helper(&d, &system);
    check_models(&d);
    if (read_white_page(&diag))
        report(&d, "MISSING", "reading", diag.text);
    else
        report(&d, "ok", "reading", "a trial page was read");
    int status = qi_finish_stdout();
    if (status) return status;
    return d.n_problems ? quire_err_exit_status(QUIRE_ERR_MISSING) : 0;
}
