/* Completion for zsh, by its _arguments. */
#include <string.h>

#include "cli/describe/describe.h"

static const char head[] = "#compdef quire\n"
                           "# zsh completion for quire; written by its build\n"
                           "\n"
                           "_quire_languages() {\n"
                           "    local -a languages\n"
                           "    languages=(${(f)\"$($_quire_program ";

static const char middle[] =
    ")\"})\n"
    "    (( $#languages )) && _values -s + language $languages\n"
    "}\n"
    "\n"
    "_quire() {\n"
    "    local curcontext=$curcontext state line _quire_program=${~words[1]}\n"
    "    local -A opt_args\n"
    "    _arguments -C '(- *)--version[print the version and exit]' \\\n"
    "        '(- *)'{-h,--help}'[print help and exit]' \\\n"
    "        '1:command:->command' '*::argument:->argument' && return\n"
    "    case $state in\n"
    "    command)\n"
    "        local -a commands=(\n";

/* Within '…': text of a [description], or of a word before a colon. */
static void put_quoted(qi_strbuf *out, const char *text) {
    for (; *text; text++) {
        const char one[] = {*text, 0};
        if (*text == '\'')
            qi_strbuf_puts(out, "'\\''");
        else
            qi_describe_escaped(out, one, "[]:\\");
    }
}

static void put_value(qi_strbuf *out, const qi_option *o) {
    qi_strbuf_puts(out, o->argument ? ":" : "::");
    put_quoted(out, o->argument ? o->argument : "value");
    qi_strbuf_puts(out, ":");
    if (o->kind == QI_VALUE_LANGUAGE)
        qi_strbuf_puts(out, "_quire_languages");
    else if (o->kind)
        qi_strbuf_puts(out, o->kind == QI_VALUE_FOLDER ? "_files -/" : "_files");
    else if (o->separator) {
        qi_strbuf_printf(out, "_values -s %c value", o->separator);
        qi_describe_choices(o, out);
    } else if (o->choice || !o->argument) {
        qi_strbuf_puts(out, "(");
        qi_describe_choices(o, out);
        qi_strbuf_puts(out, ")");
    }
}

/* A flag's value comes after "=" only, and may be left out. */
static void put_option(qi_strbuf *out, const qi_option *o, bool common) {
    const char *before = o->argument ? "=" : common ? "" : "=-";
    qi_strbuf help = {0};
    qi_option_describe(o, &help);
    qi_strbuf_puts(out, " \\\n            ");
    if (common)
        qi_strbuf_puts(out, "'(- *)'");
    else if (o->letter)
        qi_strbuf_printf(out, "'(-%c --%s)'", o->letter, o->name);
    if (o->letter)
        qi_strbuf_printf(out, "{-%c%s,--%s%s}", o->letter, o->argument ? "+" : "", o->name, before);
    else
        qi_strbuf_printf(out, "--%s%s", o->name, before);
    qi_strbuf_puts(out, "'[");
    if (help.failed)
        out->failed = true;
    else
        put_quoted(out, help.data);
    qi_strbuf_puts(out, "]");
    if (!common && !(o->letter && !o->argument)) put_value(out, o);
    qi_strbuf_puts(out, "'");
    qi_strbuf_done(&help);
}

static void put_command(qi_strbuf *out, const qi_option_table *t) {
    const qi_option *o;
    qi_strbuf_printf(out, "        %s)\n            _arguments -s", t->command);
    for (size_t i = 0; (o = qi_describe_option(t, i)); i++)
        put_option(out, o, i >= t->n_options);
    if (t->action) qi_strbuf_printf(out, " \\\n            '1:action:(%s)'", t->action);
    if (t->operands)
        qi_strbuf_printf(out, " \\\n            '*:input:_files%s'",
                         t->operands == QI_VALUE_FOLDER ? " -/" : "");
    qi_strbuf_puts(out, " ;;\n");
}

void qi_describe_zsh(qi_strbuf *out) {
    qi_strbuf_printf(out, "%s%s%s", head, qi_describe_list_languages, middle);
    for (size_t i = 0; i < QI_N_COMMANDS; i++) {
        qi_strbuf_printf(out, "            '%s:", qi_commands[i].options->command);
        put_quoted(out, qi_commands[i].options->summary);
        qi_strbuf_puts(out, "'\n");
    }
    qi_strbuf_puts(out, "        )\n        _describe command commands ;;\n"
                        "    argument)\n        case $words[1] in\n");
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        put_command(out, qi_commands[i].options);
    qi_strbuf_puts(out, "        esac ;;\n    esac\n}\n\n_quire \"$@\"\n");
}
