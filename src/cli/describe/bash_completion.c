/* Completion for bash: one function, without the help of the package bash-completion. */
#include <string.h>

#include "cli/describe/describe.h"

/* Bash splits words at "=": "--format", "=", "js". */
static const char head[] =
    "# bash completion for quire; written by its build\n"
    "\n"
    "# The value that is being typed, after the last SEPARATOR, from WORDS.\n"
    "_quire_values() {\n"
    "    local separator=$1 start=\n"
    "    [[ -n $separator && $cur == *\"$separator\"* ]] && "
    "start=${cur%\"$separator\"*}$separator\n"
    "    mapfile -t COMPREPLY < <(compgen -P \"$start\" -W \"$2\" -- \"${cur#\"$start\"}\")\n"
    "    [[ -n $separator ]] && compopt -o nospace 2>/dev/null\n"
    "    return 0\n"
    "}\n"
    "\n"
    "_quire_paths() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
    "}\n"
    "\n"
    "_quire_languages() {\n"
    "    local program=${COMP_WORDS[0]/#\\~\\//$HOME/}\n"
    "    \"$program\" ";

static const char middle[] =
    "\n}\n"
    "\n"
    "_quire() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} equals=\n"
    "    local command=${COMP_WORDS[1]}\n"
    "    COMPREPLY=()\n"
    "    if [[ $cur == = ]]; then\n"
    "        cur= equals=1\n"
    "    elif [[ $option == = ]]; then\n"
    "        option=${COMP_WORDS[COMP_CWORD - 2]} equals=1\n"
    "    fi\n";

/* Where a value is expected. Options that take one come without "=" too, flags only with it. */
static void put_value(qi_strbuf *out, const qi_option_table *t, const qi_option *o) {
    qi_strbuf_printf(out, "    \"%s --%s%s\"", t->command, o->name, o->argument ? " " : " 1");
    if (o->argument) qi_strbuf_printf(out, " | \"%s --%s 1\"", t->command, o->name);
    if (o->argument && o->letter) qi_strbuf_printf(out, " | \"%s -%c \"", t->command, o->letter);
    const char separator[] = {o->separator, 0};
    if (o->kind == QI_VALUE_LANGUAGE)
        qi_strbuf_printf(out, ") _quire_values '%s' \"$(_quire_languages)\" ;;\n", separator);
    else if (o->kind)
        qi_strbuf_printf(out, ") _quire_paths %s ;;\n", o->kind == QI_VALUE_FOLDER ? "-d" : "-f");
    else if (o->choice || !o->argument) {
        qi_strbuf_printf(out, ") _quire_values '%s' \"", separator);
        qi_describe_choices(o, out);
        qi_strbuf_puts(out, "\" ;;\n");
    } else
        qi_strbuf_puts(out, ") ;;\n");
}

static void put_words(qi_strbuf *out, const qi_option_table *t) {
    const qi_option *o;
    qi_strbuf_printf(out, "    %s:-*) _quire_values '' \"", t->command);
    for (size_t i = 0; (o = qi_describe_option(t, i)); i++) {
        qi_strbuf_printf(out, "%s--%s", i ? " " : "", o->name);
        if (o->letter) qi_strbuf_printf(out, " -%c", o->letter);
    }
    qi_strbuf_puts(out, "\" ;;\n");
    if (t->action)
        qi_strbuf_printf(out, "    %s:*) _quire_values '' %s ;;\n", t->command, t->action);
    if (t->operands)
        qi_strbuf_printf(out, "    %s:*) _quire_paths %s ;;\n", t->command,
                         t->operands == QI_VALUE_FOLDER ? "-d" : "-f");
}

void qi_describe_bash(qi_strbuf *out) {
    qi_strbuf_printf(out, "%s%s%s", head, qi_describe_list_languages, middle);
    qi_strbuf_puts(out, "    if ((COMP_CWORD == 1)); then\n        _quire_values '' \"");
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        qi_strbuf_printf(out, "%s ", qi_commands[i].options->command);
    qi_strbuf_puts(out, "--version --help -h\"\n        return\n    fi\n");
    qi_strbuf_puts(out, "    case \"$command $option $equals\" in\n");
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        for (size_t k = 0; k < qi_commands[i].options->n_options; k++)
            put_value(out, qi_commands[i].options, &qi_commands[i].options->options[k]);
    qi_strbuf_puts(out, "    *)\n    case \"$command:$cur\" in\n");
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        put_words(out, qi_commands[i].options);
    qi_strbuf_puts(out, "    esac ;;\n    esac\n}\n\ncomplete -F _quire quire\n");
}
