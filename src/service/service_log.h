/* The service's log: a line for each thing that an operator may want to know of, on stderr, as text
 * or as JSON. A line is written by one call, so that lines of threads do not mix; what cannot be
 * written is dropped, since nobody could be told. Any thread. */
#ifndef QI_SERVICE_LOG_H
#define QI_SERVICE_LOG_H

#include <stdbool.h>

typedef enum qi_log_level { QI_LOG_ERROR, QI_LOG_WARNING, QI_LOG_INFO } qi_log_level;

typedef struct qi_service_log {
    int fd;
    bool json;
    qi_log_level most; /* what is less important is left out */
} qi_service_log;

/* document: its id, or NULL where it is about none. */
void qi_log(const qi_service_log *log, qi_log_level level, const char *document, const char *format,
            ...) __attribute__((format(printf, 4, 5)));

#endif
