/* Writes one description to stdout; the build runs it once for each.
 * usage: describe man HELPER-FOLDER | bash | zsh | fish */
#include "cli/describe/describe.h"

#include <stdio.h>
#include <string.h>

/* A model that cannot be used has a - in its second column; lines that begin with a blank go on
 * about the model above. A name that a shell could take for more than a name is left out. */
const char qi_describe_list_languages[] =
    "models list 2>/dev/null | awk '/^[A-Za-z0-9_\\/-]+ / && $2 != \"-\" { print $1 }'";

const qi_option *qi_describe_option(const qi_option_table *table, size_t i) {
    if (i < table->n_options) return &table->options[i];
    i -= table->n_options;
    return i < QI_N_COMMON_OPTIONS ? &qi_common_options[i] : NULL;
}

void qi_describe_choices(const qi_option *option, qi_strbuf *out) {
    const char *text;
    if (!option->argument) qi_strbuf_puts(out, " yes no");
    for (size_t i = 0; option->choice && (text = option->choice(i)); i++)
        qi_strbuf_printf(out, " %s", text);
}

void qi_describe_escaped(qi_strbuf *out, const char *text, const char *characters) {
    for (; *text; text++) {
        if (strchr(characters, *text)) qi_strbuf_puts(out, "\\");
        qi_strbuf_append(out, text, 1);
    }
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    qi_strbuf out = {0};
    if (!strcmp(what, "man") && argc == 3) qi_describe_man(argv[2], &out);
    if (!strcmp(what, "bash")) qi_describe_bash(&out);
    if (!strcmp(what, "zsh")) qi_describe_zsh(&out);
    if (!strcmp(what, "fish")) qi_describe_fish(&out);
    if (!out.data || out.failed) {
        fputs("usage: describe man HELPER-FOLDER | bash | zsh | fish\n", stderr);
        return 1;
    }
    fwrite(out.data, 1, out.length, stdout);
    qi_strbuf_done(&out);
    return qi_finish_stdout();
}
