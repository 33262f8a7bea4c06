/*
 * Any bytes as a configuration file: refused with positions or accepted, never
 * a crash.  The first byte chooses the kind of file (h: hosts, p: policies,
 * else the main file), the rest is its text.
 */

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Policies may name this receiver. */
static const char main_text[] =
    "version: 1\n"
    "receivers: [ { name: ops, type: cloudevents, url: \"http://[::1]/\" } ]\n";

static void
check_places(const struct diag_list *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		if (diags->items[i].line == 0 || diags->items[i].column == 0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings_file files[2] = {
	    {SETTINGS_MAIN, "main.yaml", main_text, sizeof(main_text) - 1},
	};
	struct buf out = BUF_INIT(1 << 20);
	struct settings *settings;
	struct diag_list diags, lints;
	size_t at = 0;

	if (size == 0)
		return 0;
	if (data[0] == 'h' || data[0] == 'p')
		at = 1;
	files[at] = (struct settings_file){
	    .kind = data[0] == 'h' ? SETTINGS_HOSTS
		: data[0] == 'p'   ? SETTINGS_POLICIES
				   : SETTINGS_MAIN,
	    .name = "fuzz.yaml",
	    .text = (const char *)data + 1,
	    .len = size - 1,
	};
	diag_init(&diags);
	diag_init(&lints);
	settings =
	    settings_parse_linted(files, at + 1, "/etc/drover", &diags, &lints);
	if ((settings == NULL) != diag_any(&diags))
		abort();
	check_places(&diags);
	check_places(&lints);
	diag_print(&diags, &out);
	buf_free(&out);
	diag_free(&diags);
	diag_free(&lints);
	settings_free(settings);
	return 0;
}
