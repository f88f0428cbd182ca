/* quire-decode and quire-decode-pdf: open hostile documents for quire, in a sandbox, and hand back
 * grey pixels. Started by the library with a socket at descriptor 3; of no use by hand. */
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "decode/helper/heif_library.h"
#include "decode/helper/sandbox.h"
#include "decode/helper/server.h"

static int serve(bool with_heif) {
    qi_reply reply = {.version = QI_MESSAGE_VERSION, .kind = QI_MESSAGE_HELLO};
    quire_diag diag = {0};
    qi_server server = {.program = &qi_program_this};
    qi_heif_library heif;
    qi_sandbox_needs needs = qi_program_this.needs;
    needs.threads |= with_heif;
    if (with_heif && !qi_heif_library_load(&heif))
        reply.error = qi_fail(&diag, QUIRE_ERR_MISSING,
                              "libheif is not installed; install the package libheif1");
    else if (qi_program_this.prepare && !qi_program_this.prepare())
        reply.error = qi_fail(&diag, QUIRE_ERR_MISSING,
                              "its libraries do not start; install poppler and fontconfig anew");
    else
        reply.error = qi_sandbox_enter(&needs, &reply.confinement, &reply.landlock_abi, &diag);
    if (with_heif) server.heif = &heif;
    snprintf(reply.text, sizeof reply.text, "%s", diag.text);
    if (!qi_message_send(QI_HELPER_SOCKET, &reply, sizeof reply, -1) || reply.error) return 1;
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
    bool with_heif = argc == 2 && strcmp(argv[1], QI_HELPER_HEIF_ARGUMENT) == 0 &&
                     qi_program_this.codecs[QI_FORMAT_HEIC];
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("quire-decode %s\n", quire_version());
        return 0;
    }
    if (argc > 1 + with_heif || fcntl(QI_HELPER_SOCKET, F_GETFD) < 0) {
        fputs("quire-decode is started by quire and is of no use by hand.\n", stderr);
        return 1;
    }
    /* Fresh memory costs more than what is done with it, so some is kept from page to page, but not
     * so much that a helper kept for many files stays large. */
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 24 << 20);
    mallopt(M_ARENA_MAX, 1);
    return serve(with_heif);
}
