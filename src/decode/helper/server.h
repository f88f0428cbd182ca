/* The helper's side of the conversation: one document at a time, requests in any order. What a
 * request says is checked here; descriptors are taken over. One thread. */
#ifndef QI_HELPER_SERVER_H
#define QI_HELPER_SERVER_H

#include "decode/helper/codec.h"
#include "decode/message.h"

typedef struct qi_server {
    const struct qi_heif_library *heif; /* set once, before the first request; NULL: not loaded */
    qi_input input;                     /* mapped; bytes NULL: no document */
    const qi_codec *codec;
    void *state;
    qi_format format;
    uint32_t n_pages;
    uint64_t max_pixels;
} qi_server;

/* Acts on a request. descriptor (-1: none) is closed. True where ret_reply is to be sent. */
bool qi_server_serve(qi_server *server, const qi_request *request, int descriptor,
                     qi_reply *ret_reply);
void qi_server_done(qi_server *server);

#endif
