/* Addresses as text; see http_address.h. */
#include "server/http_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool read_port(const char *text, uint16_t *ret_port) {
    uint32_t port = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 6; n++)
        port = port * 10 + (uint32_t)(text[n] - '0');
    if (n == 0 || text[n] || port > UINT16_MAX) return false;
    *ret_port = (uint16_t)port;
    return true;
}

quire_err qi_http_address_parse(const char *text, struct sockaddr_storage *ret_address,
                                socklen_t *ret_n_bytes, quire_diag *diag) {
    char shown[128], host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(text, ':');
    uint16_t port = 0;
    if (!colon || !read_port(colon + 1, &port))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "%s: no port from 0 to 65535 at the end; write it as 127.0.0.1:8080, "
                       "[::1]:8080 or :8080",
                       qi_printable(shown, sizeof shown, text));
    size_t n = (size_t)(colon - text);
    const bool bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    const char *start = text + bracketed;
    n -= bracketed ? 2 : 0;
    const bool fits = n < sizeof host;
    if (fits) {
        memcpy(host, start, n);
        host[n] = 0;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (fits && !bracketed && inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memset(ret_address, 0, sizeof *ret_address);
        memcpy(ret_address, &v4, sizeof v4);
        *ret_n_bytes = sizeof v4;
        return QUIRE_ERR_OK;
    }
    const bool all = n == 0 && !bracketed;
    if (!all && !(fits && bracketed && inet_pton(AF_INET6, host, &v6.sin6_addr) == 1))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "%s: not an address in numbers; write it as 127.0.0.1:8080, [::1]:8080 or "
                       ":8080",
                       qi_printable(shown, sizeof shown, text));
    memset(ret_address, 0, sizeof *ret_address);
    memcpy(ret_address, &v6, sizeof v6);
    *ret_n_bytes = sizeof v6;
    return QUIRE_ERR_OK;
}

static struct in6_addr host_v6(const struct sockaddr_storage *address) {
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    return v6.sin6_addr;
}

static uint32_t host_v4(const struct sockaddr_storage *address) {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    return ntohl(v4.sin_addr.s_addr);
}

bool qi_http_address_is_loopback(const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET) return host_v4(address) >> 24 == 127;
    if (address->ss_family != AF_INET6) return false;
    const struct in6_addr host = host_v6(address);
    if (IN6_IS_ADDR_V4MAPPED(&host)) return host.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&host);
}

uint16_t qi_http_address_port(const struct sockaddr_storage *address) {
    struct sockaddr_in v4; /* the port lies at the same place in both */
    if (address->ss_family != AF_INET && address->ss_family != AF_INET6) return 0;
    memcpy(&v4, address, sizeof v4);
    return ntohs(v4.sin_port);
}

void qi_http_address_text(const struct sockaddr_storage *address,
                          char text[QI_HTTP_ADDRESS_BYTES]) {
    char host[INET6_ADDRSTRLEN] = "";
    const struct in6_addr v6 = host_v6(address);
    const struct in_addr v4 = {htonl(host_v4(address))};
    const unsigned port = qi_http_address_port(address);
    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4, host, sizeof host);
        snprintf(text, QI_HTTP_ADDRESS_BYTES, "%s:%u", host, port);
    } else {
        inet_ntop(AF_INET6, &v6, host, sizeof host);
        snprintf(text, QI_HTTP_ADDRESS_BYTES, "[%s]:%u", host, port);
    }
}
