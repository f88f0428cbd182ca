/* Lines of the log; see service_log.h. */
#include "service/service_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

static const char *const level_names[] = {"error", "warning", "info"};

/* Text within a JSON string: control characters have become \xNN before. */
static size_t quote(char *out, size_t size, const char *text) {
    size_t n = 0;
    for (; *text && n + 3 < size; text++) {
        if (*text == '"' || *text == '\\') out[n++] = '\\';
        out[n++] = *text;
    }
    out[n] = 0;
    return n;
}

void qi_log(const qi_service_log *log, qi_log_level level, const char *document, const char *format,
            ...) {
    char raw[1200], text[1400], quoted[2900], line[3200], at[40];
    struct timespec now;
    struct tm tm;
    if (level > log->most) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    qi_printable(text, sizeof text, raw);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t n = strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(at + n, sizeof at - n, ".%03ldZ", now.tv_nsec / 1000000);
    int length;
    if (log->json) {
        quote(quoted, sizeof quoted, text);
        length =
            snprintf(line, sizeof line, "{\"at\":\"%s\",\"level\":\"%s\",%s%s%s\"text\":\"%s\"}\n",
                     at, level_names[level], document ? "\"document\":\"" : "",
                     document ? document : "", document ? "\"," : "", quoted);
    } else {
        length = snprintf(line, sizeof line, "%s %s %s%s%s\n", at, level_names[level],
                          document ? document : "", document ? " " : "", text);
    }
    if (length > (int)sizeof line - 1) length = (int)sizeof line - 1;
    if (write(log->fd, line, (size_t)length) < 0) return;
}
