/* quire backup: copies a data folder, beside a running service too. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/service_options.h"
#include "serve/serve_commands.h"
#include "service/backup.h"

int qi_serve_backup(int argc, char **argv) {
    qi_backup_values values = {"quire-data"};
    quire_diag diag;
    int first;
    qi_parse_result parsed =
        qi_options_parse(&qi_backup_options, argc, argv, &values, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_RUN && argc - first != 1) {
        qi_fail(&diag, QUIRE_ERR_USAGE,
                "backup takes one operand, the folder to make; see quire "
                "backup --help");
        parsed = QI_PARSE_WRONG;
    }
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    qi_backup_counts counts;
    if (qi_backup_make(values.data, argv[first], &counts, &diag)) return qi_command_fail(&diag);
    fprintf(stderr, "quire: %s: records and %" PRIu64 " objects of %" PRIu64 " bytes\n",
            argv[first], counts.objects, counts.object_bytes);
    return 0;
}
