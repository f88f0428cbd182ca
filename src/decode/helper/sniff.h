/* Tells the type of a file from its first bytes. Pure. */
#ifndef QI_HELPER_SNIFF_H
#define QI_HELPER_SNIFF_H

#include "decode/helper/codec.h"
#include "decode/message.h"

/* The type where the helper reads it; else NONE and the name of the type, "GIF images", NULL where
 * it is not known either. Static storage. */
qi_format qi_sniff(const qi_input *input, const char **ret_foreign);

#endif
