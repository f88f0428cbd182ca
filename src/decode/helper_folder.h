/* Where helpers are installed; the build writes it, so that it follows the prefix. Immutable. */
#ifndef QI_DECODE_HELPER_FOLDER_H
#define QI_DECODE_HELPER_FOLDER_H

extern const char qi_helper_folder[]; /* "/usr/local/libexec/quire" */

#endif
