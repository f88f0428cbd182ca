/* `quire plan`: from a measurement and a number of pages a day to cores, memory, machines, power
 * and cost. The arithmetic is in capacity.c. */
#include <stdio.h>

#include "cli/capacity.h"
#include "cli/capacity_table.h"
#include "cli/commands.h"

/* Prices and watts above this are mistakes. */
static const double most_peak = 1000, most_price = 1e5, most_watts = 1e5, least_price = 1e-6;

typedef struct plan_values {
    const char *from; /* NULL: none */
    bool json;
    qi_demand demand;
} plan_values;

static bool parse_peak(const char *text, void *field) {
    return qi_take_decimal(text, 1, most_peak, field);
}

static bool parse_utilisation(const char *text, void *field) {
    return qi_take_decimal(text, 0.01, 1, field);
}

static bool parse_spare(const char *text, void *field) {
    return qi_take_whole(text, 0, 1000, field);
}

static bool parse_watts(const char *text, void *field) {
    return qi_take_decimal(text, 0.1, most_watts, field);
}

static bool parse_price(const char *text, void *field) {
    return qi_take_decimal(text, least_price, most_price, field);
}

#define FIELD(name) offsetof(plan_values, name)

static const qi_option options[] = {
    {"pages-per-day", 0, "N", FIELD(demand.pages_per_day), qi_parse_count,
     "a number such as 1000000 or 1m", "pages to be read a day"},
    {"from", 0, "FILE", FIELD(from), qi_parse_string, "the name of a file, or -",
     "the measurement, as quire bench --json wrote it; - is stdin", .kind = QI_VALUE_FILE},
    {"peak", 0, "FACTOR", FIELD(demand.peak), parse_peak, "a number from 1 to 1000",
     "how many times the mean come at the busiest time", "2"},
    {"utilisation", 0, "SHARE", FIELD(demand.utilisation), parse_utilisation,
     "a share from 0.01 to 1", "share of the cores that shall be busy at the peak", "0.6"},
    {"cores-per-machine", 0, "N", FIELD(demand.cores_per_machine), qi_parse_jobs,
     "a number from 1 to 512", "cores of a machine", "those of the one measured"},
    {"spare", 0, "N", FIELD(demand.n_spare), parse_spare, "a number from 0 to 1000",
     "machines beyond what the load takes", "1"},
    {"watts", 0, "W", FIELD(demand.watts), parse_watts, "a number of watts from 0.1 to 100000",
     "what a machine draws"},
    {"price", 0, "PRICE", FIELD(demand.price), parse_price, "a price above 0, up to 100000",
     "price of a machine for an hour"},
    {"kwh-price", 0, "PRICE", FIELD(demand.kwh_price), parse_price, "a price above 0, up to 100000",
     "price of a kWh, where --price does not hold the energy"},
    {"json", 0, NULL, FIELD(json), qi_parse_flag, "yes or no", "print JSON instead of a table"},
};

static const qi_example examples[] = {
    {"quire plan --from bench.json --pages-per-day 1m --watts 200 --price 0.10",
     "the machines that a million pages a day take, by a measurement of quire bench"},
};

const qi_option_table qi_plan_options = {
    "plan",
    "work out machines, power and cost",
    "quire plan [options] --pages-per-day N --from FILE",
    "Works out how many cores and machines, how much memory and power a number of pages a day\n"
    "takes, and what that costs, from what quire bench has measured with documents of yours. "
    "Every\n"
    "number is printed with what it was made of.\n",
    options,
    sizeof options / sizeof *options,
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
};

static quire_err check(const plan_values *v, int n_operands, quire_diag *diag) {
    if (n_operands)
        return qi_fail(diag, QUIRE_ERR_USAGE, "plan takes options alone; see quire plan --help");
    if (!v->demand.pages_per_day)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "how many pages are to be read? Say it with --pages-per-day N");
    if (!v->from)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "a plan needs a measurement; make one of documents of yours with quire "
                       "bench --json bench.json FOLDER, and give it with --from bench.json");
    if (v->demand.kwh_price > 0 && !(v->demand.watts > 0))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "--kwh-price is about energy; say what a machine draws with --watts W");
    return QUIRE_ERR_OK;
}

static quire_err print(const plan_values *v, const qi_measured *m, const qi_capacity *c,
                       quire_diag *diag) {
    qi_strbuf out = {0};
    (v->json ? qi_capacity_put_json : qi_capacity_put_table)(&out, m, &v->demand, c);
    quire_err err =
        out.failed ? qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out") : QUIRE_ERR_OK;
    if (!err) fwrite(out.data, 1, out.length, stdout);
    qi_strbuf_done(&out);
    return err;
}

int qi_command_plan(int argc, char **argv) {
    plan_values v = {.demand = {.peak = 2, .utilisation = 0.6, .n_spare = 1}};
    quire_diag diag;
    int first;
    qi_parse_result parsed =
        qi_options_parse(&qi_plan_options, argc, argv, &v, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG || check(&v, argc - first, &diag)) return qi_command_fail(&diag);
    qi_measured measured;
    qi_capacity capacity;
    quire_err err = qi_measured_load(v.from, &measured, &diag);
    if (!err) err = qi_capacity_plan(&measured, &v.demand, &capacity, &diag);
    if (!err) err = print(&v, &measured, &capacity, &diag);
    return err ? qi_command_fail(&diag) : qi_finish_stdout();
}
