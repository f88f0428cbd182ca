/* `quire bench`: how fast this machine reads the user's own documents, and with what. The list of
 * documents is made first and read whole, as `quire run` would read it, without results: once to
 * warm up, then in rounds. A short list is read several times in each round, so that a round is
 * long enough to mean something, and every time anew. At last a round with one job tells what the
 * others add. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/measurement.h"
#include "cli/process_tree.h"
#include "cli/report_file.h"
#include "cli/run_inputs.h"

/* The shortest round. The longest that one job may take, by what all of them took. */
static const double round_s = 2, one_job_s = 60;

typedef struct bench_values {
    qi_reading_options reading;
    uint32_t n_rounds;
    const char *json; /* NULL: none */
} bench_values;

static bool parse_rounds(const char *text, void *field) {
    return qi_take_whole(text, 1, QI_MAX_ROUNDS, field);
}

#define FIELD(name) offsetof(bench_values, name)

static const qi_option options[] = {
    {"rounds", 0, "N", FIELD(n_rounds), parse_rounds, "a number from 1 to 100",
     "how often to measure, after a warm-up", "3"},
    {"json", 0, "FILE", FIELD(json), qi_parse_string, "the name of a file",
     "write all that was measured to FILE, as JSON (quire plan --from FILE)",
     .kind = QI_VALUE_FILE},
#include "cli/reading_options.def"
};

static const qi_example examples[] = {
    {"quire bench --json bench.json scans/", "how fast the documents of a folder are read here"},
};

const qi_option_table qi_bench_options = {
    "bench",
    "measure how fast documents are read here",
    "quire bench [options] [inputs…]",
    "Measures how fast documents of yours are read on this machine, without writing results: "
    "pages\n"
    "a second, processor time, latency, memory. Inputs are files and folders. They are read once "
    "to\n"
    "warm up, then in rounds of two seconds or more, then by one job alone where that is quick.\n",
    options,
    sizeof options / sizeof *options,
    .operands = QI_VALUE_FILE,
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
};

typedef struct bench {
    bench_values values;
    qi_interrupt *interrupt;
    qi_report_file file;
    bool file_open;
    qi_plan list;
    qi_measurement measured;
    int status; /* exit status of documents that failed */
} bench;

static void note_failure(bench *b, const quire_diag *diag) {
    fprintf(stderr, "quire: %s\n", diag->text);
    b->status = qi_exit_status_join(b->status, diag->code);
}

static quire_err check(const qi_reading_options *reading, int n_inputs, char **inputs,
                       quire_diag *diag) {
    if (!n_inputs && !reading->files_from)
        return qi_fail(diag, QUIRE_ERR_USAGE, "there is nothing to read; name files or folders");
    for (int i = 0; i < n_inputs; i++)
        if (!strcmp(inputs[i], "-"))
            return qi_fail(diag, QUIRE_ERR_USAGE,
                           "standard input can be read once, and a measurement reads several "
                           "times; name files or folders");
    return qi_reading_options_check(reading, n_inputs, inputs, diag);
}

/* What is read several times must be there several times. */
static quire_err check_input(const char *path, quire_diag *diag) {
    char shown[300];
    struct stat st;
    if (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "%s: no file that can be read several times, as a measurement does",
                       qi_printable(shown, sizeof shown, path));
    return QUIRE_ERR_OK;
}

static quire_err list_inputs(bench *b, int n_operands, char **operands, quire_diag *diag) {
    const qi_inputs_options from = {.operands = operands,
                                    .n_operands = n_operands,
                                    .files_from = b->values.reading.files_from,
                                    .recursive = b->values.reading.recursive};
    qi_inputs *inputs = NULL;
    quire_err err = qi_inputs_open(&from, &inputs, diag);
    qi_input input;
    qi_inputs_step step;
    while (!err && (step = qi_inputs_next(inputs, &input, diag)) != QI_INPUTS_END) {
        if (step == QI_INPUTS_ERROR)
            note_failure(b, diag);
        else if (!(err = check_input(input.path, diag)) && qi_plan_add(&b->list, &input))
            err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out for the list of inputs");
    }
    qi_inputs_close(inputs);
    if (!err && !b->list.n && !b->status)
        err = qi_fail(diag, QUIRE_ERR_NOT_FOUND, "the folders hold no documents");
    return err;
}

static void tell(const char *what, const qi_reading_time *t) {
    fprintf(stderr, "quire: %s: %llu page%s, %.1f s, %.1f pages/s\n", what,
            (unsigned long long)t->n_pages, t->n_pages == 1 ? "" : "s", t->seconds,
            qi_reading_rate(t));
}

static quire_err read_list(bench *b, quire_reader *reader, uint32_t n_passes, qi_run_totals *totals,
                           int *status, qi_reading_time *ret_time, quire_diag *diag) {
    quire_err err = qi_timed_reading_run(reader, &b->values.reading.request, &b->list, n_passes,
                                         totals, status, ret_time, diag);
    if (!err && qi_interrupt_signal(b->interrupt))
        err = qi_fail(diag, QUIRE_ERR_CANCELLED, "interrupted");
    return err;
}

/* Reads the list once, which is what its documents' fates are told by, then so often that a round
 * is long enough. A list of which no page can be read ends the measurement. */
static quire_err warm_up(bench *b, quire_reader *reader, qi_run_totals *once, int *status,
                         uint32_t *ret_passes, quire_diag *diag) {
    qi_reading_time time;
    uint32_t n_passes = 1;
    quire_err err = read_list(b, reader, n_passes, once, status, &time, diag);
    if (!err && !once->n_pages)
        return qi_fail(diag, QUIRE_ERR_NOT_FOUND,
                       "no page could be read; there is nothing to measure");
    while (!err && time.seconds < round_s) {
        qi_run_totals unused = {0};
        n_passes = (uint32_t)ceil(n_passes * fmin(10, 1.2 * round_s / time.seconds));
        err = read_list(b, reader, n_passes, &unused, NULL, &time, diag);
    }
    if (err) return err;
    tell("warm-up", &time);
    *ret_passes = n_passes;
    return QUIRE_ERR_OK;
}

static quire_err open_reader(bench *b, const quire_options *o, quire_reader **ret_reader,
                             quire_diag *diag) {
    quire_err err = quire_reader_open(o, ret_reader, diag);
    if (!err) qi_interrupt_watch(b->interrupt, *ret_reader);
    return err;
}

static void close_reader(bench *b, quire_reader *reader) {
    qi_interrupt_watch(b->interrupt, NULL);
    quire_reader_close(reader);
}

static quire_err measure_rounds(bench *b, quire_reader *reader, quire_diag *diag) {
    qi_measurement *m = &b->measured;
    quire_err err = warm_up(b, reader, &m->once, &b->status, &m->n_passes, diag);
    while (!err && m->n_rounds < b->values.n_rounds) {
        char what[40];
        qi_reading_time *time = &m->round[m->n_rounds];
        err = read_list(b, reader, m->n_passes, &m->rounds, NULL, time, diag);
        if (err) break;
        snprintf(what, sizeof what, "round %u of %u", ++m->n_rounds, b->values.n_rounds);
        tell(what, time);
    }
    return err;
}

static quire_err measure(bench *b, quire_diag *diag) {
    quire_reader *reader = NULL;
    quire_err err = open_reader(b, &b->values.reading.reader, &reader, diag);
    if (err) return err;
    qi_process_tree *tree = qi_process_tree_watch();
    err = qi_measurement_init(&b->values.reading, reader, &b->measured, diag);
    if (!err) err = measure_rounds(b, reader, diag);
    b->measured.peak_bytes = qi_process_tree_peak_bytes(tree);
    qi_process_tree_free(tree);
    close_reader(b, reader);
    return err;
}

/* One round with one job, unless it would take long. */
static quire_err measure_one_job(bench *b, quire_diag *diag) {
    qi_measurement *m = &b->measured;
    if (m->rounds.cores == 1) return QUIRE_ERR_OK;
    m->one_job_seconds = (double)m->round[0].cpu_ns * 1e-9 / m->n_passes;
    if (m->one_job_seconds > one_job_s) return QUIRE_ERR_OK;
    quire_options o = b->values.reading.reader;
    o.jobs = 1;
    quire_reader *reader = NULL;
    quire_err err = open_reader(b, &o, &reader, diag);
    if (err) return err;
    qi_run_totals unused = {0};
    uint32_t n_passes;
    err = warm_up(b, reader, &unused, NULL, &n_passes, diag);
    if (!err) err = read_list(b, reader, n_passes, &unused, NULL, &m->one_job, diag);
    if (!err) tell("one job", &m->one_job);
    close_reader(b, reader);
    return err;
}

/* The table on stdout, the JSON in its file. */
static quire_err put_out(bench *b, quire_diag *diag) {
    qi_strbuf table = {0}, json = {0};
    quire_err err = QUIRE_ERR_OK;
    qi_measurement_put_table(&table, &b->measured);
    if (b->file_open) {
        qi_measurement_put_json(&json, &b->measured, b->status);
        qi_report_file_write(&b->file, &json);
        err = qi_report_file_commit(&b->file, diag);
    }
    if (table.failed)
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    else
        fwrite(table.data, 1, table.length, stdout);
    qi_strbuf_done(&table);
    qi_strbuf_done(&json);
    return err;
}

static quire_err work(bench *b, int n_operands, char **operands, quire_diag *diag) {
    quire_err err = qi_interrupt_start(&b->interrupt, diag);
    if (!err) err = list_inputs(b, n_operands, operands, diag);
    if (!err && b->values.json) {
        err = qi_report_file_open(b->values.json, "measurement", b->interrupt, &b->file, diag);
        b->file_open = !err;
    }
    if (!err) err = measure(b, diag);
    if (!err) err = measure_one_job(b, diag);
    return err ? err : put_out(b, diag);
}

static int finish(const bench *b, quire_err err, const quire_diag *diag) {
    const int signal = b->interrupt ? qi_interrupt_signal(b->interrupt) : 0;
    if (err == QUIRE_ERR_CANCELLED && signal) {
        fprintf(stderr, "quire: interrupted; nothing was measured\n");
        return 128 + signal;
    }
    if (!err) {
        const int status = qi_finish_stdout();
        return status ? status : b->status;
    }
    fprintf(stderr, "quire: %s\n", diag->text);
    return err == QUIRE_ERR_NOT_FOUND && b->status ? b->status : quire_err_exit_status(err);
}

int qi_command_bench(int argc, char **argv) {
    bench b = {0};
    quire_diag diag;
    int first;
    qi_reading_options_init(&b.values.reading);
    b.values.reading.reader.anew = true;
    b.values.n_rounds = 3;
    qi_parse_result parsed =
        qi_options_parse(&qi_bench_options, argc, argv, &b.values, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG || check(&b.values.reading, argc - first, argv + first, &diag))
        return qi_command_fail(&diag);
    quire_err err = work(&b, argc - first, argv + first, &diag);
    const int status = finish(&b, err, &diag);
    if (b.file_open) qi_report_file_discard(&b.file);
    qi_measurement_done(&b.measured);
    qi_plan_done(&b.list);
    qi_interrupt_stop(b.interrupt);
    return status;
}
