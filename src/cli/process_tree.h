/* What this process and its children take: processor time, and memory as a thread of its own sees
 * it at most twice a second (the sum of proportional set sizes, so that what they share counts
 * once). Where the kernel does not say, values are 0. Internally locked. */
#ifndef QI_CLI_PROCESS_TREE_H
#define QI_CLI_PROCESS_TREE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct qi_process_tree qi_process_tree;

/* NULL: no memory or thread; the functions below then give 0. */
qi_process_tree *qi_process_tree_watch(void);
void qi_process_tree_free(qi_process_tree *tree);

uint64_t qi_process_tree_peak_bytes(qi_process_tree *tree);
/* Of all threads and children, those that ended as well. */
uint64_t qi_process_tree_cpu_ns(void);

#endif
