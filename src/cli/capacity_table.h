/* A plan of capacity for people and for programs (docs/cli.md: schema quire-plan/1). */
#ifndef QI_CLI_CAPACITY_TABLE_H
#define QI_CLI_CAPACITY_TABLE_H

#include "base/strbuf.h"
#include "cli/capacity.h"

#define QI_PLAN_SCHEMA "quire-plan/1"

/* Every number stands beside what it was made of. */
void qi_capacity_put_table(qi_strbuf *out, const qi_measured *measured, const qi_demand *demand,
                           const qi_capacity *capacity);
void qi_capacity_put_json(qi_strbuf *out, const qi_measured *measured, const qi_demand *demand,
                          const qi_capacity *capacity);

#endif
