/* The network component of a model file. */
#include <stdint.h>

#include "model/lstm_network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const qi_model_source source = {"fuzz", "fuzz"};
    qi_lstm_network net;
    quire_diag diag;
    if (!qi_lstm_network_parse(data, size, &source, &net, &diag)) qi_graph_free(net.graph);
    return 0;
}
