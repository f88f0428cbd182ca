/* Making children; see template.h. They are children of the template's own parent (CLONE_PARENT),
 * as if that had started each itself: it alone waits for them and sees how they ended, so that no
 * process id can be another's by then; and they die with it, by PR_SET_PDEATHSIG, not with the
 * template.
 *
 * The call is the bare one, since the C library's fork has no such flag. What that does beside is
 * not needed here: the template has one thread, so no lock of the library is held by another. */
#include "decode/helper/template.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decode/message.h"

/* Takes the place of the template's socket. */
static bool become_child(int socket) {
    bool ok = dup3(socket, QI_HELPER_SOCKET, 0) == QI_HELPER_SOCKET;
    close(socket);
    return ok;
}

bool qi_template_run(void) {
    qi_request request;
    int socket;
    while (qi_message_receive(QI_HELPER_SOCKET, &request, sizeof request, &socket) > 0) {
        if (request.version != QI_MESSAGE_VERSION || request.kind != QI_MESSAGE_FORK || socket < 0)
            return false;
        if (syscall(SYS_clone, (long)(CLONE_PARENT | SIGCHLD), NULL, NULL, NULL, NULL) == 0)
            return become_child(socket);
        close(socket);
    }
    return false;
}
