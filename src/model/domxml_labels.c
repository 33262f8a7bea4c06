/*
 * Labels that a guest carries in its own definition:
 *
 *	<metadata>
 *	  <drover:labels xmlns:drover="urn:drover:1">
 *	    <drover:label name="app">web</drover:label>
 *	  </drover:labels>
 *	</metadata>
 *
 * libvirt keeps one element of each namespace there and moves it with the guest.
 * `virsh metadata` puts the namespace on the outer element only, so the inner ones
 * may be without.  Other programs keep theirs beside it: a <labels> of another
 * namespace is none of ours.  What has not the form of a label is left out, since
 * a guest is not to be pinned for that.
 */
#include <string.h>

#include "base/label.h"
#include "model/domxml_device.h"
#include "model/xmlnode.h"

static bool
domxml_labels_is_ours(const xmlNode *node)
{
	return node->ns != NULL && node->ns->href != NULL &&
	    strcmp((const char *)node->ns->href, DOMXML_LABELS_URI) == 0;
}

static void
domxml_labels_add(
    struct arena *arena, const xmlNode *labels, struct label_list *list)
{
	for (const xmlNode *node = xmlnode_child(labels, "label"); node != NULL;
	     node = xmlnode_next(node)) {
		const char *key = xmlnode_attr(arena, node, "name");
		const char *value = xmlnode_text(arena, node);

		if (node->ns != NULL && !domxml_labels_is_ours(node))
			continue;
		if (key != NULL && value != NULL &&
		    label_check_key(key, NULL) == 0 &&
		    label_check_value(value, NULL) == 0)
			label_add(list, key, value);
	}
}

void
domxml_labels_parse(
    struct arena *arena, const xmlNode *domain, struct snap_vm *vm)
{
	const xmlNode *node =
	    xmlnode_child(xmlnode_child(domain, "metadata"), "labels");
	struct label_list list = {.count = 0};

	for (; node != NULL; node = xmlnode_next(node)) {
		if (domxml_labels_is_ours(node))
			domxml_labels_add(arena, node, &list);
	}
	vm->label_count = list.count;
	vm->label_keys = arena_array(arena, list.count, sizeof(char *));
	vm->label_values = arena_array(arena, list.count, sizeof(char *));
	for (size_t i = 0; i < list.count; i++) {
		vm->label_keys[i] = list.keys[i];
		vm->label_values[i] = list.values[i];
	}
}
