/* What is there: the machine's share for this process, and a trial start of the helper. */
#include <string.h>

#include "base/cpu.h"
#include "decode/decoder.h"
#include "flow/cgroup.h"

static quire_err try_helper(const char *path, quire_system *s) {
    const qi_decoder_limits limits = {.max_pixels = 1};
    qi_decoder *decoder;
    qi_confinement confinement;
    quire_err err = qi_decoder_new(path, &limits, &decoder, &s->helper);
    if (err) return err;
    err = qi_decoder_start(decoder, QI_HELPER_IMAGES, &confinement, &s->helper);
    if (!err) {
        s->helper_seccomp = confinement.seccomp;
        s->helper_landlock = confinement.landlock;
        s->helper_heif = !qi_decoder_start(decoder, QI_HELPER_HEIF, &confinement, NULL);
        if (!qi_decoder_start(decoder, QI_HELPER_PDF, &confinement, &s->helper_pdf))
            s->helper_pdf = (quire_diag){0};
    }
    qi_decoder_free(decoder);
    return err;
}

void quire_system_probe(const char *decode_helper, quire_system *ret_system) {
    quire_system s = {.cpu_level_max = qi_cpu_level_name(qi_cpu_level_max()),
                      .cores = qi_cores_allowed(),
                      .memory_bytes = qi_memory_allowed_bytes()};
    if (try_helper(decode_helper, &s) == QUIRE_ERR_OK) s.helper = (quire_diag){0};
    *ret_system = s;
}
