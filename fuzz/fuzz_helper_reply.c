/* What the client makes of whatever comes through the helper's socket: first byte, the request it
 * awaits an answer to; the rest, the message. */
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decode/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int pair[2];
    if (size < 2 || size > 4096 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return 0;
    qi_message_kind kind = data[0] % QI_N_MESSAGE_KINDS;
    qi_reply reply;
    bool sent = send(pair[0], data + 1, size - 1, MSG_NOSIGNAL) == (ssize_t)size - 1;
    if (sent && qi_message_receive(pair[1], &reply, sizeof reply, NULL) == 1 &&
        qi_reply_valid(&reply, kind)) {
        char text[QI_REPLY_TEXT_BYTES];
        qi_printable(text, sizeof text, reply.text);
        if (!quire_err_name(reply.error)) __builtin_trap();
        size_t stride;
        if (!reply.error && kind == QI_MESSAGE_OPEN && !reply.needs &&
            (!qi_format_media_type(reply.format) || !reply.n_pages))
            __builtin_trap();
        if (!reply.error && kind == QI_MESSAGE_MEASURE &&
            (!qi_pixels_bytes(reply.width_px, reply.height_px, &stride) || !(reply.dpi >= 0) ||
             isinf(reply.dpi)))
            __builtin_trap();
    }
    close(pair[0]);
    close(pair[1]);
    return 0;
}
