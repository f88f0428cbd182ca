/* Whole model files: loading, then decoding a few steps with what was loaded, dictionaries
 * included. */
#include <stdint.h>
#include <string.h>

#include "kernels/ctc/ctc.h"
#include "ocr/beam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const qi_lstm_model *m;
    quire_diag diag;
    if (qi_lstm_model_new(data, size, "fuzz", "fuzz", &m, &diag)) return 0;
    enum { n_steps = 24, max_classes = 64 };
    static float p[n_steps * max_classes];
    qi_beam *beam;
    if (m->n_classes <= max_classes && !qi_beam_new(m, true, &beam)) {
        memset(p, 0, sizeof p);
        for (uint32_t t = 0; t < n_steps; t++) {
            p[t * m->n_classes + t * 5 % m->n_classes] = 0.6f;
            p[t * m->n_classes + m->blank] += 0.39f;
        }
        qi_ctc_step steps[n_steps];
        qi_ctc_f32_ref(p, n_steps, m->n_classes, m->n_classes, m->blank, steps);
        qi_beam_line line;
        qi_beam_decode(beam, steps, n_steps, &line);
        qi_beam_free(beam);
    }
    qi_lstm_model_free(m);
    return 0;
}
