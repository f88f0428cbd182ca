/* What the files of the HTTP layer share, and nobody else. All on the loop's thread but the
 * mailbox, which is locked, and the counts, which are atomic. */
#ifndef QI_SERVER_HTTP_PARTS_H
#define QI_SERVER_HTTP_PARTS_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>

#include "server/http.h"
#include "server/http_address.h"
#include "server/http_mailbox.h"
#include "server/http_multipart.h"
#include "server/http_tls.h"
#include "server/http_uri.h"

enum {
    QI_HTTP_MAX_URI_BYTES = 8 << 10,
    QI_HTTP_MAX_HEAD_BYTES = 16 << 10,
    QI_HTTP_MAX_HEADERS = 64,
    QI_HTTP_MAX_JSON_BYTES = 64 << 10,
    /* Of libmicrohttpd for each connection: heads above half of it are answered by itself. */
    QI_HTTP_POOL_BYTES = 64 << 10,
    QI_HTTP_MAX_ANSWER_HEADERS = 16,
    QI_HTTP_MEDIA_TYPE_BYTES = 128, /* longer ones are cut */
    QI_HTTP_ID_BYTES = 65,
};

/* What a descriptor in the loop's epoll set is; the first field of its struct. */
typedef enum qi_http_watch {
    QI_HTTP_WATCH_LISTENER,
    QI_HTTP_WATCH_MAILBOX,
    QI_HTTP_WATCH_DAEMON,
    QI_HTTP_WATCH_CONNECTION,
    QI_HTTP_WATCH_LINGERER,
} qi_http_watch;

typedef enum qi_http_phase {
    QI_HTTP_IDLE,  /* between requests */
    QI_HTTP_HEAD,  /* the head is awaited */
    QI_HTTP_BODY,  /* the body is awaited */
    QI_HTTP_WAIT,  /* the handler is */
    QI_HTTP_WRITE, /* the answer goes out */
    QI_HTTP_DEAD,  /* given up: libmicrohttpd closes it on its next run */
} qi_http_phase;

typedef struct qi_http_listener {
    qi_http_watch watch;
    int fd;
    uint16_t port;
    char text[QI_HTTP_ADDRESS_BYTES];
} qi_http_listener;

typedef struct qi_http_connection {
    qi_http_watch watch;
    qi_http *http;
    struct qi_http_connection *next, *prev;
    struct MHD_Connection *mhd;
    int fd;
    qi_http_phase phase;
    uint64_t since_ns; /* of the phase; of BODY: of the window; of WRITE: of the last progress */
    uint64_t n_received, n_acked; /* bytes of the socket: at IDLE's start; at WRITE's progress */
    uint64_t n_window_bytes;      /* of the body, in this window */
    qi_http_request *request;     /* NULL before the request line and between requests */
    qi_http_tls *tls;             /* NULL: none */
    bool linger;                  /* answered while the client may still be sending */
    bool watched;                 /* in the loop's epoll set */
    bool loopback;
    struct in6_addr address; /* IPv4 mapped */
    char peer[INET6_ADDRSTRLEN];
} qi_http_connection;

/* A connection that libmicrohttpd is done with, read until the client is: closing it with bytes
 * unread would reset it and take the answer back. */
typedef struct qi_http_lingerer {
    qi_http_watch watch;
    struct qi_http_lingerer *next;
    int fd;
    uint64_t begun_ns, last_ns;
} qi_http_lingerer;

typedef struct qi_http_answer {
    unsigned status;                           /* 0: none yet */
    char media_type[QI_HTTP_MEDIA_TYPE_BYTES]; /* "": none */
    struct {
        char *name, *value;
    } headers[QI_HTTP_MAX_ANSWER_HEADERS];
    uint32_t n_headers;
    qi_strbuf bytes;
    int fd; /* -1: none */
    uint64_t n_file_bytes;
    qi_http_pull *pull; /* NULL: none */
} qi_http_answer;

struct qi_http_request {
    qi_http_mail mail; /* the first field */
    atomic_uint n_refs;
    qi_http_mailbox *mailbox;
    qi_http *http;
    qi_http_connection *connection; /* NULL once ended */
    const qi_http_handler *handler; /* NULL until routed */
    void *state;
    uint64_t begun_ns;
    char id[QI_HTTP_ID_BYTES];
    char method[16];
    bool uri_too_long;
    char *path; /* as it came, for the log */
    qi_http_uri uri;
    qi_http_path_values values;
    uint64_t n_body_bytes; /* announced; UINT64_MAX: chunked */
    uint64_t n_bytes_in, n_bytes_out, max_body_bytes;
    unsigned body; /* the one QI_HTTP_BODY_ that this is; 0: none */
    qi_strbuf json;
    qi_http_multipart *multipart;
    qi_http_answer answer;
    bool head_done, suspended, wake, gone;
    bool close;  /* the connection, after the answer: what follows may be anything */
    bool queued; /* the answer is with libmicrohttpd */
    bool sent;   /* the answer was sent past it */
};

struct qi_http {
    qi_http_options options;
    const qi_http_route *routes;
    uint32_t n_routes;
    struct MHD_Daemon *daemon;
    char *certificate_path, *key_path;
    qi_http_tls *tls; /* for connections to come; NULL: none */
    int epoll;
    qi_http_watch daemon_watch, mailbox_watch;
    qi_http_mailbox *mailbox;
    qi_http_listener *listeners;
    uint32_t n_listeners;
    bool listening; /* the listeners are asked for connections */
    qi_http_connection *connections, *incoming;
    qi_http_lingerer *lingerers;
    uint32_t n_connections, n_lingerers;
    uint32_t n_pending; /* runs of libmicrohttpd without an event between them */
    uint64_t tick_ns, ticked_ns;
    atomic_bool stop, stopping;
    atomic_uint stop_limit_ms;
    uint64_t stop_at_ns;
    atomic_uint_fast64_t n_requests[6], n_bytes_in, n_bytes_out, n_accepted, n_refused, n_timeouts,
        n_open;
};

/* 0 for what is yet to come. */
static inline uint64_t qi_http_elapsed(uint64_t now_ns, uint64_t since_ns) {
    return now_ns > since_ns ? now_ns - since_ns : 0;
}

static inline void qi_http_count(atomic_uint_fast64_t *counter, uint64_t n) {
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* ---- http_request.c: libmicrohttpd's callbacks ---------------------------------------------- */

void *qi_http_request_line(void *http, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result qi_http_request_access(void *http, struct MHD_Connection *mhd, const char *url,
                                       const char *method, const char *version, const char *upload,
                                       size_t *upload_bytes, void **context);
void qi_http_request_ended(void *http, struct MHD_Connection *mhd, void **context,
                           enum MHD_RequestTerminationCode code);
/* It has been resumed. */
void qi_http_request_wake(qi_http_request *request);
/* The client has left, or the server ends: a waiting request ends. */
void qi_http_request_abandon(qi_http_request *request);
/* Takes the request out of libmicrohttpd's hands until it is resumed, watching for the client. */
void qi_http_request_suspend(qi_http_request *request);

/* ---- http_head.c ---------------------------------------------------------------------------- */

/* Checks the head, finds the route and what kind of body comes; false: a problem was answered. */
bool qi_http_head_read(qi_http_request *request, const char *method, const char *version);
void qi_http_body_too_large(qi_http_request *request);

/* ---- http_answer.c -------------------------------------------------------------------------- */

void qi_http_answer_done(qi_http_answer *answer);
/* Hands the answer to libmicrohttpd. */
enum MHD_Result qi_http_answer_queue(qi_http_request *request);
void qi_http_problem_write(qi_strbuf *out, unsigned status, const char *code, const char *field,
                           const char *detail);

/* ---- http_send.c: answers past libmicrohttpd, where it cannot give one ----------------------- */

/* Sends the answer (bytes only) while the body still comes. The connection is to be closed. */
void qi_http_answer_send(qi_http_request *request);
/* Sends a problem to a connection whose head has not come. The connection is to be closed. */
void qi_http_problem_send(qi_http_connection *connection, unsigned status, const char *code,
                          const char *detail);
/* Sends 503 to a socket without TLS that is not taken on. */
void qi_http_refusal_send(int fd);

/* ---- http_connection.c ---------------------------------------------------------------------- */

/* Takes the connections that wait at a listener. */
void qi_http_accept(qi_http *http, const qi_http_listener *listener);
void qi_http_connection_notified(void *http, struct MHD_Connection *mhd, void **socket_context,
                                 enum MHD_ConnectionNotificationCode code);
void qi_http_connection_enter(qi_http_connection *connection, qi_http_phase phase);
/* Has libmicrohttpd close it on its next run. */
void qi_http_connection_kill(qi_http_connection *connection);
/* Ends the connections whose time is over, and the lingerers. */
void qi_http_clocks(qi_http *http, uint64_t now_ns);
/* Whether the listeners are asked for connections. */
void qi_http_listen(qi_http *http, bool listen);

/* ---- http_linger.c -------------------------------------------------------------------------- */

/* Keeps the socket open (by a descriptor of its own) until the client is done. */
void qi_http_linger(qi_http *http, int fd);
void qi_http_linger_read(qi_http *http, qi_http_lingerer *lingerer);
void qi_http_linger_clocks(qi_http *http, uint64_t now_ns);
void qi_http_linger_end(qi_http *http);

#endif
