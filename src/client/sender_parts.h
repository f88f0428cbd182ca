/* What the files of the sender (sender.h) share. A delivery has a place, and goes through phases:
 * SENDING, and with wait, unless the answer is the result already, FOLLOWING its events, ASKING for
 * its state and FETCHING one result after the other. A phase is a request, repeated until it is
 * answered. */
#ifndef QI_CLIENT_SENDER_PARTS_H
#define QI_CLIENT_SENDER_PARTS_H

#include "client/sender.h"

enum {
    QI_MAX_OTHERS = 8,
    QI_MAX_ANSWER_BYTES = 256 << 10,
    QI_WAIT_S = 30, /* a request with a document waits so long for its result */
};

typedef enum qi_phase { QI_SENDING, QI_FOLLOWING, QI_ASKING, QI_FETCHING } qi_phase;

typedef struct qi_place {
    qi_sender *sender;
    qi_delivery *delivery; /* NULL: free */
    CURL *easy;
    bool running;   /* its request is in the multi handle */
    bool uploading; /* … and counts as an upload */
    qi_phase phase;
    uint32_t format; /* FETCHING: the place in delivery->formats; SENDING: 0 */
    uint64_t at_ns;  /* not to be requested before */
    uint32_t n_failures;
    uint64_t failing_since_ns; /* 0: it does not */
    /* The request at hand. */
    struct curl_slist *headers;
    qi_strbuf url, body;
    uint64_t n_sent_bytes;
    int result_fd; /* -1: not opened yet */
    int read_errno, write_errno;
    bool shrunk; /* the file */
    char curl_text[CURL_ERROR_SIZE];
} qi_place;

struct qi_sender {
    qi_sender_options options;
    CURLM *multi;
    qi_place *places;
    uint32_t n_places, n_uploads, n_taken_places;
    qi_delivery *over, **over_end; /* to be taken */
    uint32_t n_over;
    uint64_t no_room_until_ns;     /* nothing is sent before */
    uint64_t unreachable_since_ns; /* 0: it answers */
    bool said_unreachable, said_no_room;
};

/* Lets the delivery's fate be taken, and frees its place. */
void qi_place_end(qi_place *place);
/* What became of the place's request: goes on to the next, or ends the delivery. */
void qi_place_answered(qi_place *place, CURLcode code);

/* sender_request.c: makes and starts the request of the place's phase. False: no memory. */
bool qi_place_request(qi_place *place);
/* The descriptor of the result at hand, opened; -1: place->write_errno says why not. */
int qi_place_result(qi_place *place);
bool qi_place_is_result(const qi_place *place);

#endif
