/* Completion for fish: one "complete" for each command, option and operand. */
#include "cli/describe/describe.h"

static const char head[] =
    "# fish completion for quire; written by its build\n"
    "\n"
    "# Whether the command is that of the argument; without one, whether it is not yet given.\n"
    "function __quire_command\n"
    "    set -l words (commandline -opc)\n"
    "    test \"$words[2]\" = \"$argv[1]\"\n"
    "end\n"
    "\n"
    "# Values after those of a list that are there: SEPARATOR VALUES...\n"
    "function __quire_values\n"
    "    set -l word (commandline -ct | string replace -r -- '^--[^=]*=' '')\n"
    "    set -l start (string match -r \".*[$argv[1]]\" -- $word)\n"
    "    for value in $argv[2..]\n"
    "        echo \"$start$value\"\n"
    "    end\n"
    "end\n"
    "\n"
    "function __quire_languages\n"
    "    set -l program (commandline -opc)[1]\n"
    "    $program ";

static void put_quoted(qi_strbuf *out, const char *text) {
    qi_strbuf_puts(out, "'");
    qi_describe_escaped(out, text, "'\\");
    qi_strbuf_puts(out, "'");
}

static void begin(qi_strbuf *out, const char *command) {
    qi_strbuf_printf(out, "complete -c quire -n '__quire_command%s%s'", *command ? " " : "",
                     command);
}

static void put_option(qi_strbuf *out, const char *command, const qi_option *o) {
    begin(out, command);
    qi_strbuf_printf(out, " -l %s", o->name);
    if (o->letter) qi_strbuf_printf(out, " -s %c", o->letter);
    if (o->kind == QI_VALUE_FILE)
        qi_strbuf_puts(out, " -r -F");
    else if (o->argument)
        qi_strbuf_puts(out, " -x");
    if (o->kind == QI_VALUE_LANGUAGE)
        qi_strbuf_printf(out, " -a '(__quire_values %c (__quire_languages))'", o->separator);
    else if (o->kind == QI_VALUE_FOLDER)
        qi_strbuf_puts(out, " -a '(__fish_complete_directories)'");
    else if (o->choice) {
        qi_strbuf_puts(out, o->separator ? " -a '(__quire_values " : " -a '");
        if (o->separator) qi_strbuf_append(out, &o->separator, 1);
        qi_describe_choices(o, out);
        qi_strbuf_puts(out, o->separator ? ")'" : "'");
    }
    qi_strbuf help = {0};
    qi_option_describe(o, &help);
    qi_strbuf_puts(out, " -d ");
    if (help.failed)
        out->failed = true;
    else
        put_quoted(out, help.data);
    qi_strbuf_done(&help);
    qi_strbuf_puts(out, "\n");
}

static void put_command(qi_strbuf *out, const qi_option_table *t) {
    const qi_option *o;
    begin(out, "");
    qi_strbuf_printf(out, " -a %s -d ", t->command);
    put_quoted(out, t->summary);
    qi_strbuf_puts(out, "\n");
    for (size_t i = 0; (o = qi_describe_option(t, i)); i++)
        put_option(out, t->command, o);
    if (!t->action && !t->operands) return;
    begin(out, t->command);
    if (t->action) qi_strbuf_printf(out, " -a %s", t->action);
    if (t->operands)
        qi_strbuf_puts(out, t->operands == QI_VALUE_FILE ? " -F"
                                                         : " -a '(__fish_complete_directories)'");
    qi_strbuf_puts(out, "\n");
}

void qi_describe_fish(qi_strbuf *out) {
    qi_strbuf_printf(out, "%s%s\nend\n\ncomplete -c quire -f\n", head, qi_describe_list_languages);
    for (size_t i = 0; i < QI_N_COMMON_OPTIONS; i++)
        put_option(out, "", &qi_common_options[i]);
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        put_command(out, qi_commands[i].options);
}
