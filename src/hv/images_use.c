/*
 * Is an image anybody's?  Asked before each removal, because a wrong answer
 * costs a disk.
 *
 * libvirt itself does not ask: it deletes the volume under a running guest.  A
 * domain counts when its XML, live or persistent, has the path anywhere: as a
 * disk, an image below one, the target of a block job, firmware, kernel.  The
 * chain of a guest that is off is not in its XML; it is followed through the
 * volumes' own headers.
 */
#include "hv/images_use.h"

#include <libvirt/virterror.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "hv/disks.h"
#include "hv/volume.h"
#include "model/xmlnode.h"

#define IMAGES_USE_CHAIN_MAX 64

static bool
images_use_text_is(const xmlNode *children, const char *path)
{
	xmlChar *text = xmlNodeListGetString(
	    children != NULL ? children->doc : NULL, children, 1);
	bool is = text != NULL && strcmp((const char *)text, path) == 0;

	xmlFree(text);
	return is;
}

static bool
images_use_is_named(const xmlNode *node, const char *path)
{
	for (; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		for (const xmlAttr *attr = node->properties; attr != NULL;
		     attr = attr->next) {
			if (images_use_text_is(attr->children, path))
				return true;
		}
		if (images_use_text_is(node->children, path) ||
		    images_use_is_named(node->children, path))
			return true;
	}
	return false;
}

/* Follows the headers from a disk's image down. */
static bool
images_use_is_below(
    const struct hv_conn *conn, const char *top, const char *path)
{
	cleanup(volume_arena_free) struct arena *arena =
	    arena_new(VOLUME_ARENA_MAX);
	const char *at = top;

	for (int i = 0; at != NULL && i < IMAGES_USE_CHAIN_MAX; i++) {
		cleanup(volume_free) virStorageVolPtr vol = NULL;
		struct volume volume;

		if (strcmp(at, path) == 0)
			return true;
		vol = virStorageVolLookupByPath(conn->vir, at);
		if (vol == NULL ||
		    volume_describe(conn, vol, arena, &volume, NULL) < 0)
			return false;
		at = volume.backing;
	}
	return false;
}

static int
images_use_check_xml(const struct hv_conn *conn, const char *name,
    const char *xml, const char *path, struct err *err)
{
	cleanup_xmldoc xmlDoc *doc = xmlnode_read(xml, "domain", err);
	cleanup(disks_clear) struct disks disks = {0};
	bool used;

	if (doc == NULL)
		return err_prefix(err, "%s", name);
	used = images_use_is_named(xmlDocGetRootElement(doc), path);
	if (disks_read(conn, xml, &disks, err) < 0)
		return err_prefix(err, "%s", name);
	for (size_t i = 0; !used && i < disks.count; i++)
		used = images_use_is_below(conn, disks.list[i].path, path);
	if (!used)
		return 0;
	return err_set(
	    err, ERR_CONFLICT, "%s is in use by the domain %s", path, name);
}

/* A domain that ends or goes meanwhile has nothing any more. */
static bool
images_use_is_gone(void)
{
	virErrorPtr error = virGetLastError();

	return error != NULL &&
	    (error->code == VIR_ERR_NO_DOMAIN ||
		error->code == VIR_ERR_OPERATION_INVALID);
}

static int
images_use_check_domain(const struct hv_conn *conn, virDomainPtr domain,
    const char *path, struct err *err)
{
	static const unsigned kinds[] = {0, VIR_DOMAIN_XML_INACTIVE};
	const char *name = virDomainGetName(domain);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		cleanup_free char *xml = virDomainGetXMLDesc(domain, kinds[i]);

		if (xml == NULL && images_use_is_gone())
			continue;
		if (xml == NULL)
			return conn_fail(conn, err);
		if (images_use_check_xml(conn, name, xml, path, err) < 0)
			return -1;
	}
	return 0;
}

int
images_use_check(const struct hv_conn *conn, const char *path, struct err *err)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(conn->vir, &domains, 0);
	int rc = 0;

	if (count < 0)
		return conn_fail(conn, err);
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = images_use_check_domain(
			    conn, domains[i], path, err);
		(void)virDomainFree(domains[i]);
	}
	free(domains);
	return rc;
}
