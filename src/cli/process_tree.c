/* Reading /proc; see process_tree.h. The helpers are our only children, and have none. */
#include "cli/process_tree.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* The kernel walks all pages of a process to tell its proportional share, some milliseconds: looked
 * at twice a second, or so seldom that it takes a five-hundredth of a core. */
enum { LEAST_PERIOD_NS = 500000000, MOST_SHARE = 500 };

struct qi_process_tree {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    uint64_t peak_bytes;
    bool stop;
};

/* Calls visit for each child; the kernel lists them by the thread that forked them. */
static void visit_children(void (*visit)(const char *process, void *context), void *context) {
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) return;
    for (struct dirent *task; (task = readdir(tasks));) {
        char path[320], child[32], process[64];
        snprintf(path, sizeof path, "/proc/self/task/%s/children", task->d_name);
        FILE *list = task->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (!list) continue;
        while (fscanf(list, "%31s", child) == 1) {
            snprintf(process, sizeof process, "/proc/%s", child);
            visit(process, context);
        }
        fclose(list);
    }
    closedir(tasks);
}

static FILE *open_file(const char *process, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", process, name);
    return fopen(path, "re");
}

/* The proportional set size; of a process that does not let us see it, what it shares with nobody.
 */
static void add_memory(const char *process, void *context) {
    uint64_t *sum = context;
    unsigned long long kilobytes, resident, shared;
    char line[256];
    FILE *f = open_file(process, "smaps_rollup");
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f))
        found = sscanf(line, "Pss: %llu kB", &kilobytes) == 1;
    if (f) fclose(f);
    if (found) *sum += kilobytes * 1024;
    f = found ? NULL : open_file(process, "statm");
    if (!f) return;
    if (fscanf(f, "%*s %llu %llu", &resident, &shared) == 2 && resident > shared)
        *sum += (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
    fclose(f);
}

static void measure(qi_process_tree *t) {
    uint64_t bytes = 0;
    add_memory("/proc/self", &bytes);
    visit_children(add_memory, &bytes);
    pthread_mutex_lock(&t->lock);
    if (bytes > t->peak_bytes) t->peak_bytes = bytes;
    pthread_mutex_unlock(&t->lock);
}

static void *watch(void *context) {
    qi_process_tree *t = context;
    uint64_t period_ns = LEAST_PERIOD_NS;
    pthread_mutex_lock(&t->lock);
    while (!t->stop) {
        const uint64_t at = qi_clock_ns() + period_ns;
        const struct timespec until = {(time_t)(at / 1000000000), (long)(at % 1000000000)};
        pthread_cond_timedwait(&t->wake, &t->lock, &until);
        if (t->stop) break;
        pthread_mutex_unlock(&t->lock);
        const uint64_t from = qi_clock_ns();
        measure(t);
        period_ns = (qi_clock_ns() - from) * MOST_SHARE;
        if (period_ns < LEAST_PERIOD_NS) period_ns = LEAST_PERIOD_NS;
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

qi_process_tree *qi_process_tree_watch(void) {
    qi_process_tree *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, &clock);
    pthread_condattr_destroy(&clock);
    if (!pthread_create(&t->thread, NULL, watch, t)) return t;
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
    return NULL;
}

void qi_process_tree_free(qi_process_tree *t) {
    if (!t) return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

uint64_t qi_process_tree_peak_bytes(qi_process_tree *t) {
    if (!t) return 0;
    measure(t);
    pthread_mutex_lock(&t->lock);
    const uint64_t bytes = t->peak_bytes;
    pthread_mutex_unlock(&t->lock);
    return bytes;
}

static void add_ticks(const char *process, void *context) {
    uint64_t *sum = context;
    unsigned long long user, system;
    char line[1024];
    FILE *f = open_file(process, "stat");
    size_t n = f ? fread(line, 1, sizeof line - 1, f) : 0;
    if (f) fclose(f);
    line[n] = 0;
    const char *end = strrchr(line, ')'); /* of the name, which may hold anything */
    if (end && sscanf(end + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &user,
                      &system) == 2)
        *sum += (user + system) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

static uint64_t usage_ns(int who) {
    struct rusage u;
    if (getrusage(who, &u)) return 0;
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u;
}

uint64_t qi_process_tree_cpu_ns(void) {
    uint64_t ns = usage_ns(RUSAGE_SELF) + usage_ns(RUSAGE_CHILDREN);
    visit_children(add_ticks, &ns);
    return ns;
}
