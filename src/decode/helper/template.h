/* A helper as a template: libraries loaded, sandbox entered, and then nothing but making children,
 * one for each document. A child begins as the template is, which never sees a document, and costs
 * a fraction of a start. One thread. */
#ifndef QI_HELPER_TEMPLATE_H
#define QI_HELPER_TEMPLATE_H

#include <stdbool.h>

/* Makes a child for each socket that comes with a QI_MESSAGE_FORK, until the client closes its own
 * or breaks the rules; where a child cannot be made, its socket is closed. Returns true in a child,
 * which has its socket at QI_HELPER_SOCKET, no other, and is still to be confined
 * (qi_sandbox_narrow); false in the template, at its end. The sandbox must have been entered with
 * `forks`. */
bool qi_template_run(void);

#endif
