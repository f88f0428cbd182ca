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
#include "decode/helper/template.h"

/* Tells how the start went. False: it is the end. */
static bool say_hello(qi_reply *hello, quire_err error, const quire_diag *diag) {
    hello->error = error;
    snprintf(hello->text, sizeof hello->text, "%s", diag->text);
    return qi_message_send(QI_HELPER_SOCKET, hello, sizeof *hello, -1) && !error;
}

/* Loads what this kind of helper needs and enters the sandbox; as a template, what follows is done
 * by its children. False: it is the end, of a template also when it has done its work. */
static bool start(bool with_heif, bool is_template, qi_heif_library *ret_heif) {
    qi_reply hello = {.version = QI_MESSAGE_VERSION, .kind = QI_MESSAGE_HELLO};
    quire_diag diag = {0};
    quire_err error;
    qi_sandbox_filter filter = {0};
    qi_sandbox_needs needs = qi_program_this.needs;
    needs.threads |= with_heif;
    if (with_heif && !qi_heif_library_load(ret_heif))
        error = qi_fail(&diag, QUIRE_ERR_MISSING,
                        "libheif is not installed; install the package libheif1");
    else if (qi_program_this.prepare && !qi_program_this.prepare())
        error = qi_fail(&diag, QUIRE_ERR_MISSING,
                        "its libraries do not start; install poppler and fontconfig anew");
    else
        error = is_template ? qi_sandbox_prepare(&needs, &filter, &diag) : QUIRE_ERR_OK;
    needs.forks = is_template;
    if (!error) error = qi_sandbox_enter(&needs, &hello.confinement, &hello.landlock_abi, &diag);
    if (!say_hello(&hello, error, &diag)) return false;
    if (!is_template) return true;
    return qi_template_run() && say_hello(&hello, qi_sandbox_narrow(&filter, &diag), &diag);
}

static int serve(bool with_heif, bool is_template) {
    qi_heif_library heif;
    if (!start(with_heif, is_template, &heif)) return 1;
    qi_server server = {.program = &qi_program_this, .heif = with_heif ? &heif : NULL};
    qi_request request;
    qi_reply reply;
    int descriptor, got;
    while ((got = qi_message_receive(QI_HELPER_SOCKET, &request, sizeof request, &descriptor)) > 0)
        if (qi_server_serve(&server, &request, descriptor, &reply) &&
            !qi_message_send(QI_HELPER_SOCKET, &reply, sizeof reply, -1))
            break;
    qi_server_done(&server);
    return got == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    bool with_heif = false, is_template = false, by_hand = fcntl(QI_HELPER_SOCKET, F_GETFD) < 0;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("quire-decode %s\n", quire_version());
        return 0;
    }
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], QI_HELPER_TEMPLATE_ARGUMENT) == 0)
            is_template = true;
        else if (strcmp(argv[i], QI_HELPER_HEIF_ARGUMENT) == 0 &&
                 qi_program_this.codecs[QI_FORMAT_HEIC])
            with_heif = true;
        else
            by_hand = true;
    if (by_hand) {
        fputs("quire-decode is started by quire and is of no use by hand.\n", stderr);
        return 1;
    }
    /* Fresh memory costs more than what is done with it, so some is kept from page to page, but not
     * so much that a helper kept for many files stays large. */
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 24 << 20);
    mallopt(M_ARENA_MAX, 1);
    return serve(with_heif, is_template);
}
