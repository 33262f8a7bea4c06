#ifndef DROVER_CTL_POLICY_FILES_H
#define DROVER_CTL_POLICY_FILES_H

#include "config/diag.h"
#include "config/settings.h"

/*
 * The texts that `policy check` is about: files of policies by name, or all
 * *.yaml of a folder in lexical order; and, if wanted, drover.yaml with hosts.d
 * beside it.  What cannot be read is a fault like others.
 */

#define POLICY_FILES_MAX 1000
#define POLICY_FILES_SIZE_MAX (4 << 20) /* of one */

struct policy_files {
	struct settings_file files[POLICY_FILES_MAX];
	size_t count;
};

void policy_files_add(struct policy_files *files, const char *path,
    enum settings_file_kind kind, struct diag_list *diags);
/* drover.yaml and hosts.d beside it. */
void policy_files_add_config(
    struct policy_files *files, const char *path, struct diag_list *diags);
void policy_files_clear(struct policy_files *files);

#endif
