/*
 * libvirt writes XML without DTD, entities or namespaces that matter here.
 * Whatever has a DTD is therefore not libvirt's and is refused, which also
 * rules out entity bombs; the network is never touched (NONET), entities are
 * not substituted (no NOENT), and libxml2's own limits on depth and text size
 * stay in force (no HUGE).
 *
 * Elements are compared by local name: qemu:commandline lives in another
 * namespace under a name that libvirt itself does not use.
 */
#include "model/xmlnode.h"

#include <ctype.h>
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "model/domxml.h"
#include "model/snapshot.h"

#define XMLNODE_OPTIONS                                                        \
	(XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
#define XMLNODE_HOSTS_MAX 64
#define XMLNODE_SOURCE_MAX (64 << 10)

static xmlDoc *
xmlnode_parse(const char *xml, const char *root, int options, struct err *err)
{
	size_t len = strlen(xml);
	xmlDoc *doc;
	const xmlNode *node;

	if (len > DOMXML_SIZE_MAX) {
		err_set(err, ERR_LIMIT, "XML of %zu bytes is larger than %d",
		    len, DOMXML_SIZE_MAX);
		return NULL;
	}
	doc = xmlReadMemory(xml, (int)len, NULL, NULL, options);
	if (doc == NULL) {
		const xmlError *why = xmlGetLastError();

		err_set(err, ERR_INVALID, "not well-formed XML, line %d",
		    why != NULL ? why->line : 0);
		return NULL;
	}
	node = xmlDocGetRootElement(doc);
	if (doc->intSubset != NULL || doc->extSubset != NULL) {
		err_set(err, ERR_INVALID, "XML with a DTD is refused");
	} else if (node == NULL ||
	    strcmp((const char *)node->name, root) != 0) {
		err_set(err, ERR_INVALID, "expected <%s>, found <%.64s>", root,
		    node != NULL ? (const char *)node->name : "");
	} else {
		return doc;
	}
	xmlFreeDoc(doc);
	return NULL;
}

xmlDoc *
xmlnode_read(const char *xml, const char *root, struct err *err)
{
	return xmlnode_parse(
	    xml, root, XMLNODE_OPTIONS | XML_PARSE_NOBLANKS, err);
}

xmlDoc *
xmlnode_read_exact(const char *xml, const char *root, struct err *err)
{
	return xmlnode_parse(xml, root, XMLNODE_OPTIONS, err);
}

void
xmlnode_doc_free(xmlDoc **doc)
{
	if (*doc != NULL)
		xmlFreeDoc(*doc);
}

static xmlNode *
xmlnode_find(xmlNode *node, const char *name)
{
	for (; node != NULL; node = node->next) {
		if (node->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)node->name, name) == 0)
			return node;
	}
	return NULL;
}

xmlNode *
xmlnode_child(const xmlNode *parent, const char *name)
{
	return parent != NULL ? xmlnode_find(parent->children, name) : NULL;
}

xmlNode *
xmlnode_next(const xmlNode *node)
{
	return xmlnode_find(node->next, (const char *)node->name);
}

size_t
xmlnode_count(const xmlNode *parent, const char *name)
{
	size_t count = 0;

	for (const xmlNode *node = xmlnode_child(parent, name); node != NULL;
	     node = xmlnode_next(node))
		count++;
	return count;
}

/* Copies to the arena without the white space around it. */
static const char *
xmlnode_take(struct arena *arena, xmlChar *text)
{
	const char *start = (const char *)text;
	char *copy = NULL;
	size_t len;

	if (text == NULL)
		return NULL;
	while (isspace((unsigned char)*start))
		start++;
	len = strlen(start);
	while (len > 0 && isspace((unsigned char)start[len - 1]))
		len--;
	if (len > 0)
		copy = arena_strndup(arena, start, len);
	xmlFree(text);
	return copy;
}

const char *
xmlnode_attr(struct arena *arena, const xmlNode *node, const char *name)
{
	if (node == NULL)
		return NULL;
	return xmlnode_take(arena, xmlGetNoNsProp(node, (const xmlChar *)name));
}

const char *
xmlnode_text(struct arena *arena, const xmlNode *node)
{
	if (node == NULL)
		return NULL;
	return xmlnode_take(arena, xmlNodeGetContent(node));
}

const char *
xmlnode_child_attr(struct arena *arena, const xmlNode *parent,
    const char *child, const char *name)
{
	return xmlnode_attr(arena, xmlnode_child(parent, child), name);
}

const char *
xmlnode_child_text(
    struct arena *arena, const xmlNode *parent, const char *child)
{
	return xmlnode_text(arena, xmlnode_child(parent, child));
}

bool
xmlnode_attr_is(const xmlNode *node, const char *name, const char *value)
{
	xmlChar *text;
	bool is;

	if (node == NULL)
		return false;
	text = xmlGetNoNsProp(node, (const xmlChar *)name);
	is = text != NULL && strcmp((const char *)text, value) == 0;
	xmlFree(text);
	return is;
}

static int64_t
xmlnode_scale(const char *text, const char *unit)
{
	static const struct {
		const char *unit;
		int64_t factor;
	} units[] = {
	    {"b", 1},
	    {"bytes", 1},
	    {"KB", 1000},
	    {"k", 1024},
	    {"KiB", 1024},
	    {"MB", 1000000},
	    {"M", 1 << 20},
	    {"MiB", 1 << 20},
	    {"GB", 1000000000},
	    {"G", 1 << 30},
	    {"GiB", 1 << 30},
	    {"TB", 1000000000000},
	    {"T", (int64_t)1 << 40},
	    {"TiB", (int64_t)1 << 40},
	};
	char *end;
	int64_t number;

	if (text == NULL || !isdigit((unsigned char)text[0]))
		return SNAPSHOT_UNKNOWN;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return SNAPSHOT_UNKNOWN;
	if (unit == NULL)
		unit = "KiB";
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].unit) != 0)
			continue;
		if (number > INT64_MAX / units[i].factor)
			return SNAPSHOT_UNKNOWN;
		return number * units[i].factor;
	}
	return SNAPSHOT_UNKNOWN;
}

int64_t
xmlnode_bytes(struct arena *arena, const xmlNode *node)
{
	return xmlnode_scale(
	    xmlnode_text(arena, node), xmlnode_attr(arena, node, "unit"));
}

int64_t
xmlnode_attr_bytes(struct arena *arena, const xmlNode *node, const char *name)
{
	return xmlnode_scale(
	    xmlnode_attr(arena, node, name), xmlnode_attr(arena, node, "unit"));
}

bool
xmlnode_host_is_local(const char *name)
{
	return name == NULL || name[0] == '\0' ||
	    strcasecmp(name, "localhost") == 0 ||
	    strncasecmp(name, "localhost.", 10) == 0 ||
	    strncmp(name, "127.", 4) == 0 || strcmp(name, "0.0.0.0") == 0 ||
	    strcmp(name, "::1") == 0 || strcmp(name, "[::1]") == 0;
}

static bool
xmlnode_port_is_default(const char *protocol, const char *port)
{
	static const struct {
		const char *protocol, *port;
	} defaults[] = {
	    {"iscsi", "3260"},
	    {"gluster", "24007"},
	    {"nbd", "10809"},
	    {"nfs", "2049"},
	    {"http", "80"},
	    {"https", "443"},
	    {"ssh", "22"},
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (strcmp(protocol, defaults[i].protocol) == 0)
			return strcmp(port, defaults[i].port) == 0;
	}
	return false;
}

static int
xmlnode_compare_hosts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *
xmlnode_network_source(struct arena *arena, const xmlNode *source,
    const char *protocol, const char *name)
{
	const char *hosts[XMLNODE_HOSTS_MAX];
	struct buf buf = BUF_INIT(XMLNODE_SOURCE_MAX);
	const char *text = NULL;
	size_t count = 0;

	for (const xmlNode *node = xmlnode_child(source, "host"); node != NULL;
	     node = xmlnode_next(node)) {
		const char *host = xmlnode_attr(arena, node, "name");
		const char *port = xmlnode_attr(arena, node, "port");
		bool plain =
		    port == NULL || xmlnode_port_is_default(protocol, port);
		char *entry;

		if (xmlnode_host_is_local(host) ||
		    xmlnode_attr_is(node, "transport", "unix") ||
		    count == XMLNODE_HOSTS_MAX)
			return NULL;
		entry = arena_printf(
		    arena, "%s%s%s", host, plain ? "" : ":", plain ? "" : port);
		for (char *c = entry; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		hosts[count++] = entry;
	}
	if (count == 0)
		return NULL;
	qsort(hosts, count, sizeof(hosts[0]), xmlnode_compare_hosts);
	buf_addf(&buf, "%s://", protocol);
	for (size_t i = 0; i < count; i++)
		buf_addf(&buf, "%s%s", i > 0 ? "," : "", hosts[i]);
	while (name != NULL && *name == '/')
		name++;
	buf_addf(&buf, "/%s", name != NULL ? name : "");
	if (!buf.overflow)
		text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}
