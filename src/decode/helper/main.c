/* quire-decode: opens hostile images for quire, in a sandbox, and hands back grey pixels. Started
 * by the library with a socket at descriptor 3; of no use by hand. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "decode/helper/sandbox.h"
#include "decode/helper/server.h"

static int serve(void) {
    qi_reply reply = {.version = QI_MESSAGE_VERSION, .kind = QI_MESSAGE_HELLO};
    quire_diag diag = {0};
    reply.error = qi_sandbox_enter(&reply.confinement, &reply.landlock_abi, &diag);
    snprintf(reply.text, sizeof reply.text, "%s", diag.text);
    if (!qi_message_send(QI_HELPER_SOCKET, &reply, sizeof reply, -1) || reply.error) return 1;
    qi_server server = {0};
    qi_request request;
    int descriptor, got;
    while ((got = qi_message_receive(QI_HELPER_SOCKET, &request, sizeof request, &descriptor)) > 0)
        if (qi_server_serve(&server, &request, descriptor, &reply) &&
            !qi_message_send(QI_HELPER_SOCKET, &reply, sizeof reply, -1))
            break;
    qi_server_done(&server);
    return got == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("quire-decode %s\n", quire_version());
        return 0;
    }
    if (argc > 1 || isatty(QI_HELPER_SOCKET)) {
        fputs("quire-decode is started by quire and is of no use by hand.\n", stderr);
        return 1;
    }
    /* Pages' worth of memory goes back at once, so that a helper kept for many files stays small.
     */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
    mallopt(M_ARENA_MAX, 1);
    return serve();
}
