/* Sampling and judging of the load; see load.h. */
#include "service/load.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

const char *const qi_bottleneck_names[QI_N_BOTTLENECKS] = {"none", "cores", "store", "memory",
                                                           "reading"};
const char *const qi_bottleneck_advice[QI_N_BOTTLENECKS] = {
    "nothing waits",
    "all cores compute: give the service more cores (--jobs), or send less",
    "changes wait for the disk: put the data folder (--data) on a faster one",
    "pages wait for memory while cores are idle: allow more (--memory)",
    ("documents wait for those being read while cores are idle: decoding is slow, or few long ones "
     "are read; more cores (--jobs) let more be decoded at a time"),
};

/* Shares from which on something is taken for full. */
#define FULL 0.85

struct qi_load {
    pthread_mutex_t lock;
    uint64_t at_ns, pages, ledger_ns;
    double cpu_s;
    quire_timings timings;
    qi_load_state state;
};

qi_load *qi_load_new(void) {
    qi_load *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    pthread_mutex_init(&l->lock, NULL);
    l->state.stage = "none";
    return l;
}

void qi_load_free(qi_load *l) {
    if (!l) return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static double cpu_seconds(void) {
    double seconds = 0;
    const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (int i = 0; i < 2; i++) {
        struct rusage u;
        if (getrusage(whose[i], &u)) continue;
        seconds += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                   (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    }
    return seconds;
}

static const char *busiest(const quire_timings *now, const quire_timings *before) {
    const struct {
        const char *name;
        uint64_t ns;
    } stages[] = {
        {"decode", now->decode_ns - before->decode_ns},
        {"layout", now->layout_ns - before->layout_ns},
        {"crop", now->crop_ns - before->crop_ns},
        {"recognise", now->recognise_ns - before->recognise_ns},
        {"text", now->text_ns - before->text_ns},
        {"compose", now->compose_ns - before->compose_ns},
    };
    size_t most = 0;
    for (size_t i = 1; i < sizeof stages / sizeof *stages; i++)
        if (stages[i].ns > stages[most].ns) most = i;
    return stages[most].ns ? stages[most].name : "none";
}

static double share(double part, double whole) {
    return whole <= 0 ? 0 : part < 0 ? 0 : part > whole ? 1 : part / whole;
}

void qi_load_sample(qi_load *l, qi_worker *worker, qi_ledger *ledger) {
    quire_progress p;
    qi_ledger_counts c;
    quire_reader_progress(qi_worker_reader(worker), &p);
    qi_ledger_count(ledger, &c);
    const uint64_t now_ns = qi_clock_ns();
    const double cpu_s = cpu_seconds();
    pthread_mutex_lock(&l->lock);
    const double seconds = (double)(now_ns - l->at_ns) / 1e9;
    if (l->at_ns)
        l->state = (qi_load_state){
            .cores_busy = share(cpu_s - l->cpu_s, seconds * p.jobs),
            .ledger_busy = share((double)(c.busy_ns - l->ledger_ns) / 1e9, seconds),
            .pages_per_s = (double)(p.pages_done - l->pages) / seconds,
            .core_s_per_page = p.pages_done ? cpu_s / (double)p.pages_done : 0,
            .stage = busiest(&p.timings, &l->timings),
        };
    l->at_ns = now_ns;
    l->cpu_s = cpu_s;
    l->pages = p.pages_done;
    l->ledger_ns = c.busy_ns;
    l->timings = p.timings;
    pthread_mutex_unlock(&l->lock);
}

void qi_load_view(qi_load *l, qi_load_state *ret) {
    pthread_mutex_lock(&l->lock);
    *ret = l->state;
    pthread_mutex_unlock(&l->lock);
}

qi_bottleneck qi_load_bottleneck(const qi_load_state *load, uint64_t n_queued,
                                 const qi_worker_counts *worker, const quire_progress *reader) {
    if (!n_queued) return QI_BOTTLENECK_NONE;
    if (load->cores_busy >= FULL) return QI_BOTTLENECK_CORES;
    if (load->ledger_busy >= FULL || worker->n_documents < worker->max_documents)
        return QI_BOTTLENECK_STORE;
    if ((double)reader->bytes_in_flight >= FULL * (double)reader->bytes_budget)
        return QI_BOTTLENECK_MEMORY;
    return QI_BOTTLENECK_READING;
}
