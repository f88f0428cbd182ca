/* `quire models list`: the installed models, those that cannot be used with the reason. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "output/emit.h"

typedef struct models_values {
    bool json;
} models_values;

static const qi_option options[] = {
    {"json", 0, NULL, offsetof(models_values, json), qi_parse_flag, "yes or no",
     "print JSON instead of a table"},
};

const qi_option_table qi_models_options = {
    "models",
    "list the installed models",
    "quire models list [options]",
    "Lists the installed models: those in the folder TESSDATA_PREFIX, or where Debian installs "
    "them.\n",
    options,
    sizeof options / sizeof *options,
    .action = "list",
};

static void put_text(qi_strbuf *out, const quire_installed_model *m) {
    char path[300], text[520];
    qi_strbuf_printf(out, "%-12s %-6s %8.1f MB  %s\n", m->info.language,
                     m->error          ? "-"
                     : m->info.integer ? "int8"
                                       : "float",
                     (double)m->n_bytes / 1e6, qi_printable(path, sizeof path, m->info.path));
    if (m->error)
        qi_strbuf_printf(out, "             cannot be used: %s\n",
                         qi_printable(text, sizeof text, m->error_text));
    else
        qi_strbuf_printf(out, "             %s\n             sha256 %s\n", m->info.network,
                         m->info.sha256);
}

static void put_string(qi_strbuf *out, const char *key, const char *value) {
    qi_emit_key(out, key);
    qi_emit_json_string(out, value);
}

static void put_json(qi_strbuf *out, const quire_installed_model *m) {
    qi_strbuf_puts(out, "{");
    put_string(out, "language", m->info.language);
    put_string(out, "path", m->info.path);
    qi_emit_key(out, "n_bytes");
    qi_emit_int(out, (int64_t)m->n_bytes);
    put_string(out, "sha256", m->info.sha256);
    put_string(out, "network", m->info.network);
    qi_emit_key(out, "integer");
    qi_strbuf_puts(out, m->error ? "null" : m->info.integer ? "true" : "false");
    qi_emit_key(out, "error");
    if (m->error) {
        qi_strbuf_puts(out, "{");
        put_string(out, "code", quire_err_name(m->error));
        put_string(out, "text", m->error_text);
        qi_strbuf_puts(out, "}}");
    } else {
        qi_strbuf_puts(out, "null}");
    }
}

static quire_err list_models(bool json, quire_diag *diag) {
    quire_installed_models *models;
    quire_err err = quire_installed_models_open(NULL, &models, diag);
    if (err) return err;
    const quire_installed_model *list;
    const uint32_t n = quire_installed_models_view(models, &list);
    qi_strbuf out = {0};
    for (uint32_t i = 0; i < n; i++) {
        if (json) qi_strbuf_puts(&out, i ? ",\n" : "[");
        (json ? put_json : put_text)(&out, &list[i]);
    }
    if (json) qi_strbuf_puts(&out, n ? "]\n" : "[]\n");
    if (out.failed)
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    else if (!n && !json)
        err = qi_fail(diag, QUIRE_ERR_MODEL_MISSING,
                      "no model is installed; install one with: sudo apt-get install "
                      "tesseract-ocr-eng");
    else
        fwrite(out.data, 1, out.length, stdout);
    qi_strbuf_done(&out);
    quire_installed_models_close(models);
    return err;
}

int qi_command_models(int argc, char **argv) {
    models_values values = {0};
    quire_diag diag;
    int first;
    qi_parse_result parsed =
        qi_options_parse(&qi_models_options, argc, argv, &values, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    if (argc - first != 1 || strcmp(argv[first], "list") != 0) {
        qi_fail(&diag, QUIRE_ERR_USAGE, "models takes one action, list; see quire models --help");
        return qi_command_fail(&diag);
    }
    return list_models(values.json, &diag) ? qi_command_fail(&diag) : qi_finish_stdout();
}
