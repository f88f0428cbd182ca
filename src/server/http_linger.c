/* Lingering: a socket whose other side may still be sending is read for a while after the answer;
 * see qi_http_lingerer. Bounded in number and time, so that it costs an attacker more than us. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/http_parts.h"

enum { MAX_LINGERERS = 128, MAX_READS = 16 };
#define MAX_SILENCE_NS UINT64_C(2000000000)
#define MAX_LINGER_NS  UINT64_C(20000000000)

void qi_http_linger(qi_http *http, int fd) {
    if (http->n_lingerers == MAX_LINGERERS) return;
    qi_http_lingerer *l = calloc(1, sizeof *l);
    if (!l) return;
    l->watch = QI_HTTP_WATCH_LINGERER;
    l->fd = dup(fd);
    l->begun_ns = l->last_ns = qi_clock_ns();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};
    if (l->fd < 0 || epoll_ctl(http->epoll, EPOLL_CTL_ADD, l->fd, &event)) {
        if (l->fd >= 0) close(l->fd);
        free(l);
        return;
    }
    shutdown(l->fd, SHUT_WR);
    l->next = http->lingerers;
    http->lingerers = l;
    http->n_lingerers++;
}

static void end(qi_http *http, qi_http_lingerer **at) {
    qi_http_lingerer *l = *at;
    *at = l->next;
    http->n_lingerers--;
    close(l->fd);
    free(l);
}

void qi_http_linger_read(qi_http *http, qi_http_lingerer *l) {
    char bytes[16384];
    ssize_t n = 1;
    for (int i = 0; i < MAX_READS && n > 0; i++) {
        n = recv(l->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0) l->last_ns = qi_clock_ns();
    }
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) return;
    qi_http_lingerer **at = &http->lingerers;
    while (*at != l)
        at = &(*at)->next;
    end(http, at);
}

void qi_http_linger_clocks(qi_http *http, uint64_t now_ns) {
    for (qi_http_lingerer **at = &http->lingerers; *at;) {
        if (now_ns - (*at)->begun_ns > MAX_LINGER_NS || now_ns - (*at)->last_ns > MAX_SILENCE_NS)
            end(http, at);
        else
            at = &(*at)->next;
    }
}

void qi_http_linger_end(qi_http *http) {
    while (http->lingerers)
        end(http, &http->lingerers);
}
