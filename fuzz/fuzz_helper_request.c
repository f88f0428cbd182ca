/* What the helper makes of whatever requests come: first byte, how many; for each a byte that says
 * which descriptor is sent along and the request; the rest is the document. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decode/helper/server.h"

enum { PIXELS_BYTES = 1 << 16, MAX_REQUESTS = 8, MAX_PIXELS = 1 << 20 };

static int memory_of(const uint8_t *bytes, size_t n, size_t size) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) return -1;
    if (ftruncate(fd, (off_t)size) || pwrite(fd, bytes, n, 0) != (ssize_t)n) {
        close(fd);
        return -1;
    }
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { STEP = 1 + sizeof(qi_request) };
    size_t n = size ? data[0] % (MAX_REQUESTS + 1) : 0;
    if (size < 1 + n * STEP) return 0;
    const uint8_t *document = data + 1 + n * STEP;
    size_t document_bytes = size - 1 - n * STEP;
    qi_server server = {.program = &qi_program_this};
    for (size_t i = 0; i < n; i++) {
        const uint8_t *step = data + 1 + i * STEP;
        qi_request request;
        memcpy(&request, step + 1, sizeof request);
        if (request.max_pixels > MAX_PIXELS) request.max_pixels = MAX_PIXELS;
        int fd = -1;
        if (step[0] % 3 == 1) fd = memory_of(document, document_bytes, document_bytes);
        if (step[0] % 3 == 2) fd = memory_of(document, 0, PIXELS_BYTES);
        qi_reply reply;
        if (qi_server_serve(&server, &request, fd, &reply) && reply.error != QUIRE_ERR_HELPER &&
            !qi_reply_valid(&reply, request.kind))
            __builtin_trap();
    }
    qi_server_done(&server);
    return 0;
}
