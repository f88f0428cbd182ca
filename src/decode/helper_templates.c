/* The table of templates; see helper_templates.h. A lock is held until the new helper has said
 * hello, which takes less than a millisecond, so that nobody ends a template that another waits
 * for. */
#include "decode/helper_templates.h"

#include <pthread.h>
#include <stdlib.h>

struct qi_helper_templates {
    struct {
        pthread_mutex_t lock;
        qi_helper helper;
    } of_kind[QI_N_HELPER_KINDS];
};

qi_helper_templates *qi_helper_templates_new(void) {
    qi_helper_templates *t = calloc(1, sizeof *t);
    for (int i = 0; t && i < QI_N_HELPER_KINDS; i++)
        pthread_mutex_init(&t->of_kind[i].lock, NULL);
    return t;
}

void qi_helper_templates_free(qi_helper_templates *t) {
    for (int i = 0; t && i < QI_N_HELPER_KINDS; i++) {
        qi_helper_stop(&t->of_kind[i].helper);
        pthread_mutex_destroy(&t->of_kind[i].lock);
    }
    free(t);
}

static quire_err fork_once(qi_helper *template, const char *path, qi_helper_kind kind,
                           const qi_deadline *deadline, qi_helper *ret_helper, quire_diag *diag) {
    quire_err e = QUIRE_ERR_OK;
    if (!template->pid) e = qi_helper_start(template, path, kind, true, deadline, diag);
    return e ? e : qi_helper_fork(ret_helper, template, path, deadline, diag);
}

quire_err qi_helper_templates_fork(qi_helper_templates *t, const char *path, qi_helper_kind kind,
                                   const qi_deadline *deadline, qi_helper *ret_helper,
                                   quire_diag *diag) {
    qi_helper *template = &t->of_kind[kind].helper;
    pthread_mutex_lock(&t->of_kind[kind].lock);
    bool is_old = qi_helper_alive(template);
    quire_err e = fork_once(template, path, kind, deadline, ret_helper, diag);
    /* It may have been killed at this moment. */
    if (e == QUIRE_ERR_HELPER && is_old && !template->pid)
        e = fork_once(template, path, kind, deadline, ret_helper, diag);
    pthread_mutex_unlock(&t->of_kind[kind].lock);
    return e;
}
