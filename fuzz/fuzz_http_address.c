/* Addresses to listen at, of any bytes: refused, or one whose text gives the same address again. */
#include <stdlib.h>
#include <string.h>

#include "server/http_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    struct sockaddr_storage address, again;
    socklen_t n, n_again;
    quire_diag diag;
    if (qi_http_address_parse(text, &address, &n, &diag) == QUIRE_ERR_OK) {
        char written[QI_HTTP_ADDRESS_BYTES];
        qi_http_address_text(&address, written);
        if (qi_http_address_parse(written, &again, &n_again, &diag)) abort();
        if (n != n_again || memcmp(&address, &again, sizeof address)) abort();
        if (qi_http_address_is_loopback(&address) != qi_http_address_is_loopback(&again)) abort();
    }
    free(text);
    return 0;
}
