/* How many cores and machines a number of pages a day takes, and what these draw and cost: by the
 * utilisation law, cores = pages a second / pages a second of a core / utilisation. Pure. */
#ifndef QI_CLI_CAPACITY_H
#define QI_CLI_CAPACITY_H

#include "cli/measured.h"

typedef struct qi_demand {
    uint64_t pages_per_day;     /* above 0 */
    double peak;                /* pages at the busiest time / on average; at least 1 */
    double utilisation;         /* of the cores at the peak; above 0, at most 1 */
    uint32_t cores_per_machine; /* 0: as measured */
    uint32_t n_spare;           /* machines beyond what the load takes */
    double watts;               /* of a machine; 0: not given, as below */
    double price;               /* of a machine for an hour */
    double kwh_price;
} qi_demand;

typedef struct qi_capacity {
    double mean_rate, peak_rate, core_rate; /* pages a second: wanted, and of a core */
    double busy_cores;                      /* at the peak */
    double cores;                           /* of which these are the utilisation */
    uint32_t cores_per_machine;
    uint64_t n_machines;                  /* without the spare ones */
    uint64_t n_all;                       /* with them */
    double peak_load, mean_load;          /* busy share of the machines without the spare ones */
    double measured_bytes, machine_bytes; /* memory: of the machine measured, of one planned */
    double kilowatts, kwh_per_day;
    double machines_per_day, energy_per_day, cost_per_day; /* prices' currency */
    double cost_per_million;                               /* pages */
} qi_capacity;

/* A machine of more cores than were measured is taken to read as much more and to take as much more
 * memory; one of fewer, as much less and the same memory. USAGE: more than a million machines. */
quire_err qi_capacity_plan(const qi_measured *measured, const qi_demand *demand,
                           qi_capacity *ret_capacity, quire_diag *diag);

#endif
