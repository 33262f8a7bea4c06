/*
 * libvirt's XML, as a host that went mad might send it: whatever the bytes are,
 * the three parsers answer or refuse.  Each input goes to all of them; the root
 * element decides which one looks further.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/domxml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
