/* Connections: taking them within the limits, and their clocks. libmicrohttpd tells of a request
 * line and of pieces of bodies, but not that bytes of a head come or that a client takes what is
 * sent; there the kernel's own counters of the socket are asked (TCP_INFO). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/http_address.h"
#include "server/http_parts.h"

enum { MAX_ACCEPTS = 64 };

/* ---- taking --------------------------------------------------------------------------------- */

static void set_peer(qi_http_connection *c, const struct sockaddr_storage *address) {
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    c->loopback = qi_http_address_is_loopback(address);
    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        c->address.s6_addr[10] = c->address.s6_addr[11] = 0xFF;
        memcpy(c->address.s6_addr + 12, &v4.sin_addr, 4);
    } else {
        memcpy(&v6, address, sizeof v6);
        c->address = v6.sin6_addr;
    }
    if (IN6_IS_ADDR_V4MAPPED(&c->address))
        inet_ntop(AF_INET, c->address.s6_addr + 12, c->peer, sizeof c->peer);
    else
        inet_ntop(AF_INET6, &c->address, c->peer, sizeof c->peer);
}

static bool has_room(const qi_http *http, const struct in6_addr *address) {
    const uint32_t most = http->options.max_connections_per_address;
    if (http->n_connections >= http->options.max_connections) return false;
    if (!most) return true;
    uint32_t n = 0;
    for (const qi_http_connection *c = http->connections; c; c = c->next)
        n += !memcmp(&c->address, address, sizeof *address);
    return n < most;
}

static void refuse(qi_http *http, int fd) {
    qi_http_count(&http->n_refused, 1);
    if (!http->tls) { /* with TLS nothing can be said before the handshake */
        qi_http_refusal_send(fd);
        qi_http_linger(http, fd);
    }
    close(fd);
}

static void take(qi_http *http, int fd, const struct sockaddr_storage *address, socklen_t n) {
    qi_http_connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    c->watch = QI_HTTP_WATCH_CONNECTION;
    c->http = http;
    c->fd = fd;
    set_peer(c, address);
    if (!has_room(http, &c->address)) {
        free(c);
        refuse(http, fd);
        return;
    }
    http->incoming = c;
    MHD_add_connection(http->daemon, fd, (const struct sockaddr *)address, n); /* takes fd */
    free(http->incoming); /* it was not taken on */
    http->incoming = NULL;
}

void qi_http_accept(qi_http *http, const qi_http_listener *listener) {
    for (int i = 0; i < MAX_ACCEPTS; i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        socklen_t n = sizeof address;
        const int fd =
            accept4(listener->fd, (struct sockaddr *)&address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(http, fd, &address, n);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* They wait in the kernel until something has been closed or a tick has passed. */
            qi_http_listen(http, false);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

void qi_http_listen(qi_http *http, bool listen) {
    if (http->listening == listen || qi_http_stopping(http)) return;
    http->listening = listen;
    for (uint32_t i = 0; i < http->n_listeners; i++) {
        qi_http_listener *l = &http->listeners[i];
        struct epoll_event event = {.events = listen ? EPOLLIN : 0, .data.ptr = l};
        epoll_ctl(http->epoll, EPOLL_CTL_MOD, l->fd, &event);
    }
}

/* ---- libmicrohttpd's side ------------------------------------------------------------------- */

static void begin(qi_http *http, struct MHD_Connection *mhd, void **socket_context) {
    qi_http_connection *c = http->incoming;
    http->incoming = NULL;
    *socket_context = c;
    c->mhd = mhd;
    if (http->tls) {
        c->tls = qi_http_tls_ref(http->tls);
        qi_http_tls_apply(
            c->tls, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session);
    }
    c->next = http->connections;
    if (c->next) c->next->prev = c;
    http->connections = c;
    http->n_connections++;
    qi_http_count(&http->n_accepted, 1);
    atomic_store(&http->n_open, http->n_connections);
    qi_http_connection_enter(c, QI_HTTP_HEAD);
}

static void end(qi_http *http, qi_http_connection *c) {
    /* Closed while the head came: it was no request, and libmicrohttpd has said so. */
    if (c->linger || c->phase == QI_HTTP_HEAD) qi_http_linger(http, c->fd);
    if (c->prev) c->prev->next = c->next;
    if (c->next) c->next->prev = c->prev;
    if (http->connections == c) http->connections = c->next;
    http->n_connections--;
    atomic_store(&http->n_open, http->n_connections);
    qi_http_tls_unref(c->tls);
    free(c);
}

void qi_http_connection_notified(void *http, struct MHD_Connection *mhd, void **socket_context,
                                 enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin(http, mhd, socket_context);
    else if (*socket_context)
        end(http, *socket_context);
}

/* ---- clocks --------------------------------------------------------------------------------- */

typedef struct traffic {
    uint64_t n_received, n_acked; /* bytes */
    int n_unacked;
    bool over; /* the client will send no more, and all it sent has been read */
} traffic;

static traffic traffic_of(const qi_http_connection *c) {
    struct tcp_info info;
    socklen_t n = sizeof info;
    traffic t = {.n_received = 0};
    memset(&info, 0, sizeof info);
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0) {
        t.n_received = info.tcpi_bytes_received;
        t.n_acked = info.tcpi_bytes_acked;
    }
    if (ioctl(c->fd, SIOCOUTQ, &t.n_unacked)) t.n_unacked = 0;
    struct pollfd half = {.fd = c->fd, .events = POLLRDHUP};
    int n_unread = 0;
    t.over = poll(&half, 1, 0) > 0 && !ioctl(c->fd, SIOCINQ, &n_unread) && n_unread == 0;
    return t;
}

void qi_http_connection_enter(qi_http_connection *c, qi_http_phase phase) {
    c->phase = phase;
    c->since_ns = qi_clock_ns();
    c->n_window_bytes = 0;
    if (phase == QI_HTTP_IDLE) c->n_received = traffic_of(c).n_received;
    if (phase == QI_HTTP_WRITE) c->n_acked = traffic_of(c).n_acked;
}

void qi_http_connection_kill(qi_http_connection *c) {
    qi_http_connection_enter(c, QI_HTTP_DEAD);
    shutdown(c->fd, SHUT_RDWR);
    if (c->request) qi_http_request_abandon(c->request);
}

static void time_out(qi_http_connection *c, const char *detail) {
    qi_http_count(&c->http->n_timeouts, 1);
    c->linger = true;
    if (c->request) {
        qi_http_problem(c->request, 408, "request_timeout", NULL, "%s", detail);
        qi_http_answer_send(c->request);
    } else if (detail) {
        qi_http_problem_send(c, 408, "request_timeout", detail);
    }
    qi_http_connection_kill(c);
}

static void check_head(qi_http_connection *c, const traffic *t, uint64_t age_ms) {
    if (age_ms < c->http->options.head_ms) return;
    /* Who never said anything is not told anything. */
    const bool silent = !c->request && t->n_received == 0;
    time_out(c, silent ? NULL : "the head of the request did not come in time");
}

static void check_body(qi_http_connection *c, uint64_t age_ms) {
    const qi_http_options *o = &c->http->options;
    if (age_ms < o->body_window_ms) return;
    if (c->n_window_bytes * 1000 / age_ms < o->min_body_rate_bps)
        time_out(c, "the body comes too slowly");
    else
        qi_http_connection_enter(c, QI_HTTP_BODY);
}

static void check_idle(qi_http_connection *c, const traffic *t, uint64_t age_ms) {
    if (qi_http_stopping(c->http) || age_ms >= c->http->options.idle_ms)
        qi_http_connection_kill(c);
    else if (t->n_received > c->n_received)
        qi_http_connection_enter(c, QI_HTTP_HEAD);
}

static void check_write(qi_http_connection *c, const traffic *t, uint64_t age_ms) {
    if (t->n_unacked == 0 || t->n_acked != c->n_acked) {
        qi_http_connection_enter(c, QI_HTTP_WRITE);
    } else if (age_ms >= c->http->options.write_stall_ms) {
        qi_http_count(&c->http->n_timeouts, 1);
        qi_http_connection_kill(c);
    }
}

static void check(qi_http_connection *c, uint64_t age_ms) {
    const bool waits = c->phase == QI_HTTP_WAIT || c->phase == QI_HTTP_DEAD;
    if (waits) return;
    const traffic t = traffic_of(c);
    /* What libmicrohttpd does not see when the end came right behind the last bytes. */
    if (t.over && c->phase != QI_HTTP_WRITE)
        qi_http_connection_kill(c);
    else if (c->phase == QI_HTTP_IDLE)
        check_idle(c, &t, age_ms);
    else if (c->phase == QI_HTTP_HEAD)
        check_head(c, &t, age_ms);
    else if (c->phase == QI_HTTP_BODY)
        check_body(c, age_ms);
    else
        check_write(c, &t, age_ms);
}

void qi_http_clocks(qi_http *http, uint64_t now_ns) {
    qi_http_listen(http, true);
    /* Nothing here takes a connection off the list. */
    for (qi_http_connection *c = http->connections; c; c = c->next)
        check(c, qi_http_elapsed(now_ns, c->since_ns) / 1000000);
    qi_http_linger_clocks(http, now_ns);
}
