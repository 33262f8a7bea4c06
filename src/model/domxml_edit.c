/*
 * Editing a domain's XML for another host.
 *
 * The tree is read with its white space and comments and written again without
 * any formatting, so that only quotes and entities may look different from
 * what came in.  Namespaces (qemu:commandline) are carried by libxml2.
 *
 * A new image is always a file: a block device or a pool's volume at the source
 * becomes the path of what was made for it at the target.  What belongs to the
 * place and not to the image (pool, host, authentication, reservations, slices)
 * goes with it; encryption and security labels stay.
 *
 * Paths come from hosts and pools: whatever can't be said in XML is refused, not
 * mangled.
 */
#include "model/domxml_edit.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "model/domxml.h"
#include "model/xmlnode.h"

#define X(text) ((const xmlChar *)(text))

static int
domxml_edit_text_ok(const char *text, const char *what, struct err *err)
{
	if (text == NULL)
		return 0;
	if (text[0] == '\0' || !xmlCheckUTF8(X(text)))
		return err_set(err, ERR_INVALID, "%s is no text for XML", what);
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(err, ERR_INVALID,
			    "%s has a control character", what);
	}
	return 0;
}

static void
domxml_edit_set(xmlNode *node, const char *name, const char *value)
{
	if (xmlSetProp(node, X(name), X(value)) == NULL)
		abort();
}

static void
domxml_edit_unset(xmlNode *node, const char *name)
{
	xmlAttr *attr = xmlHasNsProp(node, X(name), NULL);

	if (attr != NULL)
		(void)xmlRemoveProp(attr);
}

/* With the white space before it, so that no empty line stays. */
static void
domxml_edit_remove(xmlNode *node)
{
	xmlNode *before = node->prev;

	if (before != NULL && xmlIsBlankNode(before)) {
		xmlUnlinkNode(before);
		xmlFreeNode(before);
	}
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}

static void
domxml_edit_remove_child(xmlNode *parent, const char *name)
{
	xmlNode *node;

	while ((node = xmlnode_child(parent, name)) != NULL)
		domxml_edit_remove(node);
}

/* As the first child: libvirt's own order begins with <driver>, <source>. */
static xmlNode *
domxml_edit_add_first(xmlNode *parent, const char *name)
{
	xmlNode *node = xmlNewDocNode(parent->doc, NULL, X(name), NULL);
	xmlNode *first = parent->children;

	if (node == NULL)
		abort();
	if (first == NULL) {
		(void)xmlAddChild(parent, node);
	} else {
		xmlNode *blank = NULL;

		if (xmlIsBlankNode(first))
			blank = xmlDocCopyNode(first, parent->doc, 1);
		(void)xmlAddPrevSibling(first, node);
		if (blank != NULL)
			(void)xmlAddPrevSibling(node, blank);
	}
	return node;
}

static xmlNode *
domxml_edit_need(xmlNode *parent, const char *name)
{
	xmlNode *node = xmlnode_child(parent, name);

	return node != NULL ? node : domxml_edit_add_first(parent, name);
}

/* Leaves of a <source> only what any file may have. */
static void
domxml_edit_strip_source(xmlNode *source)
{
	xmlNode *node = source->children, *next;
	xmlAttr *attr = source->properties, *after;

	for (; attr != NULL; attr = after) {
		after = attr->next;
		if (strcmp((const char *)attr->name, "startupPolicy") != 0)
			(void)xmlRemoveProp(attr);
	}
	for (; node != NULL; node = next) {
		next = node->next;
		if (node->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)node->name, "seclabel") != 0 &&
		    strcmp((const char *)node->name, "encryption") != 0)
			domxml_edit_remove(node);
	}
}

static void
domxml_edit_path(xmlNode *disk, const char *path)
{
	xmlNode *source = domxml_edit_need(disk, "source");

	domxml_edit_strip_source(source);
	domxml_edit_remove_child(disk, "auth");
	domxml_edit_set(disk, "type", "file");
	domxml_edit_set(source, "file", path);
}

/* One image below.  What is below that is for libvirt to find, unless it is
 * the image that it was. */
static int
domxml_edit_backing(
    xmlNode *disk, const struct domxml_edit *edit, struct err *err)
{
	xmlNode *store = xmlnode_child(disk, "backingStore");
	xmlNode *format = xmlnode_child(store, "format");
	xmlNode *source = xmlnode_child(store, "source");

	if (edit->backing_format == NULL && format == NULL)
		return err_set(err, ERR_INVALID,
		    "the format of the image below is not known");
	if (store != NULL && xmlnode_attr_is(store, "type", "file") &&
	    xmlnode_attr_is(source, "file", edit->backing)) {
		if (edit->backing_format != NULL)
			domxml_edit_set(domxml_edit_need(store, "format"),
			    "type", edit->backing_format);
		return 0;
	}
	if (store == NULL) {
		xmlNode *after = xmlnode_child(disk, "source");

		store = xmlNewDocNode(disk->doc, NULL, X("backingStore"), NULL);
		if (store == NULL)
			abort();
		if (after != NULL)
			(void)xmlAddNextSibling(after, store);
		else
			(void)xmlAddChild(disk, store);
	}
	domxml_edit_remove_child(store, "backingStore");
	domxml_edit_unset(store, "index");
	domxml_edit_set(store, "type", "file");
	source = domxml_edit_need(store, "source");
	domxml_edit_strip_source(source);
	domxml_edit_set(source, "file", edit->backing);
	format = domxml_edit_need(store, "format");
	if (edit->backing_format != NULL)
		domxml_edit_set(format, "type", edit->backing_format);
	return 0;
}

static int
domxml_edit_eject(xmlNode *disk, struct err *err)
{
	xmlNode *target = xmlnode_child(disk, "target");

	if (!xmlnode_attr_is(disk, "device", "cdrom") &&
	    !xmlnode_attr_is(disk, "device", "floppy"))
		return err_set(err, ERR_INVALID,
		    "only a CD-ROM or floppy drive can be without a medium");
	domxml_edit_remove_child(disk, "source");
	domxml_edit_remove_child(disk, "backingStore");
	domxml_edit_remove_child(disk, "auth");
	domxml_edit_remove_child(disk, "encryption");
	domxml_edit_set(disk, "type", "file");
	domxml_edit_unset(target, "tray");
	return 0;
}

static int
domxml_edit_disk(xmlNode *disk, const struct domxml_edit *edit, struct err *err)
{
	if (domxml_edit_text_ok(edit->path, "the path", err) < 0 ||
	    domxml_edit_text_ok(edit->format, "the format", err) < 0 ||
	    domxml_edit_text_ok(edit->backing, "the path below", err) < 0 ||
	    domxml_edit_text_ok(edit->backing_format, "the format below", err) <
		0)
		return -1;
	if (edit->eject)
		return domxml_edit_eject(disk, err);
	if (edit->path != NULL)
		domxml_edit_path(disk, edit->path);
	if (edit->backing != NULL) {
		if (domxml_edit_backing(disk, edit, err) < 0)
			return -1;
	} else if (edit->path != NULL) {
		domxml_edit_remove_child(disk, "backingStore");
	}
	if (edit->format != NULL || edit->thin) {
		xmlNode *driver = xmlnode_child(disk, "driver");

		if (driver == NULL) {
			driver = domxml_edit_add_first(disk, "driver");
			domxml_edit_set(driver, "name", "qemu");
		}
		if (edit->format != NULL)
			domxml_edit_set(driver, "type", edit->format);
		if (edit->thin) {
			domxml_edit_set(driver, "discard", "unmap");
			domxml_edit_set(driver, "detect_zeroes", "unmap");
		}
	}
	return 0;
}

static xmlNode *
domxml_edit_find(xmlNode *root, const char *target)
{
	xmlNode *devices = xmlnode_child(root, "devices");
	xmlNode *disk = xmlnode_child(devices, "disk");

	while (disk != NULL &&
	    !xmlnode_attr_is(xmlnode_child(disk, "target"), "dev", target))
		disk = xmlnode_next(disk);
	return disk;
}

/* Without a declaration of its own: libvirt gives and takes bare elements. */
static char *
domxml_edit_write(xmlDoc *doc)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text;

	if (buffer == NULL)
		abort();
	for (xmlNode *node = doc->children; node != NULL; node = node->next) {
		if (xmlNodeDump(buffer, doc, node, 0, 0) < 0 ||
		    xmlBufferCat(buffer, X("\n")) < 0)
			abort();
	}
	text = strdup((const char *)xmlBufferContent(buffer));
	if (text == NULL)
		abort();
	xmlBufferFree(buffer);
	return text;
}

char *
domxml_edit(const char *xml, const struct domxml_edit *edits, size_t count,
    struct err *err)
{
	cleanup_xmldoc xmlDoc *doc = xmlnode_read_exact(xml, "domain", err);
	xmlNode *root;

	if (doc == NULL)
		return NULL;
	root = xmlDocGetRootElement(doc);
	for (size_t i = 0; i < count; i++) {
		xmlNode *disk = domxml_edit_find(root, edits[i].target);

		if (disk == NULL) {
			(void)err_set(err, ERR_NOT_FOUND,
			    "the guest has no disk %s", edits[i].target);
			return NULL;
		}
		if (domxml_edit_disk(disk, &edits[i], err) < 0) {
			(void)err_prefix(err, "disk %s", edits[i].target);
			return NULL;
		}
	}
	return domxml_edit_write(doc);
}
