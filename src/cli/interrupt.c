/* The signal thread of interrupt.h. */
#include "cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct qi_interrupt {
    pthread_t thread;
    pthread_mutex_t lock;
    sigset_t signals;
    quire_reader *reader;
    int event_fd;         /* -1: none */
    const char **guarded; /* free places are NULL */
    size_t n_guarded;
    int signal;
};

/* SIGUSR2 is the way to stop the thread; nobody else is asked to send it. */
static void *wait_for_signals(void *context) {
    qi_interrupt *in = context;
    for (;;) {
        int signal = 0;
        if (sigwait(&in->signals, &signal)) continue;
        if (signal == SIGUSR2) return NULL;
        pthread_mutex_lock(&in->lock);
        if (in->signal || (!in->reader && in->event_fd < 0)) {
            for (size_t i = 0; i < in->n_guarded; i++)
                if (in->guarded[i]) unlink(in->guarded[i]);
            _exit(128 + signal);
        }
        in->signal = signal;
        if (in->reader) quire_reader_cancel(in->reader);
        if (in->event_fd >= 0) eventfd_write(in->event_fd, 1);
        pthread_mutex_unlock(&in->lock);
    }
}

/* nohup and shells' background jobs start us with signals ignored, and mean it. */
static void add_unless_ignored(sigset_t *set, int number) {
    struct sigaction now;
    if (!sigaction(number, NULL, &now) && now.sa_handler != SIG_IGN) sigaddset(set, number);
}

quire_err qi_interrupt_start(qi_interrupt **ret_interrupt, quire_diag *diag) {
    qi_interrupt *in = calloc(1, sizeof *in);
    if (!in) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    in->event_fd = -1;
    sigemptyset(&in->signals);
    add_unless_ignored(&in->signals, SIGINT);
    add_unless_ignored(&in->signals, SIGTERM);
    add_unless_ignored(&in->signals, SIGHUP);
    sigaddset(&in->signals, SIGUSR2);
    pthread_mutex_init(&in->lock, NULL);
    pthread_sigmask(SIG_BLOCK, &in->signals, NULL);
    if (pthread_create(&in->thread, NULL, wait_for_signals, in)) {
        pthread_mutex_destroy(&in->lock);
        free(in);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no thread could be started");
    }
    *ret_interrupt = in;
    return QUIRE_ERR_OK;
}

void qi_interrupt_stop(qi_interrupt *in) {
    if (!in) return;
    pthread_kill(in->thread, SIGUSR2);
    pthread_join(in->thread, NULL);
    pthread_mutex_destroy(&in->lock);
    free(in->guarded);
    free(in);
}

void qi_interrupt_watch(qi_interrupt *in, quire_reader *reader) {
    pthread_mutex_lock(&in->lock);
    in->reader = reader;
    pthread_mutex_unlock(&in->lock);
}

void qi_interrupt_watch_event(qi_interrupt *in, int event_fd) {
    pthread_mutex_lock(&in->lock);
    in->event_fd = event_fd;
    pthread_mutex_unlock(&in->lock);
}

/* A place for one more; NULL: no memory. */
static const char **free_place(qi_interrupt *in) {
    for (size_t i = 0; i < in->n_guarded; i++)
        if (!in->guarded[i]) return &in->guarded[i];
    const char **more = realloc(in->guarded, (in->n_guarded + 1) * sizeof *more);
    if (!more) return NULL;
    in->guarded = more;
    more[in->n_guarded] = NULL;
    return &more[in->n_guarded++];
}

int qi_interrupt_create(qi_interrupt *in, const char *path) {
    pthread_mutex_lock(&in->lock);
    const char **place = free_place(in);
    int fd = place ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    int e = place ? errno : ENOMEM;
    if (fd >= 0) *place = path;
    pthread_mutex_unlock(&in->lock);
    errno = e;
    return fd;
}

void qi_interrupt_drop(qi_interrupt *in, const char *path) {
    pthread_mutex_lock(&in->lock);
    for (size_t i = 0; i < in->n_guarded; i++)
        if (in->guarded[i] == path) in->guarded[i] = NULL;
    pthread_mutex_unlock(&in->lock);
}

int qi_interrupt_signal(qi_interrupt *in) {
    pthread_mutex_lock(&in->lock);
    int signal = in->signal;
    pthread_mutex_unlock(&in->lock);
    return signal;
}
