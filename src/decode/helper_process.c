/* Starting, talking to and ending the helper; see helper_process.h. posix_spawn, since the parent
 * has threads; a deadline is kept by killing, since a codec cannot be asked to stop. */
#include "decode/helper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "decode/sanitized.h"

#define START_NS   UINT64_C(10000000000)
#define BASE_BYTES (UINT64_C(96) << 20)   /* libraries' data, codecs' tables and small buffers */
#define CPU_NS     UINT64_C(600000000000) /* where the caller has no deadline */
#define REACT_MS   50                     /* a cancel flag is seen within this */

static int spawn(const char *path, qi_helper_kind kind, bool is_template, int socket,
                 pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int e = posix_spawn_file_actions_init(&actions);
    if (e) return e;
    e = posix_spawnattr_init(&attributes);
    if (e) {
        posix_spawn_file_actions_destroy(&actions);
        return e;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    e = posix_spawn_file_actions_adddup2(&actions, socket, QI_HELPER_SOCKET);
    for (int fd = 0; fd < QI_HELPER_SOCKET && !e; fd++)
        e = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    if (!e) e = posix_spawn_file_actions_addclosefrom_np(&actions, QI_HELPER_SOCKET + 1);
    if (!e) e = posix_spawnattr_setsigmask(&attributes, &none);
    if (!e) e = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!e) e = posix_spawnattr_setpgroup(&attributes, 0);
    if (!e)
        e = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP);
    char *argv[4] = {(char *)"quire-decode"};
    int argc = 1;
    if (kind == QI_HELPER_HEIF) argv[argc++] = (char *)QI_HELPER_HEIF_ARGUMENT;
    if (is_template) argv[argc] = (char *)QI_HELPER_TEMPLATE_ARGUMENT;
    char *const environment[] = {NULL};
    if (!e) e = posix_spawn(ret_pid, path, &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return e;
}

int qi_helper_stop(qi_helper *h) {
    int status = -1;
    if (!h->pid) return status;
    kill(h->pid, SIGKILL);
    close(h->socket);
    pid_t r;
    do
        r = waitpid(h->pid, &status, 0);
    while (r < 0 && errno == EINTR);
    h->pid = 0;
    return r < 0 ? -1 : status;
}

bool qi_helper_alive(qi_helper *h) {
    if (!h->pid) return false;
    struct pollfd p = {.fd = h->socket, .events = POLLIN};
    /* Between requests nothing is due, so that anything there is an end or a lie. */
    if (poll(&p, 1, 0) == 0) return true;
    qi_helper_stop(h);
    return false;
}

uint64_t qi_helper_cpu_ns(const qi_helper *h) {
    clockid_t clock;
    struct timespec t;
    if (!h->pid || clock_getcpuclockid(h->pid, &clock) || clock_gettime(clock, &t)) return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t qi_helper_data_bytes(const qi_helper *h) {
    char path[32], text[128];
    unsigned long long data = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)h->pid);
    int fd = h->pid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    if (sscanf(text, "%*u %*u %*u %*u %*u %llu", &data) != 1) return 0;
    return data * (uint64_t)sysconf(_SC_PAGESIZE);
}

static quire_err stopped_in_time(qi_helper *h, quire_err e, const char *name, quire_diag *diag) {
    qi_helper_stop(h);
    if (e == QUIRE_ERR_TIMEOUT)
        return qi_fail(diag, e, "%s: decoding took longer than the time limit; raise --timeout",
                       name);
    return qi_fail(diag, e, "%s: cancelled while decoding", name);
}

/* Says why a helper that has gone away went. */
static quire_err died(qi_helper *h, const char *name, quire_diag *diag) {
    int status = qi_helper_stop(h);
    if (status == -1 || !WIFSIGNALED(status))
        return qi_fail(diag, QUIRE_ERR_HELPER,
                       "%s: the decoding helper ended unasked (exit status %d); try again, and "
                       "report it with the file if it recurs",
                       name, status == -1 ? -1 : WEXITSTATUS(status));
    int s = WTERMSIG(status);
    switch (s) {
    case SIGBUS:
        return qi_fail(diag, QUIRE_ERR_IO,
                       "%s: the file became shorter or unreadable while it was read; try again "
                       "once it is complete",
                       name);
    case SIGXCPU:
        return qi_fail(diag, QUIRE_ERR_TIMEOUT,
                       "%s: decoding used more processor time than allowed; raise --timeout", name);
    case SIGSYS:
        return qi_fail(diag, QUIRE_ERR_HELPER,
                       "%s: the decoding helper was stopped at a forbidden system call; the file "
                       "is hostile or its codec is not the one expected; do not trust it",
                       name);
    case SIGKILL:
    case SIGTERM:
        return qi_fail(diag, QUIRE_ERR_HELPER,
                       "%s: the decoding helper was killed (signal %d), by somebody or for want "
                       "of memory; try again, with fewer --jobs if it recurs",
                       name, s);
    default:
        return qi_fail(diag, QUIRE_ERR_HELPER,
                       "%s: the decoding helper crashed (signal %d, %s); the file is damaged or "
                       "hostile; save it again with another program",
                       name, s, strsignal(s));
    }
}

/* Waits for something to receive, be it the end. TIMEOUT, CANCELLED; HELPER: it cannot be waited
 * for. */
static quire_err wait_for_message(int socket, const qi_deadline *deadline) {
    for (;;) {
        int wait_ms = REACT_MS;
        if (deadline && deadline->at_ns) {
            uint64_t now = qi_clock_ns();
            uint64_t left_ms = deadline->at_ns > now ? (deadline->at_ns - now) / 1000000 + 1 : 0;
            if (left_ms < REACT_MS) wait_ms = (int)left_ms;
        }
        struct pollfd p = {.fd = socket, .events = POLLIN};
        int n = poll(&p, 1, deadline ? wait_ms : -1);
        if (n > 0) return QUIRE_ERR_OK;
        if (n < 0 && errno != EINTR) return QUIRE_ERR_HELPER;
        quire_err e = qi_deadline_check(deadline);
        if (e) return e;
    }
}

static quire_err impossible(qi_helper *h, const char *name, quire_diag *diag) {
    qi_helper_stop(h);
    return qi_fail(diag, QUIRE_ERR_HELPER,
                   "%s: the decoding helper gave an impossible answer and was stopped; check "
                   "that quire and quire-decode are of one version",
                   name);
}

static quire_err receive(qi_helper *h, qi_message_kind kind, const char *name,
                         const qi_deadline *deadline, qi_reply *ret_reply, quire_diag *diag) {
    quire_err e = wait_for_message(h->socket, deadline);
    if (e == QUIRE_ERR_HELPER) return died(h, name, diag);
    if (e) return stopped_in_time(h, e, name, diag);
    qi_reply reply;
    int got = qi_message_receive(h->socket, &reply, sizeof reply, NULL);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return died(h, name, diag);
    if (got < 0 || !qi_reply_valid(&reply, kind)) return impossible(h, name, diag);
    *ret_reply = reply;
    return QUIRE_ERR_OK;
}

/* The end of starting, be it by the document's deadline. */
static qi_deadline start_deadline(const qi_deadline *deadline) {
    qi_deadline start = {.at_ns = qi_clock_ns() + START_NS,
                         .cancel = deadline ? deadline->cancel : NULL};
    if (deadline && deadline->at_ns && deadline->at_ns < start.at_ns) start.at_ns = deadline->at_ns;
    return start;
}

/* Takes note of a valid hello, or stops a helper that is not fit for work. */
static quire_err greet(qi_helper *h, const qi_reply *hello, const char *path, quire_diag *diag) {
    if (hello->error || (!QI_SANITIZED && !(hello->confinement & QI_CONFINED_SECCOMP))) {
        char text[QI_REPLY_TEXT_BYTES];
        qi_printable(text, sizeof text, hello->text);
        qi_helper_stop(h);
        if (hello->error == QUIRE_ERR_MISSING)
            return qi_fail(diag, QUIRE_ERR_MISSING, "%s: %s", path, text);
        return qi_fail(diag, QUIRE_ERR_HELPER, "%s: it cannot confine itself: %s", path,
                       hello->error ? text : "no system call filter");
    }
    h->confinement = hello->confinement;
    h->landlock_abi = hello->landlock_abi;
    return QUIRE_ERR_OK;
}

static quire_err make_sockets(int pair[2], const char *path, quire_diag *diag) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0) return QUIRE_ERR_OK;
    return qi_fail(diag, QUIRE_ERR_IO, "%s: no socket for it: %s", path, strerror(errno));
}

quire_err qi_helper_start(qi_helper *h, const char *path, qi_helper_kind kind, bool is_template,
                          const qi_deadline *deadline, quire_diag *diag) {
    int pair[2];
    quire_err error = make_sockets(pair, path, diag);
    if (error) return error;
    pid_t pid;
    uint64_t now = qi_clock_ns();
    int e = spawn(path, kind, is_template, pair[1], &pid);
    close(pair[1]);
    if (e) {
        close(pair[0]);
        if (e == ENOMEM || e == EAGAIN)
            return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                           "%s: it cannot be started: %s; use fewer --jobs", path, strerror(e));
        return qi_fail(diag, QUIRE_ERR_MISSING,
                       "%s: it cannot be started: %s; install quire-decode beside quire or set "
                       "QUIRE_DECODE",
                       path, strerror(e));
    }
    *h = (qi_helper){.pid = pid, .started_ns = now, .socket = pair[0], .kind = kind};
    qi_deadline start = start_deadline(deadline);
    qi_reply hello;
    error = receive(h, QI_MESSAGE_HELLO, path, &start, &hello, diag);
    return error ? error : greet(h, &hello, path, diag);
}

/* The hello of a helper that a template makes, and who it is. */
static quire_err await_child(qi_helper *template, int socket, const char *path,
                             const qi_deadline *deadline, qi_reply *ret_hello, pid_t *ret_pid,
                             quire_diag *diag) {
    qi_deadline start = start_deadline(deadline);
    quire_err e = wait_for_message(socket, &start);
    if (e == QUIRE_ERR_TIMEOUT || e == QUIRE_ERR_CANCELLED)
        return qi_fail(diag, e, "%s: %s", path, quire_err_text(e));
    if (!e && qi_message_receive_from(socket, ret_hello, sizeof *ret_hello, ret_pid) > 0)
        return QUIRE_ERR_OK;
    if (qi_helper_alive(template))
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "%s: no further helper can be started; use fewer --jobs", path);
    return qi_fail(diag, QUIRE_ERR_HELPER, "%s: the decoding helper was killed; try again", path);
}

quire_err qi_helper_fork(qi_helper *h, qi_helper *template, const char *path,
                         const qi_deadline *deadline, quire_diag *diag) {
    int pair[2], yes = 1;
    quire_err e = make_sockets(pair, path, diag);
    if (e) return e;
    qi_request request = {.version = QI_MESSAGE_VERSION, .kind = QI_MESSAGE_FORK};
    uint64_t now = qi_clock_ns();
    /* Sent before the hello can be, which is to tell its sender. Where it cannot be sent nobody has
     * the other end, and the wait ends at once. */
    setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    qi_message_send(template->socket, &request, sizeof request, pair[1]);
    close(pair[1]);
    qi_reply hello;
    pid_t pid;
    e = await_child(template, pair[0], path, deadline, &hello, &pid, diag);
    if (e) {
        close(pair[0]);
        return e;
    }
    *h = (qi_helper){.pid = pid, .started_ns = now, .socket = pair[0], .kind = template->kind};
    return qi_reply_valid(&hello, QI_MESSAGE_HELLO) ? greet(h, &hello, path, diag)
                                                    : impossible(h, path, diag);
}

/* Memory and processor time are limited from outside, so that a captured helper cannot raise them.
 */
static bool limit_one(pid_t pid, int resource, uint64_t value) {
    struct rlimit old;
    if (prlimit(pid, resource, NULL, &old)) return false;
    struct rlimit now = {.rlim_cur = value < old.rlim_max ? value : old.rlim_max,
                         .rlim_max = old.rlim_max};
    return prlimit(pid, resource, &now, NULL) == 0;
}

static bool limit(const qi_helper *h, uint64_t memory_bytes, const qi_deadline *deadline) {
    uint64_t now = qi_clock_ns(), cpu_ns = CPU_NS;
    if (deadline && deadline->at_ns) cpu_ns = deadline->at_ns > now ? deadline->at_ns - now : 0;
    uint64_t seconds = (qi_helper_cpu_ns(h) + cpu_ns) / 1000000000u + 2;
    if (!limit_one(h->pid, RLIMIT_CPU, seconds)) return false;
    return QI_SANITIZED || limit_one(h->pid, RLIMIT_DATA, BASE_BYTES + memory_bytes);
}

quire_err qi_helper_call(qi_helper *h, const qi_request *request, int descriptor,
                         uint64_t memory_bytes, const char *name, const qi_deadline *deadline,
                         qi_reply *ret_reply, quire_diag *diag) {
    if (!limit(h, memory_bytes, deadline) && errno != ESRCH) {
        int e = errno;
        qi_helper_stop(h);
        return qi_fail(diag, QUIRE_ERR_HELPER, "%s: the decoding helper cannot be limited: %s",
                       name, strerror(e));
    }
    if (!qi_message_send(h->socket, request, sizeof *request, descriptor))
        return died(h, name, diag);
    qi_reply reply;
    quire_err e = receive(h, request->kind, name, deadline, &reply, diag);
    if (e) return e;
    if (reply.error) {
        char text[QI_REPLY_TEXT_BYTES];
        qi_printable(text, sizeof text, reply.text);
        return qi_fail(diag, reply.error, "%s: %s", name, text);
    }
    *ret_reply = reply;
    return QUIRE_ERR_OK;
}
