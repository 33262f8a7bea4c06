#ifndef DROVER_MODEL_XMLNODE_H
#define DROVER_MODEL_XMLNODE_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"

/*
 * The little of libxml2 that understanding libvirt's XML needs.  Private to
 * model/.  Every string that comes out is a copy in the arena; NULL means
 * that the XML does not say.  A NULL node is allowed everywhere and has
 * nothing.
 */

/* NULL on error: not well-formed, too large, with a DTD, or another root. */
xmlDoc *xmlnode_read(const char *xml, const char *root, struct err *err);
/* The same with its white space, for who writes it again. */
xmlDoc *xmlnode_read_exact(const char *xml, const char *root, struct err *err);
void xmlnode_doc_free(xmlDoc **doc);
#define cleanup_xmldoc cleanup(xmlnode_doc_free)

/* The first child element of that name; the next sibling of the same name. */
xmlNode *xmlnode_child(const xmlNode *parent, const char *name);
xmlNode *xmlnode_next(const xmlNode *node);
size_t xmlnode_count(const xmlNode *parent, const char *name);

/* NULL when absent or empty. */
const char *xmlnode_attr(
    struct arena *arena, const xmlNode *node, const char *name);
const char *xmlnode_text(struct arena *arena, const xmlNode *node);
/* Of a child: <source dev='...'/>. */
const char *xmlnode_child_attr(struct arena *arena, const xmlNode *parent,
    const char *child, const char *name);
const char *xmlnode_child_text(
    struct arena *arena, const xmlNode *parent, const char *child);
bool xmlnode_attr_is(const xmlNode *node, const char *name, const char *value);

/* libvirt's scaled integer: <memory unit='KiB'>1024</memory>, in bytes.
 * SNAPSHOT_UNKNOWN when absent or not understood. */
int64_t xmlnode_bytes(struct arena *arena, const xmlNode *node);
/* The same of <page size='2048' unit='KiB'/>. */
int64_t xmlnode_attr_bytes(
    struct arena *arena, const xmlNode *node, const char *name);

/*
 * PROTOCOL://HOST[:PORT][,HOST...]/NAME from a <source> with <host> children:
 * the same for two spellings of the same thing (order of hosts, case, default
 * port).  NULL when it names no server, or one that means "this machine":
 * then nothing says that another machine gets the same.
 */
const char *xmlnode_network_source(struct arena *arena, const xmlNode *source,
    const char *protocol, const char *name);

/* "localhost", 127.0.0.1, ::1, an empty name. */
bool xmlnode_host_is_local(const char *name);

#endif
