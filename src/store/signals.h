/* Signals: that there may be work, that a document has changed. They carry ids and know nothing: a
 * signal may be lost, come twice, or come for what is over, and whoever hears it asks the records.
 * So nothing may wait for a signal alone, but for that and a time. Behind a driver, so that a
 * process of its own and job streams such as Redis's look alike; what a driver must hold to is
 * tests/store/signals_suite.h.
 *
 * Every function may be called from any thread. */
#ifndef QI_STORE_SIGNALS_H
#define QI_STORE_SIGNALS_H

#include "base/err.h"

typedef enum qi_signal_kind {
    QI_SIGNAL_WORK,    /* a document was queued, or its time has come */
    QI_SIGNAL_CHANGED, /* something happened to a document: there are new events of it */
    QI_N_SIGNAL_KINDS
} qi_signal_kind;

typedef struct qi_signals qi_signals;
typedef struct qi_listener qi_listener;

typedef struct qi_signals_driver {
    const char *name; /* "local" */
    quire_err (*open)(const char *where, qi_signals **ret, quire_diag *diag);
    void (*close)(qi_signals *signals); /* nobody listens any more */
    /* id: of the document. Returns at once. */
    void (*publish)(qi_signals *signals, qi_signal_kind kind, const char *id);
    /* From now on heard is called for signals of this kind, from any thread and several at once; it
     * returns at once and may publish, but not listen. NO_MEMORY. */
    quire_err (*listen)(qi_signals *signals, qi_signal_kind kind,
                        void (*heard)(void *context, const char *id), void *context,
                        qi_listener **ret, quire_diag *diag);
    /* When it returns heard runs no more. NULL does nothing. */
    void (*unlisten)(qi_listener *listener);
} qi_signals_driver;

/* The beginning of every driver's own structure. */
struct qi_signals {
    const qi_signals_driver *driver;
};

/* Within one process: a signal is heard before _publish returns. where is not used. */
extern const qi_signals_driver qi_signals_local;

#endif
