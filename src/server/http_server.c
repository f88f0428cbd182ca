/* The server of http.h: opening, the loop, stopping. One epoll set holds the listeners,
 * libmicrohttpd's own set, the mailbox, connections whose request waits (to see the client leave)
 * and lingering ones. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/http_address.h"
#include "server/http_parts.h"

enum { MAX_EVENTS = 64, BACKLOG = 512, MAX_PENDING = 1000, MIN_TICK_MS = 20, MAX_TICK_MS = 500 };
#define MS_NS UINT64_C(1000000)

/* ---- opening -------------------------------------------------------------------------------- */

static quire_err bind_listener(qi_http_listener *l, const char *text, quire_diag *diag) {
    struct sockaddr_storage address;
    socklen_t n;
    const int on = 1, off = 0;
    quire_err e = qi_http_address_parse(text, &address, &n, diag);
    if (e) return e;
    l->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd >= 0) {
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (address.ss_family == AF_INET6)
            setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, text[0] == ':' ? &off : &on, sizeof on);
    }
    if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&address, n) || listen(l->fd, BACKLOG) ||
        getsockname(l->fd, (struct sockaddr *)&address, &n))
        return qi_fail(diag, qi_err_from_errno(errno),
                       "%s: it cannot be listened at: %s; choose another address or port", text,
                       strerror(errno));
    l->port = qi_http_address_port(&address);
    qi_http_address_text(&address, l->text);
    return QUIRE_ERR_OK;
}

static bool watch(qi_http *http, int fd, void *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    return epoll_ctl(http->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static quire_err open_listeners(qi_http *http, quire_diag *diag) {
    const qi_http_options *o = &http->options;
    http->listeners = calloc(o->n_addresses ? o->n_addresses : 1, sizeof *http->listeners);
    if (!http->listeners) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    for (uint32_t i = 0; i < o->n_addresses; i++) {
        qi_http_listener *l = &http->listeners[http->n_listeners++];
        *l = (qi_http_listener){.watch = QI_HTTP_WATCH_LISTENER, .fd = -1};
        quire_err e = bind_listener(l, o->addresses[i], diag);
        if (e) return e;
        if (!watch(http, l->fd, l))
            return qi_fail(diag, QUIRE_ERR_IO, "%s: no events of it: %s", l->text, strerror(errno));
    }
    http->listening = true;
    return QUIRE_ERR_OK;
}

static quire_err start_daemon(qi_http *http, quire_diag *diag) {
    const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                           (http->tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0,
         http->tls ? (void *)qi_http_tls_certificate(http->tls) : NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, http->tls ? (void *)qi_http_tls_key(http->tls) : NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, qi_http_request_access, http, MHD_OPTION_URI_LOG_CALLBACK,
        qi_http_request_line, http, MHD_OPTION_NOTIFY_COMPLETED, qi_http_request_ended, http,
        MHD_OPTION_NOTIFY_CONNECTION, qi_http_connection_notified, http,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)QI_HTTP_POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        http->options.max_connections + 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY,
        http->tls ? tls : &tls[sizeof tls / sizeof *tls - 1], MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        http->daemon ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || !watch(http, info->epoll_fd, &http->daemon_watch))
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "libmicrohttpd does not start: memory or descriptors ran out");
    return QUIRE_ERR_OK;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise) {
    return value ? value : otherwise;
}

static uint64_t tick_of(const qi_http_options *o) {
    uint32_t least = MAX_TICK_MS * 4;
    const uint32_t all[] = {o->head_ms, o->body_window_ms, o->idle_ms, o->write_stall_ms};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] < least) least = all[i];
    return (least / 4 < MIN_TICK_MS ? MIN_TICK_MS : least / 4) * MS_NS;
}

static quire_err set_options(qi_http *http, const qi_http_options *options, quire_diag *diag) {
    qi_http_options *o = &http->options;
    *o = *options;
    if (o->n_addresses == 0)
        return qi_fail(diag, QUIRE_ERR_USAGE, "no address to listen at is given");
    if (!o->certificate_path != !o->key_path)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "TLS takes a certificate and its key; one of them is not given");
    if (!o->max_body_bytes) o->max_body_bytes = 64u << 20;
    o->max_connections = or_default(o->max_connections, 1024);
    o->head_ms = or_default(o->head_ms, 10000);
    o->body_window_ms = or_default(o->body_window_ms, 10000);
    o->min_body_rate_bps = or_default(o->min_body_rate_bps, 1024);
    o->idle_ms = or_default(o->idle_ms, 60000);
    o->write_stall_ms = or_default(o->write_stall_ms, 30000);
    http->tick_ns = tick_of(o);
    if (!o->certificate_path) return QUIRE_ERR_OK;
    /* The caller's text may be gone when they are read again. */
    http->certificate_path = strdup(o->certificate_path);
    http->key_path = strdup(o->key_path);
    if (!http->certificate_path || !http->key_path)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    return qi_http_tls_new(http->certificate_path, http->key_path, &http->tls, diag);
}

quire_err qi_http_open(const qi_http_options *options, const qi_http_route routes[],
                       uint32_t n_routes, qi_http **ret_http, quire_diag *diag) {
    qi_http *http = calloc(1, sizeof *http);
    if (!http) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    http->routes = routes;
    http->n_routes = n_routes;
    http->daemon_watch = QI_HTTP_WATCH_DAEMON;
    http->mailbox_watch = QI_HTTP_WATCH_MAILBOX;
    http->epoll = epoll_create1(EPOLL_CLOEXEC);
    http->mailbox = qi_http_mailbox_new();
    quire_err e = QUIRE_ERR_OK;
    if (http->epoll < 0 || !http->mailbox ||
        !watch(http, qi_http_mailbox_fd(http->mailbox), &http->mailbox_watch))
        e = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory or descriptors ran out");
    if (!e) e = set_options(http, options, diag);
    if (!e) e = open_listeners(http, diag);
    if (!e) e = start_daemon(http, diag);
    if (e) {
        qi_http_close(http);
        return e;
    }
    *ret_http = http;
    return QUIRE_ERR_OK;
}

const char *qi_http_address(const qi_http *http, uint32_t i) {
    return i < http->n_listeners ? http->listeners[i].text : NULL;
}

uint16_t qi_http_port(const qi_http *http, uint32_t i) {
    return i < http->n_listeners ? http->listeners[i].port : 0;
}

quire_err qi_http_reload_tls(qi_http *http, quire_diag *diag) {
    qi_http_tls *tls = NULL;
    if (!http->tls) return QUIRE_ERR_OK;
    quire_err e = qi_http_tls_new(http->certificate_path, http->key_path, &tls, diag);
    if (e) return e;
    qi_http_tls_unref(http->tls);
    http->tls = tls;
    return QUIRE_ERR_OK;
}

/* ---- from other threads --------------------------------------------------------------------- */

typedef struct posted {
    qi_http_mail mail; /* the first field */
    void (*run)(void *user);
    void *user;
} posted;

static void run_posted(qi_http_mail *mail) {
    posted *p = (posted *)mail;
    p->run(p->user);
    free(p);
}

bool qi_http_post(qi_http *http, void (*run)(void *user), void *user) {
    posted *p = calloc(1, sizeof *p);
    if (!p) return false;
    p->mail.read = run_posted;
    p->run = run;
    p->user = user;
    if (qi_http_mailbox_send(http->mailbox, &p->mail)) return true;
    free(p);
    return false;
}

void qi_http_stop(qi_http *http, uint32_t limit_ms) {
    atomic_store(&http->stop_limit_ms, limit_ms);
    atomic_store(&http->stop, true);
    qi_http_mailbox_ring(http->mailbox);
}

bool qi_http_stopping(const qi_http *http) {
    return atomic_load(&http->stopping);
}

void qi_http_counts_now(const qi_http *http, qi_http_counts *ret_counts) {
    for (int i = 0; i < 6; i++)
        ret_counts->n_requests[i] = atomic_load(&http->n_requests[i]);
    ret_counts->n_bytes_in = atomic_load(&http->n_bytes_in);
    ret_counts->n_bytes_out = atomic_load(&http->n_bytes_out);
    ret_counts->n_accepted = atomic_load(&http->n_accepted);
    ret_counts->n_refused = atomic_load(&http->n_refused);
    ret_counts->n_timeouts = atomic_load(&http->n_timeouts);
    ret_counts->n_open = atomic_load(&http->n_open);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void close_listeners(qi_http *http) {
    for (uint32_t i = 0; i < http->n_listeners; i++) {
        if (http->listeners[i].fd >= 0) close(http->listeners[i].fd);
        http->listeners[i].fd = -1;
    }
}

static void begin_stopping(qi_http *http) {
    atomic_store(&http->stopping, true);
    http->stop_at_ns = qi_clock_ns() + atomic_load(&http->stop_limit_ms) * MS_NS;
    close_listeners(http);
    for (qi_http_connection *c = http->connections; c; c = c->next) {
        const bool unused = c->phase == QI_HTTP_IDLE || (c->phase == QI_HTTP_HEAD && !c->request);
        if (unused) qi_http_connection_kill(c);
        if (c->request && c->request->suspended) qi_http_request_wake(c->request);
    }
}

/* None of these frees what another event of the same batch is about. */
static void dispatch(qi_http *http, void *what, uint32_t events) {
    switch (*(qi_http_watch *)what) {
    case QI_HTTP_WATCH_LISTENER:
        qi_http_accept(http, what);
        break;
    case QI_HTTP_WATCH_CONNECTION: { /* the client has left a request that waits */
        qi_http_connection *c = what;
        if (c->request && events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            qi_http_request_abandon(c->request);
        break;
    }
    case QI_HTTP_WATCH_LINGERER:
        qi_http_linger_read(http, what);
        break;
    case QI_HTTP_WATCH_MAILBOX:
        qi_http_mailbox_read(http->mailbox);
        break;
    case QI_HTTP_WATCH_DAEMON: /* it is run each time */
        break;
    }
}

/* libmicrohttpd has a connection at hand as long as there is something to read or write, but also
 * while a chunk's head without end has filled its buffer: it then asks to be called at once, again
 * and again, until our clock ends the connection. Who asks so often gets a pause. */
static int pending_wait_ms(qi_http *http) {
    return ++http->n_pending < MAX_PENDING ? 0 : 1;
}

static int wait_ms(qi_http *http) {
    MHD_UNSIGNED_LONG_LONG pending_ms;
    if (MHD_get_timeout(http->daemon, &pending_ms) == MHD_YES && pending_ms == 0)
        return pending_wait_ms(http);
    const bool clocks =
        http->connections || http->lingerers || !http->listening || qi_http_stopping(http);
    return clocks ? (int)(http->tick_ns / MS_NS) : -1;
}

static quire_err loop(qi_http *http, quire_diag *diag) {
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        const int n = epoll_wait(http->epoll, events, MAX_EVENTS, wait_ms(http));
        if (n > 0) http->n_pending = 0;
        if (n < 0 && errno != EINTR)
            return qi_fail(diag, QUIRE_ERR_IO, "waiting for requests failed: %s", strerror(errno));
        for (int i = 0; i < n; i++)
            dispatch(http, events[i].data.ptr, events[i].events);
        if (atomic_load(&http->stop) && !qi_http_stopping(http)) begin_stopping(http);
        MHD_run(http->daemon);
        const uint64_t now = qi_clock_ns();
        if (qi_http_elapsed(now, http->ticked_ns) >= http->tick_ns) {
            http->ticked_ns = now;
            qi_http_clocks(http, now);
        }
        if (!qi_http_stopping(http)) continue;
        if ((!http->connections && !http->lingerers) || now >= http->stop_at_ns)
            return QUIRE_ERR_OK;
    }
}

quire_err qi_http_run(qi_http *http, quire_diag *diag) {
    sigset_t pipe, old;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    const quire_err e = loop(http, diag);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return e;
}

void qi_http_close(qi_http *http) {
    if (!http) return;
    atomic_store(&http->stopping, true);
    /* libmicrohttpd does not end while a connection is suspended. */
    for (qi_http_connection *c = http->connections; c; c = c->next)
        if (c->request) qi_http_request_abandon(c->request);
    if (http->daemon) MHD_stop_daemon(http->daemon);
    if (http->mailbox) qi_http_mailbox_close(http->mailbox);
    qi_http_mailbox_unref(http->mailbox);
    qi_http_linger_end(http);
    close_listeners(http);
    free(http->listeners);
    qi_http_tls_unref(http->tls);
    free(http->certificate_path);
    free(http->key_path);
    if (http->epoll >= 0) close(http->epoll);
    free(http);
}
