/* The helper's side of the conversation: one document at a time, requests in any order. What a
 * request says is checked here; descriptors are taken over. One thread. */
#ifndef QI_HELPER_SERVER_H
#define QI_HELPER_SERVER_H

#include "decode/helper/codec.h"
#include "decode/helper/sandbox.h"
#include "decode/message.h"

/* What a helper program is made for. */
typedef struct qi_program {
    const qi_codec *codecs[QI_N_FORMATS]; /* NULL: left to others */
    qi_helper_kind others;                /* the kind of helper that has them */
    qi_sandbox_needs needs;
    bool (*prepare)(void); /* NULL: nothing. Before the sandbox; false: parts are missing */
} qi_program;

extern const qi_program qi_program_this; /* of program_images.c or program_pdf.c */

typedef struct qi_server {
    const qi_program *program;
    const struct qi_heif_library *heif; /* set once, before the first request; NULL: not loaded */
    qi_input input;                     /* mapped; bytes NULL: no document */
    const qi_codec *codec;
    void *state;
    qi_format format;
    uint32_t n_pages;
    uint64_t max_pixels;
    char password[QI_PASSWORD_BYTES]; /* the document's, for as long as it is open */
} qi_server;

/* Acts on a request. descriptor (-1: none) is closed. True where ret_reply is to be sent. */
bool qi_server_serve(qi_server *server, const qi_request *request, int descriptor,
                     qi_reply *ret_reply);
void qi_server_done(qi_server *server);

#endif
