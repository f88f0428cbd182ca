/* The arithmetic of capacity.h. */
#include "cli/capacity.h"

#include <math.h>

static const double seconds_a_day = 86400, hours_a_day = 24, most_machines = 1e6;

static void add_cost(const qi_demand *d, qi_capacity *c) {
    c->kilowatts = (double)c->n_all * d->watts * 1e-3;
    c->kwh_per_day = c->kilowatts * hours_a_day;
    c->machines_per_day = (double)c->n_all * d->price * hours_a_day;
    c->energy_per_day = c->kwh_per_day * d->kwh_price;
    c->cost_per_day = c->machines_per_day + c->energy_per_day;
    c->cost_per_million = c->cost_per_day / (double)d->pages_per_day * 1e6;
}

quire_err qi_capacity_plan(const qi_measured *m, const qi_demand *d, qi_capacity *ret_capacity,
                           quire_diag *diag) {
    qi_capacity c = {0};
    c.mean_rate = (double)d->pages_per_day / seconds_a_day;
    c.peak_rate = c.mean_rate * d->peak;
    c.core_rate = m->pages_per_second / m->jobs;
    c.busy_cores = c.peak_rate / c.core_rate;
    c.cores = c.busy_cores / d->utilisation;
    c.cores_per_machine = d->cores_per_machine ? d->cores_per_machine : m->cores;
    const double machines = ceil(c.cores / c.cores_per_machine);
    if (machines + d->n_spare > most_machines)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "that takes %.3g machines of %u core%s; more than a million are not planned "
                       "(--pages-per-day, --peak, --utilisation, --cores-per-machine)",
                       machines, c.cores_per_machine, c.cores_per_machine == 1 ? "" : "s");
    c.n_machines = (uint64_t)machines;
    c.n_all = c.n_machines + d->n_spare;
    c.peak_load = c.busy_cores / (machines * c.cores_per_machine);
    c.mean_load = c.peak_load / d->peak;
    c.measured_bytes = (double)m->peak_bytes;
    c.machine_bytes = c.measured_bytes * fmax(1, (double)c.cores_per_machine / m->jobs);
    add_cost(d, &c);
    *ret_capacity = c;
    return QUIRE_ERR_OK;
}
