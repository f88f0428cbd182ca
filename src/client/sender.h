/* Sends documents to a service and follows each to its end: a bounded number at a time, files
 * streamed from the disk, on libcurl's multi interface. What can pass is tried again, after a time
 * that doubles, with jitter: a broken connection, a service that is not there (5xx) or has no room
 * (429, after what Retry-After says). Each document is sent with a key of its own, so that a
 * request that was sent twice makes no second document. One thread. */
#ifndef QI_CLIENT_SENDER_H
#define QI_CLIENT_SENDER_H

#include "client/answer.h"
#include "client/endpoint.h"
#include "output/format.h"

enum { QI_DELIVERY_KEY_BYTES = 65 };

/* A document on its way; a part of what its owner needs. */
typedef struct qi_delivery {
    struct qi_delivery *next; /* the sender's */
    /* Of the owner, unchanged while the sender has it. */
    const char *name;                                     /* as messages and the service have it */
    int fd;                                               /* a file; closed by the sender */
    uint64_t n_bytes;                                     /* of the file */
    char key[QI_DELIVERY_KEY_BYTES];                      /* Idempotency-Key */
    const qi_output_format *formats[QI_OUTPUT_N_FORMATS]; /* of results to be had, when waiting */
    uint32_t n_formats;
    /* When it was taken back. */
    char id[QI_ANSWER_ID_BYTES]; /* "": it was not accepted */
    quire_diag diag;             /* code OK: accepted, or with wait read; CANCELLED: by _cancel */
    int write_errno;             /* of a result, with WRITE; else 0 */
    bool for_all;                /* what failed would meet all other documents as well */
} qi_delivery;

typedef struct qi_sender_options {
    const qi_endpoint *endpoint;         /* borrowed */
    uint32_t n_parallel;                 /* uploads at a time */
    bool wait;                           /* until documents have been read, for their results */
    uint32_t unreachable_ms, refused_ms; /* what is given up after so long; 0: nothing is */
    void *context;
    /* A descriptor that result i of a delivery is written to from its start, and empty; the owner's
     * to close. -1 and errno. Asked for again when a transfer broke. */
    int (*open_result)(void *context, qi_delivery *delivery, uint32_t i);
    /* That is for people: what is being waited for. */
    void (*note)(void *context, const char *text);
} qi_sender_options;

typedef struct qi_sender qi_sender;

/* NO_MEMORY, MISSING. */
quire_err qi_sender_open(const qi_sender_options *options, qi_sender **ret, quire_diag *diag);
/* Deliveries that were not taken are lost to the caller. */
void qi_sender_close(qi_sender *sender);

/* Whether one more can be added, and how many have not been taken back. */
bool qi_sender_has_room(const qi_sender *sender);
uint32_t qi_sender_n(const qi_sender *sender);
/* There must be room. */
void qi_sender_add(qi_sender *sender, qi_delivery *delivery);

/* Works until something is to be taken, a descriptor of `others` can be read, or ms (-1: none) have
 * passed. Interrupted calls return early. */
void qi_sender_step(qi_sender *sender, const int *others, uint32_t n_others, int ms);
/* The next that met its fate; NULL: none now. The caller's again. */
qi_delivery *qi_sender_take(qi_sender *sender);
/* Ends all that is on its way: CANCELLED. */
void qi_sender_cancel(qi_sender *sender);

#endif
