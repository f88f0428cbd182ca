/* Sums of run_totals.h. */
#include "cli/run_totals.h"

#include <string.h>

uint64_t qi_run_totals_settled(const qi_run_totals *t) {
    return t->n_done + t->n_failed + t->n_kept + t->n_skipped + t->n_cancelled + t->n_earlier;
}

uint64_t qi_timings_sum(const quire_timings *t) {
    return t->decode_ns + t->layout_ns + t->crop_ns + t->recognise_ns + t->text_ns + t->compose_ns;
}

void qi_timings_list(const quire_timings *t, qi_stage_time ret[QI_N_STAGES_SHOWN]) {
    const qi_stage_time stages[QI_N_STAGES_SHOWN] = {
        {"decode", t->decode_ns},       {"layout", t->layout_ns}, {"crop", t->crop_ns},
        {"recognise", t->recognise_ns}, {"text", t->text_ns},     {"compose", t->compose_ns}};
    memcpy(ret, stages, sizeof stages);
}
