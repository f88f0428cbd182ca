/* `quire eval TRUTH-DIR RESULT-DIR`: how well results agree with the truth, for each document and
 * over all, as a table or as JSON. What the figures mean stands in docs/cli.md. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/eval_pairs.h"
#include "cli/options.h"
#include "cli/score.h"
#include "cli/score_source.h"
#include "output/emit.h"

typedef struct eval_values {
    bool json;
    qi_score_options how;
} eval_values;

static const qi_option options[] = {
    {"json", 0, NULL, offsetof(eval_values, json), qi_parse_flag, "yes or no",
     "print JSON instead of a table"},
    {"case-fold", 0, NULL, offsetof(eval_values, how.fold_case), qi_parse_flag, "yes or no",
     "compare without regard to upper and lower case"},
    {"exact-marks", 0, NULL, offsetof(eval_values, how.exact_marks), qi_parse_flag, "yes or no",
     "tell typographic quotes and dashes from plain ones"},
    {"no-wildcards", 0, NULL, offsetof(eval_values, how.no_wildcards), qi_parse_flag, "yes or no",
     "a ~ of the truth matches a ~ only"},
};

static const qi_example examples[] = {
    {"quire eval truth results", "a table of all documents"},
    {"quire eval --json --case-fold truth results", "for a program, capitals apart"},
};

const qi_option_table qi_eval_options = {
    "eval",
    "score results against truth",
    "quire eval [options] TRUTH-DIR RESULT-DIR",
    "Scores results against truth. Pairs files by stem: x.gt.txt or x.txt of TRUTH-DIR with\n"
    "x.txt, x.png.txt, x.json, x.hocr, x.alto.xml … of RESULT-DIR. Typographic quotes and dashes "
    "count as plain ones;\n"
    "a ~ in the truth matches any one character.\n",
    options,
    sizeof options / sizeof *options,
    .operands = QI_VALUE_FOLDER,
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
};

static quire_err score_pair(const qi_eval_files *truth, const qi_score_options *options_of,
                            qi_score *ret_score, quire_diag *diag) {
    qi_score_source t, r;
    quire_err err = qi_score_source_load(truth->text, truth->items, &t, diag);
    if (err) return err;
    const qi_eval_files *result = truth->partner;
    err = qi_score_source_load(result->text, result->items, &r, diag);
    if (!err) {
        const qi_score_side a = qi_score_source_side(&t), b = qi_score_source_side(&r);
        err = qi_score_compare(&a, &b, options_of, ret_score);
        if (err) qi_fail(diag, err, "%s: %s", truth->text, quire_err_text(err));
        qi_score_source_done(&r);
    }
    qi_score_source_done(&t);
    return err;
}

static void put_text_row(qi_strbuf *out, const char *name, const qi_score *s) {
    char shown[300];
    qi_printable(shown, sizeof shown, name);
    qi_strbuf_printf(out, "%-40s", shown);
    qi_strbuf_printf(out, " %8zu", s->n_truth_chars);
    const struct {
        bool known;
        double value;
    } columns[] = {
        {true, qi_rate(s->char_errors, s->n_truth_chars)},
        {true, qi_rate(s->word_errors, s->n_truth_words)},
        {true, qi_rate(s->n_matched_words, s->n_result_words)},
        {true, qi_rate(s->n_matched_words, s->n_truth_words)},
        {true, qi_f1(s->n_matched_words, s->n_truth_words, s->n_result_words)},
        {s->n_box_truth, qi_f1(s->n_box_matched, s->n_box_truth, s->n_box_result)},
        {s->n_pairs, qi_rate(s->n_discordant_pairs, s->n_pairs)},
    };
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        qi_strbuf_puts(out, columns[i].known ? "  " : "       -");
        if (columns[i].known) qi_emit_fixed(out, columns[i].value, 4);
    }
    qi_strbuf_puts(out, "\n");
}

static void put_rate(qi_strbuf *out, const char *key, double value) {
    qi_emit_key(out, key);
    qi_emit_fixed(out, value, 6);
}

static void put_size(qi_strbuf *out, const char *key, size_t value) {
    qi_emit_key(out, key);
    qi_emit_int(out, (int64_t)value);
}

static void put_words(qi_strbuf *out, size_t n_matched, size_t n_truth, size_t n_result) {
    qi_strbuf_puts(out, "{");
    put_size(out, "matched", n_matched);
    put_size(out, "truth", n_truth);
    put_size(out, "result", n_result);
    put_rate(out, "precision", qi_rate(n_matched, n_result));
    put_rate(out, "recall", qi_rate(n_matched, n_truth));
    put_rate(out, "f1", qi_f1(n_matched, n_truth, n_result));
    qi_strbuf_puts(out, "}");
}

static void put_json_score(qi_strbuf *out, const qi_score *s) {
    put_size(out, "characters", s->n_truth_chars);
    put_size(out, "character_errors", s->char_errors);
    put_rate(out, "cer", qi_rate(s->char_errors, s->n_truth_chars));
    put_size(out, "word_errors", s->word_errors);
    put_rate(out, "wer", qi_rate(s->word_errors, s->n_truth_words));
    qi_emit_key(out, "words");
    put_words(out, s->n_matched_words, s->n_truth_words, s->n_result_words);
    qi_emit_key(out, "words_by_box");
    if (s->n_box_truth)
        put_words(out, s->n_box_matched, s->n_box_truth, s->n_box_result);
    else
        qi_strbuf_puts(out, "null");
    qi_emit_key(out, "order");
    qi_strbuf_puts(out, "{");
    put_size(out, "lines", s->n_truth_lines);
    put_size(out, "matched_lines", s->n_matched_lines);
    put_rate(out, "kendall", qi_rate(s->n_discordant_pairs, s->n_pairs));
    qi_strbuf_puts(out, "}");
}

/* The documents of one side that have no partner. */
static size_t put_unmatched(qi_strbuf *out, const qi_eval_list *list) {
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->documents[i].partner) continue;
        if (out) {
            qi_strbuf_puts(out, n ? "," : "");
            qi_emit_json_string(out, list->documents[i].stem);
        }
        n++;
    }
    return n;
}

static void report_unmatched(const qi_eval_list *list, const char *what) {
    char shown[300];
    for (size_t i = 0; i < list->n; i++)
        if (!list->documents[i].partner)
            fprintf(stderr, "quire: %s: %s; not counted\n",
                    qi_printable(shown, sizeof shown, list->documents[i].text), what);
}

static void put_head(qi_strbuf *out, bool json) {
    if (json)
        qi_strbuf_puts(out, "{\"schema\":\"quire-eval/1\",\"documents\":[");
    else
        qi_strbuf_printf(out, "%-40s %8s  %-6s  %-6s  %-6s  %-6s  %-6s  %-6s  %s\n", "document",
                         "chars", "CER", "WER", "prec", "recall", "F1", "boxF1", "order");
}

static void put_foot(qi_strbuf *out, bool json, const qi_score *sum, size_t n_documents,
                     const qi_eval_list *truth, const qi_eval_list *results) {
    if (!json) {
        put_text_row(out, "overall", sum);
        return;
    }
    qi_strbuf_puts(out, "\n],\"overall\":{");
    put_size(out, "documents", n_documents);
    put_json_score(out, sum);
    qi_strbuf_puts(out, "},\"truth_without_result\":[");
    put_unmatched(out, truth);
    qi_strbuf_puts(out, "],\"result_without_truth\":[");
    put_unmatched(out, results);
    qi_strbuf_puts(out, "]}\n");
}

static quire_err score_all(const eval_values *values, qi_eval_list *truth, qi_eval_list *results,
                           qi_strbuf *out, quire_diag *diag) {
    qi_score sum = {0};
    size_t n = 0;
    put_head(out, values->json);
    for (size_t i = 0; i < truth->n; i++) {
        const qi_eval_files *t = &truth->documents[i];
        qi_score score;
        if (!t->partner) continue;
        quire_err err = score_pair(t, &values->how, &score, diag);
        if (err) return err;
        qi_score_add(&sum, &score);
        if (values->json) {
            qi_strbuf_puts(out, n ? ",\n{" : "\n{");
            qi_emit_key(out, "name");
            qi_emit_json_string(out, t->stem);
            put_json_score(out, &score);
            qi_strbuf_puts(out, "}");
        } else {
            put_text_row(out, t->stem, &score);
        }
        n++;
    }
    if (!n)
        return qi_fail(diag, QUIRE_ERR_NOT_FOUND,
                       "no result belongs to a truth; pairs are x.gt.txt or x.txt and x.txt, "
                       "x.ANY.txt or x.json");
    put_foot(out, values->json, &sum, n, truth, results);
    return out->failed ? qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out") : QUIRE_ERR_OK;
}

int qi_command_eval(int argc, char **argv) {
    eval_values values = {0};
    quire_diag diag;
    int first;
    qi_parse_result parsed =
        qi_options_parse(&qi_eval_options, argc, argv, &values, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    if (argc - first != 2) {
        qi_fail(&diag, QUIRE_ERR_USAGE,
                "eval takes two folders, TRUTH-DIR and RESULT-DIR; "
                "see quire eval --help");
        return qi_command_fail(&diag);
    }
    qi_eval_list truth = {0}, results = {0};
    qi_strbuf out = {0};
    quire_err err = qi_eval_list_truth(argv[first], &truth, &diag);
    if (!err) err = qi_eval_list_results(argv[first + 1], &results, &diag);
    if (!err) {
        qi_eval_pair(&truth, &results);
        err = score_all(&values, &truth, &results, &out, &diag);
        report_unmatched(&truth, "a truth without result");
        report_unmatched(&results, "a result without truth");
    }
    if (!err) fwrite(out.data, 1, out.length, stdout);
    qi_strbuf_done(&out);
    qi_eval_list_done(&truth);
    qi_eval_list_done(&results);
    return err ? qi_command_fail(&diag) : qi_finish_stdout();
}
