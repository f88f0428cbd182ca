/* Addresses to listen at, as text: "127.0.0.1:8080", "[::1]:8080", ":8080" (every address of the
 * machine). Numbers only: looking up a name may take long and give several. Pure, any thread. */
#ifndef QI_SERVER_HTTP_ADDRESS_H
#define QI_SERVER_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

enum { QI_HTTP_ADDRESS_BYTES = 64 };

/* USAGE when text is not such an address. Port 0: one that is free. */
quire_err qi_http_address_parse(const char *text, struct sockaddr_storage *ret_address,
                                socklen_t *ret_n_bytes, quire_diag *diag);

/* Whether none but this machine reaches it; of IPv4 also when written as IPv6. */
bool qi_http_address_is_loopback(const struct sockaddr_storage *address);

/* The port; 0 of what is no internet address. */
uint16_t qi_http_address_port(const struct sockaddr_storage *address);

/* As qi_http_address_parse takes it. */
void qi_http_address_text(const struct sockaddr_storage *address, char text[QI_HTTP_ADDRESS_BYTES]);

#endif
