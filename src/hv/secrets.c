/*
 * Secrets that a guest's disks and TPM are opened with.
 *
 * The definition names them, by UUID or by what they are for; the value stays
 * with the host's daemon.  One that is marked private is given to nobody, not
 * even to be compared, so that the guest can't be moved by restart until a
 * person has seen to it.  A secret that the target has is never changed: it may
 * be another guest's.
 *
 * Values are wiped from memory; none gets into a message.
 */
#include "hv/secrets.h"

#include <gnutls/gnutls.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "hv/volume.h"
#include "model/xmlnode.h"

struct value {
	unsigned char *data; /* NULL: it has none yet */
	size_t len;
};

static void
secrets_value_clear(struct value *value)
{
	if (value->data != NULL)
		gnutls_memset(value->data, 0, value->len);
	free(value->data);
}

static void
secrets_free(virSecretPtr *secret)
{
	if (*secret != NULL)
		(void)virSecretFree(*secret);
}

static int
secrets_usage(const char *type)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {
	    {"volume", VIR_SECRET_USAGE_TYPE_VOLUME},
	    {"ceph", VIR_SECRET_USAGE_TYPE_CEPH},
	    {"iscsi", VIR_SECRET_USAGE_TYPE_ISCSI},
	    {"tls", VIR_SECRET_USAGE_TYPE_TLS},
	    {"vtpm", VIR_SECRET_USAGE_TYPE_VTPM},
	    /* in <encryption> */
	    {"passphrase", VIR_SECRET_USAGE_TYPE_VOLUME},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (type != NULL && strcmp(type, types[i].name) == 0)
			return types[i].type;
	}
	return VIR_SECRET_USAGE_TYPE_NONE;
}

/* A value that was never set is no value; a private one is a refusal. */
static int
secrets_value(const struct hv_conn *conn, virSecretPtr secret, const char *what,
    struct value *out, struct err *err)
{
	virErrorPtr error;

	out->data = virSecretGetValue(secret, &out->len, 0);
	if (out->data != NULL)
		return 0;
	error = virGetLastError();
	if (error != NULL && error->code == VIR_ERR_NO_SECRET)
		return 0;
	if (error != NULL && error->code == VIR_ERR_INVALID_SECRET)
		return err_set(err, ERR_REFUSED,
		    "the secret %s is private: its value can't be read, so it "
		    "can't be carried or compared; redefine it without "
		    "private='yes'",
		    what);
	return conn_fail(conn, err);
}

static int
secrets_make(const struct hv_conn *from, const struct hv_conn *to,
    virSecretPtr secret, const struct value *value, struct err *err)
{
	cleanup_free char *xml = virSecretGetXMLDesc(secret, 0);
	cleanup(secrets_free) virSecretPtr made = NULL;

	if (xml == NULL)
		return conn_fail(from, err);
	made = virSecretDefineXML(to->vir, xml, 0);
	if (made == NULL)
		return conn_fail(to, err);
	if (value->data != NULL &&
	    virSecretSetValue(made, value->data, value->len, 0) < 0) {
		(void)conn_fail(to, err);
		(void)virSecretUndefine(made);
		return -1;
	}
	return 0;
}

static int
secrets_carry_one(const struct hv_conn *from, const struct hv_conn *to,
    virSecretPtr secret, const char *what, struct err *err)
{
	cleanup(secrets_free) virSecretPtr there = NULL;
	cleanup(secrets_value_clear) struct value value = {0}, other = {0};
	char uuid[VIR_UUID_STRING_BUFLEN];
	virErrorPtr error;

	if (secrets_value(from, secret, what, &value, err) < 0)
		return -1;
	if (virSecretGetUUIDString(secret, uuid) < 0)
		return conn_fail(from, err);
	there = virSecretLookupByUUIDString(to->vir, uuid);
	error = virGetLastError();
	if (there == NULL && error != NULL && error->code == VIR_ERR_NO_SECRET)
		return secrets_make(from, to, secret, &value, err);
	if (there == NULL)
		return conn_fail(to, err);
	if (secrets_value(to, there, what, &other, err) < 0)
		return err_prefix(err, "at the target");
	if (other.data == NULL && value.data != NULL) {
		if (virSecretSetValue(there, value.data, value.len, 0) < 0)
			return conn_fail(to, err);
		return 0;
	}
	if (value.data != NULL &&
	    (other.len != value.len ||
		memcmp(other.data, value.data, value.len) != 0))
		return err_set(err, ERR_CONFLICT,
		    "the target has the secret %s with another value", what);
	return 0;
}

/* <secret uuid= | type= usage=>, and <encryption secret=> of a TPM. */
static int
secrets_carry_node(const struct hv_conn *from, const struct hv_conn *to,
    struct arena *arena, const xmlNode *node, struct err *err)
{
	bool tpm = strcmp((const char *)node->name, "encryption") == 0;
	const char *uuid = xmlnode_attr(arena, node, tpm ? "secret" : "uuid");
	const char *usage = xmlnode_attr(arena, node, "usage");
	const char *type = xmlnode_attr(arena, node, "type");
	cleanup(secrets_free) virSecretPtr secret = NULL;

	if (uuid != NULL)
		secret = virSecretLookupByUUIDString(from->vir, uuid);
	else if (usage != NULL)
		secret = virSecretLookupByUsage(
		    from->vir, secrets_usage(type), usage);
	else
		return 0;
	if (secret == NULL) {
		(void)conn_fail(from, err);
		return err_prefix(
		    err, "secret %s", uuid != NULL ? uuid : usage);
	}
	return secrets_carry_one(
	    from, to, secret, uuid != NULL ? uuid : usage, err);
}

static bool
secrets_is_one(const xmlNode *node)
{
	const char *name = (const char *)node->name;

	return node->type == XML_ELEMENT_NODE &&
	    (strcmp(name, "secret") == 0 ||
		(strcmp(name, "encryption") == 0 &&
		    xmlHasProp((xmlNode *)(uintptr_t)node,
			(const xmlChar *)"secret") != NULL));
}

bool
secrets_has_any(const xmlNode *node)
{
	for (const xmlNode *child = node->children; child != NULL;
	     child = child->next) {
		if (secrets_is_one(child) || secrets_has_any(child))
			return true;
	}
	return false;
}

static int
secrets_walk(const struct hv_conn *from, const struct hv_conn *to,
    struct arena *arena, const xmlNode *node, struct err *err)
{
	for (const xmlNode *child = node->children; child != NULL;
	     child = child->next) {
		if (secrets_is_one(child) &&
		    secrets_carry_node(from, to, arena, child, err) < 0)
			return -1;
		if (secrets_walk(from, to, arena, child, err) < 0)
			return -1;
	}
	return 0;
}

int
secrets_carry(const struct hv_conn *from, const struct hv_conn *to,
    const xmlNode *domain, struct err *err)
{
	cleanup(volume_arena_free) struct arena *arena =
	    arena_new(VOLUME_ARENA_MAX);

	return secrets_walk(from, to, arena, domain, err);
}
