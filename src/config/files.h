#ifndef DROVER_CONFIG_FILES_H
#define DROVER_CONFIG_FILES_H

#include "config/settings.h"

/*
 * Reads FILE and, beside it, hosts.d and policies.d (each *.yaml in lexical
 * order), at most FILES_MAX files of FILES_SIZE_MAX bytes, and parses them as
 * one.  Also reads nothing else: secrets are read by those who use them.
 * Not part of libcore (it reads the disk).
 */
#define FILES_MAX 1000
#define FILES_SIZE_MAX (4 << 20)

struct settings *files_load_settings(const char *path, struct diag_list *diags);

#endif
