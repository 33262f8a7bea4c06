/*
 * libvirt's XML, as a host that went mad might send it: whatever the bytes are,
 * the three parsers answer or refuse.  Each input goes to all of them; the root
 * element decides which one looks further.  A domain that is understood is also
 * edited, and what comes out is understood again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/domxml.h"
#include "model/domxml_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
edit_disk(struct arena *arena, const char *xml, const char *target)
{
	const struct domxml_edit edits[] = {
	    {.target = target, .path = "/new/image", .thin = true},
	    {.target = target, .backing = "/new/base", .backing_format = "raw"},
	    {.target = target, .eject = true},
	};

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct snap_vm vm = {0};
		struct err err = {0};
		char *edited = domxml_edit(xml, &edits[i], 1, &err);

		if (edited == NULL) {
			if (err.msg[0] == '\0')
				abort();
			continue;
		}
		if (domxml_parse_domain(arena, edited, &vm, &err) < 0)
			abort();
		free(edited);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((size_t)1 << 30);
	char *xml = malloc(size + 1);
	struct snap_host host = {0};
	struct snap_pool pool = {0};
	struct snap_vm vm = {0};
	struct err err = {0};

	if (xml == NULL)
		abort();
	memcpy(xml, data, size);
	xml[size] = '\0';
	if (domxml_parse_domain(arena, xml, &vm, &err) == 0) {
		/* What decisions rely on. */
		for (size_t i = 0; i < vm.disk_count; i++) {
			if (vm.disks[i].target == NULL ||
			    (vm.disks[i].source == NULL &&
				vm.disks[i].kind != SNAP_DISK_EMPTY))
				abort();
			edit_disk(arena, xml, vm.disks[i].target);
		}
		if (vm.abi.key == NULL)
			abort();
	} else if (err.msg[0] == '\0') {
		abort();
	}
	(void)domxml_parse_pool(arena, xml, &pool, NULL);
	(void)domxml_parse_capabilities(arena, xml, &host, NULL);
	free(xml);
	arena_free(arena);
	return 0;
}
