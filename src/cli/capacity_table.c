/* The views of capacity_table.h. */
#include "cli/capacity_table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/json_fields.h"
#include "cli/measurement.h"
#include "output/emit.h"

static const double days_a_year = 365;

/* What the reader of a plan should know of its measurement. */
enum { N_NOTES = 3, NOTE_BYTES = 300 };

/* Above this difference of its rounds a measurement was disturbed. */
static const double most_spread = 0.1;

/* Fills the notes that apply, returns how many. */
static size_t make_notes(const qi_measured *m, const qi_capacity *c,
                         char notes[N_NOTES][NOTE_BYTES]) {
    size_t n = 0;
    const double spread = (m->most - m->least) / m->pages_per_second;
    if (m->cores_busy < QI_LEAST_BUSY * m->jobs)
        snprintf(notes[n++], NOTE_BYTES,
                 "only %.2f of %u cores were busy in the measurement: other programs ran beside "
                 "it, or there were few pages; by the time that cores were busy it would be %.2f "
                 "cores",
                 m->cores_busy, m->jobs, c->cores * m->cores_busy / m->jobs);
    if (spread > most_spread)
        snprintf(notes[n++], NOTE_BYTES,
                 "the rounds of the measurement differ by %.0f %%; measure when nothing else runs",
                 100 * spread);
    if (c->cores_per_machine > m->jobs)
        snprintf(notes[n++], NOTE_BYTES,
                 "%u cores of a machine are taken to read %.1f times what %u did; measure on such "
                 "a machine to know",
                 c->cores_per_machine, (double)c->cores_per_machine / m->jobs, m->jobs);
    return n;
}

/* ---- the table ---- */

typedef struct number {
    char text[56];
} number;

/* With commas between thousands. */
static number with_digits(double value, int digits) {
    char plain[40];
    number r;
    snprintf(plain, sizeof plain, "%.*f", digits, value);
    const size_t n = strcspn(plain, ".");
    char *at = r.text;
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) *at++ = ',';
        *at++ = plain[i];
    }
    memcpy(at, plain + n, strlen(plain + n) + 1);
    return r;
}

static number amount(double value) {
    return with_digits(value, value < 0.1 ? 4 : value < 100 ? 2 : value < 1000 ? 1 : 0);
}

static number count(double value) {
    return with_digits(value, 0);
}

static number money(double value) {
    return with_digits(value, 2);
}

static void put_row(qi_strbuf *out, const char *label, number value, const char *unit,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A value with its unit, and what it was made of. */
static void put_row(qi_strbuf *out, const char *label, number value, const char *unit,
                    const char *format, ...) {
    char origin[200];
    va_list args;
    va_start(args, format);
    vsnprintf(origin, sizeof origin, format, args);
    va_end(args);
    qi_strbuf_printf(out, "  %-20s %14s %-3s   %s\n", label, value.text, unit, origin);
}

static void put_measurement(qi_strbuf *out, const qi_measured *m) {
    qi_strbuf_puts(out, "measured\n");
    qi_strbuf_printf(out, "  %s, %s, %u core%s\n", m->cpu, m->level, m->cores,
                     m->cores == 1 ? "" : "s");
    qi_strbuf_printf(out, "  quire %s, %s, %s page%s\n", m->version, m->languages,
                     count((double)m->n_pages).text, m->n_pages == 1 ? "" : "s");
    put_row(out, "pages/s", amount(m->pages_per_second), "", "%u job%s; least %s, most %s", m->jobs,
            m->jobs == 1 ? "" : "s", amount(m->least).text, amount(m->most).text);
    if (m->one_job_per_second > 0)
        put_row(out, "pages/s, one job", amount(m->one_job_per_second), "",
                "%u jobs are %.2f times as fast", m->jobs,
                m->pages_per_second / m->one_job_per_second);
    put_row(out, "cores busy", amount(m->cores_busy), "", "of %u", m->jobs);
}

static void put_demand(qi_strbuf *out, const qi_demand *d, const qi_capacity *c) {
    qi_strbuf_puts(out, "\nwanted\n");
    put_row(out, "pages a day", count((double)d->pages_per_day), "", "--pages-per-day");
    put_row(out, "pages/s on average", amount(c->mean_rate), "", "%s / 86,400 s",
            count((double)d->pages_per_day).text);
    put_row(out, "pages/s at the peak", amount(c->peak_rate), "", "%s x %g (--peak)",
            amount(c->mean_rate).text, d->peak);
}

static void put_cores(qi_strbuf *out, const qi_measured *m, const qi_demand *d,
                      const qi_capacity *c) {
    qi_strbuf_puts(out, "\ncores\n");
    put_row(out, "pages/s of a core", amount(c->core_rate), "", "%s / %u, as measured",
            amount(m->pages_per_second).text, m->jobs);
    put_row(out, "busy at the peak", amount(c->busy_cores), "", "%s / %s",
            amount(c->peak_rate).text, amount(c->core_rate).text);
    put_row(out, "cores", amount(c->cores), "", "%s / %g (--utilisation)",
            amount(c->busy_cores).text, d->utilisation);
}

static void put_machines(qi_strbuf *out, const qi_demand *d, const qi_capacity *c) {
    const double n_cores = (double)c->n_machines * c->cores_per_machine;
    const char *aside = d->n_spare ? ", the spare aside" : "";
    qi_strbuf_puts(out, "\nmachines\n");
    put_row(out, "cores of a machine", count(c->cores_per_machine), "", "%s",
            d->cores_per_machine ? "--cores-per-machine" : "as measured (--cores-per-machine)");
    put_row(out, "machines", count((double)c->n_all), "",
            "%s / %u, rounded up, and %u spare (--spare)", amount(c->cores).text,
            c->cores_per_machine, d->n_spare);
    put_row(out, "busy at the peak", count(100 * c->peak_load), "%", "%s of %s cores%s",
            amount(c->busy_cores).text, count(n_cores).text, aside);
    put_row(out, "busy on average", count(100 * c->mean_load), "%", "%s of %s cores%s",
            amount(c->busy_cores / d->peak).text, count(n_cores).text, aside);
    if (c->machine_bytes > 0)
        put_row(out, "memory of a machine", count(ceil(c->machine_bytes * 1e-6)), "MB",
                "for Quire, the most that was measured%s",
                c->machine_bytes > c->measured_bytes ? ", times the cores" : "");
}

static void put_power(qi_strbuf *out, const qi_demand *d, const qi_capacity *c) {
    if (!(d->watts > 0)) return;
    qi_strbuf_puts(out, "\npower\n");
    put_row(out, "power", amount(c->kilowatts), "kW", "%s x %g W (--watts)",
            count((double)c->n_all).text, d->watts);
    put_row(out, "energy a day", amount(c->kwh_per_day), "kWh", "%s kW x 24 h",
            amount(c->kilowatts).text);
}

static void put_cost(qi_strbuf *out, const qi_demand *d, const qi_capacity *c) {
    if (!(c->cost_per_day > 0)) return;
    qi_strbuf_puts(out, "\ncost\n");
    if (d->price > 0)
        put_row(out, "machines a day", money(c->machines_per_day), "", "%s x %g (--price) x 24 h",
                count((double)c->n_all).text, d->price);
    if (d->kwh_price > 0)
        put_row(out, "energy a day", money(c->energy_per_day), "", "%s kWh x %g (--kwh-price)",
                amount(c->kwh_per_day).text, d->kwh_price);
    if (d->price > 0 && d->kwh_price > 0)
        put_row(out, "a day", money(c->cost_per_day), "", "%s + %s",
                money(c->machines_per_day).text, money(c->energy_per_day).text);
    put_row(out, "a year", money(c->cost_per_day * days_a_year), "", "%s x 365",
            money(c->cost_per_day).text);
    put_row(out, "a million pages", money(c->cost_per_million), "", "%s / %s pages",
            money(c->cost_per_day).text, count((double)d->pages_per_day).text);
}

void qi_capacity_put_table(qi_strbuf *out, const qi_measured *m, const qi_demand *d,
                           const qi_capacity *c) {
    char notes[N_NOTES][NOTE_BYTES];
    const size_t n_notes = make_notes(m, c, notes);
    put_measurement(out, m);
    put_demand(out, d, c);
    put_cores(out, m, d, c);
    put_machines(out, d, c);
    put_power(out, d, c);
    put_cost(out, d, c);
    qi_strbuf_puts(out, "\nassumed\n"
                        "  pages like those measured, on cores like those measured\n"
                        "  pages that come all day and night, at the peak --peak times the mean\n");
    if (d->watts > 0 || d->price > 0)
        qi_strbuf_puts(out, "  machines, the spare ones too, that run day and night\n");
    for (size_t i = 0; i < n_notes; i++)
        qi_strbuf_printf(out, "%snote: %s\n", i ? "" : "\n", notes[i]);
}

/* ---- JSON ---- */

static void put_number(qi_strbuf *out, const char *key, double value) {
    qi_emit_key(out, key);
    if (value < 1e9)
        qi_emit_fixed(out, value, 6);
    else
        qi_emit_int(out, (int64_t)llround(value));
}

/* null for what was not given. */
static void put_given(qi_strbuf *out, const char *key, double value, bool given) {
    if (given)
        put_number(out, key, value);
    else
        qi_json_put_string(out, key, NULL);
}

static void put_inputs(qi_strbuf *out, const qi_measured *m, const qi_demand *d,
                       const qi_capacity *c) {
    qi_json_open(out, "inputs");
    qi_json_put_count(out, "pages_per_day", d->pages_per_day);
    put_number(out, "peak", d->peak);
    put_number(out, "utilisation", d->utilisation);
    qi_json_put_count(out, "cores_per_machine", c->cores_per_machine);
    qi_json_put_count(out, "spare", d->n_spare);
    put_given(out, "watts", d->watts, d->watts > 0);
    put_given(out, "price", d->price, d->price > 0);
    put_given(out, "kwh_price", d->kwh_price, d->kwh_price > 0);
    qi_strbuf_puts(out, "}");
    qi_json_open(out, "measured");
    qi_json_put_string(out, "version", m->version);
    qi_json_put_string(out, "language", m->languages);
    qi_json_put_string(out, "cpu", m->cpu);
    qi_json_put_string(out, "level", m->level);
    qi_json_put_count(out, "cores", m->cores);
    qi_json_put_count(out, "jobs", m->jobs);
    qi_json_put_count(out, "pages", m->n_pages);
    put_number(out, "pages_per_second", m->pages_per_second);
    put_given(out, "pages_per_second_of_one_job", m->one_job_per_second, m->one_job_per_second > 0);
    put_number(out, "cores_busy", m->cores_busy);
    qi_json_put_choice(out, "peak_memory_bytes", m->peak_bytes);
    qi_strbuf_puts(out, "}");
}

static void put_capacity(qi_strbuf *out, const qi_demand *d, const qi_capacity *c) {
    const bool has_cost = c->cost_per_day > 0;
    qi_json_open(out, "pages_per_second");
    put_number(out, "mean", c->mean_rate);
    put_number(out, "peak", c->peak_rate);
    put_number(out, "per_core", c->core_rate);
    qi_strbuf_puts(out, "}");
    put_number(out, "busy_cores", c->busy_cores);
    put_number(out, "cores", c->cores);
    qi_json_put_count(out, "machines", c->n_all);
    put_number(out, "peak_load", c->peak_load);
    put_number(out, "mean_load", c->mean_load);
    qi_json_put_choice(out, "machine_memory_bytes", (uint64_t)ceil(c->machine_bytes));
    put_given(out, "kilowatts", c->kilowatts, d->watts > 0);
    put_given(out, "kwh_per_day", c->kwh_per_day, d->watts > 0);
    put_given(out, "machines_cost_per_day", c->machines_per_day, d->price > 0);
    put_given(out, "energy_cost_per_day", c->energy_per_day, d->kwh_price > 0);
    put_given(out, "cost_per_day", c->cost_per_day, has_cost);
    put_given(out, "cost_per_year", c->cost_per_day * days_a_year, has_cost);
    put_given(out, "cost_per_million_pages", c->cost_per_million, has_cost);
}

void qi_capacity_put_json(qi_strbuf *out, const qi_measured *m, const qi_demand *d,
                          const qi_capacity *c) {
    char notes[N_NOTES][NOTE_BYTES];
    const size_t n_notes = make_notes(m, c, notes);
    qi_strbuf_puts(out, "{");
    qi_json_put_string(out, "schema", QI_PLAN_SCHEMA);
    put_inputs(out, m, d, c);
    put_capacity(out, d, c);
    qi_emit_key(out, "notes");
    qi_strbuf_puts(out, "[");
    for (size_t i = 0; i < n_notes; i++) {
        qi_strbuf_puts(out, i ? "," : "");
        qi_emit_json_string(out, notes[i]);
    }
    qi_strbuf_puts(out, "]}\n");
}
