/*
 * The keys of a snapshot, as tables.
 *
 * They follow `droverctl -o json`: the same names, bytes and cores as numbers,
 * and a key that is absent where nothing is known.  A person who writes one by
 * hand may write 64GiB as well, as in drover.yaml.  Most values have the types
 * of the configuration; what is measured in cores is a fraction, which the
 * configuration does not know, and is read here.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/facts.h"
#include "plan/read.h"
#include "plan/read_priv.h"

#define SNAPSHOT_SCHEMA "drover/v1"
#define CORES_MAX 65536
#define NUMBER_LENGTH_MAX 40
#define NAME_MAX_BYTES 255
#define BYTES_MAX ((int64_t)1 << 60)

/* A number as JSON has it, without a sign. */
static bool
is_number(const char *s)
{
	static const char digits[] = "0123456789";
	size_t n = strspn(s, digits);

	if (n == 0)
		return false;
	s += n;
	if (*s == '.') {
		n = strspn(++s, digits);
		if (n == 0)
			return false;
		s += n;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '+' || *s == '-')
			s++;
		n = strspn(s, digits);
		if (n == 0)
			return false;
		s += n;
	}
	return *s == '\0';
}

static void
read_cores(const struct schema_context *ctx, const struct node *node,
    bool zero_allowed, double *out)
{
	char quoted[TREE_QUOTE_SIZE];
	double value;

	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, "a number of cores such as 1.5");
		return;
	}
	tree_quote(node->text, quoted);
	if (!node->plain) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is a text; write the number without quotes", quoted);
		return;
	}
	if (node->len > NUMBER_LENGTH_MAX || !is_number(node->text)) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not a number of cores such as 1.5", quoted);
		return;
	}
	value = strtod(node->text, NULL);
	if (value > CORES_MAX || (value <= 0 && !zero_allowed)) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is out of range (%s %d)", quoted,
		    zero_allowed ? "0 to" : "above 0, at most", CORES_MAX);
		return;
	}
	*out = value;
}

static void
read_host_cpus(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	read_cores(ctx, node, false, &((struct read_host *)object)->cpus);
}

static void
read_host_cpu_used(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	read_cores(ctx, node, true, &((struct read_host *)object)->cpu_used);
}

static void
read_vm_cpu_used(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	read_cores(ctx, node, true, &((struct read_vm *)object)->cpu_used);
}

void
plan_read_check_version(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	char quoted[TREE_QUOTE_SIZE];

	(void)object;
	if (node->kind != NODE_SCALAR || tree_is_null(node))
		schema_refuse_kind(ctx, node, "the text " SNAPSHOT_SCHEMA);
	else if (strcmp(node->text, SNAPSHOT_SCHEMA) != 0)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not known to this program (write %s)",
		    tree_quote(node->text, quoted), SNAPSHOT_SCHEMA);
}

/* A name that is used once.  The map holds the first place, as a node. */
static void
check_once(const struct schema_context *ctx, const struct node *node,
    const char *value, struct map *used)
{
	const struct node *before = map_get(used, value);
	char quoted[TREE_QUOTE_SIZE];

	if (before != NULL)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is already used in line %u, column %u",
		    tree_quote(value, quoted), before->line, before->column);
	else
		map_set(used, value, (void *)(uintptr_t)node);
}

static void
check_host_name(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	check_once(ctx, node, *value, ctx->user);
}

static void
place_host(void *object, const char *file, unsigned line)
{
	struct read_host *host = object;

	(void)file;
	(void)line;
	host->cpu_used = NAN;
	host->disk = -1;
}

static void
finish_host(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct read_host *host = object;

	if (host->reserve_memory >= host->memory)
		tree_fault(ctx->tree, ctx->diags,
		    tree_get(map, "reserve_memory"),
		    "leaves nothing of the host's memory (%lld bytes)",
		    (long long)host->memory);
}

static void
place_vm(void *object, const char *file, unsigned line)
{
	struct read_vm *vm = object;

	(void)file;
	(void)line;
	vm->cpu_used = NAN;
	vm->dirty_rate = -1;
	vm->disk_allocated = -1;
}

static void
check_label(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	if (node->key->len > 63)
		tree_fault_key(
		    ctx->tree, ctx->diags, node, "longer than 63 bytes");
	else if (strlen(*value) > NAME_MAX_BYTES)
		tree_fault(ctx->tree, ctx->diags, node, "longer than %d bytes",
		    NAME_MAX_BYTES);
}

static const struct schema_key host_limits_keys[] = {
    {.name = "outbound",
	.type = SCHEMA_INT,
	.offset = offsetof(struct read_host, outbound),
	.min = 1,
	.max = 1000,
	.meaning = "moves away from it at once"},
    {.name = "inbound",
	.type = SCHEMA_INT,
	.offset = offsetof(struct read_host, inbound),
	.min = 1,
	.max = 1000,
	.meaning = "moves to it at once"},
    {.name = NULL},
};

static const struct schema host_limits_schema = {
    .what = "the limits of a host",
    .size = sizeof(struct read_host),
    .keys = host_limits_keys,
};

static const struct schema_key host_keys[] = {
    {.name = "name",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_host, name),
	.max = NAME_MAX_BYTES,
	.check = check_host_name,
	.meaning = "how the host is called"},
    {.name = "cpus",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED,
	.read = read_host_cpus,
	.meaning = "its cores"},
    {.name = "memory",
	.type = SCHEMA_BYTES,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_host, memory),
	.min = 1,
	.max = BYTES_MAX,
	.meaning = "all that it has, in bytes"},
    {.name = "reserve_memory",
	.type = SCHEMA_BYTES,
	.offset = offsetof(struct read_host, reserve_memory),
	.min = 0,
	.max = BYTES_MAX,
	.meaning = "bytes that guests never get"},
    {.name = "disk",
	.type = SCHEMA_BYTES,
	.offset = offsetof(struct read_host, disk),
	.min = 0,
	.max = BYTES_MAX,
	.meaning = "bytes of local storage for guests"},
    {.name = "cpu_used",
	.type = SCHEMA_CUSTOM,
	.read = read_host_cpu_used,
	.meaning = "cores' worth of all that runs there"},
    {.name = "maintenance",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct read_host, maintenance),
	.fallback = "false",
	.meaning = "it is being emptied"},
    {.name = "cordoned",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct read_host, cordoned),
	.fallback = "false",
	.meaning = "it takes no guests"},
    {.name = "up",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct read_host, up),
	.fallback = "true",
	.meaning = "it answers"},
    {.name = "labels",
	.type = SCHEMA_PAIRS,
	.offset = offsetof(struct read_host, labels),
	.count_offset = offsetof(struct read_host, label_count),
	.flags = SCHEMA_EMPTY,
	.max = 64,
	.check = check_label,
	.meaning = "words of the operator, as rack: r1"},
    {.name = "limits",
	.type = SCHEMA_GROUP,
	.of = &host_limits_schema,
	.meaning = "moves at once; without it the common limits hold"},
    {.name = NULL},
};

const struct schema plan_read_host_schema = {
    .what = "a host",
    .size = sizeof(struct read_host),
    .keys = host_keys,
    .place = place_host,
    .finish = finish_host,
};

/* facts_state_name(), and words of libvirt for them. */
static const struct schema_choice states[] = {
    {"running", DOMAIN_RUNNING, NULL},
    {"blocked", DOMAIN_BLOCKED, NULL},
    {"paused", DOMAIN_PAUSED, NULL},
    {"in shutdown", DOMAIN_SHUTDOWN, NULL},
    {"shut off", DOMAIN_SHUTOFF, NULL},
    {"crashed", DOMAIN_CRASHED, NULL},
    {"pmsuspended", DOMAIN_PMSUSPENDED, NULL},
    {"no state", DOMAIN_NOSTATE, NULL},
    {"shutoff", DOMAIN_SHUTOFF, "is written \"shut off\""},
    {"stopped", DOMAIN_SHUTOFF, "is written \"shut off\""},
    {NULL, 0, NULL},
};

static const struct schema_choice storages[] = {
    {"shared", READ_STORAGE_SHARED, NULL},
    {"local", READ_STORAGE_LOCAL, NULL},
    {"mixed", READ_STORAGE_MIXED, NULL},
    {"diskless", READ_STORAGE_DISKLESS, NULL},
    {NULL, 0, NULL},
};

static const struct schema_key vm_keys[] = {
    {.name = "name",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_vm, name),
	.max = NAME_MAX_BYTES,
	.meaning = "how the guest is called"},
    {.name = "uuid",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct read_vm, uuid),
	.max = 63,
	.meaning = "what it is known by"},
    {.name = "host",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_vm, host),
	.max = NAME_MAX_BYTES,
	.meaning = "where it is"},
    {.name = "state",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct read_vm, state),
	.fallback = "running",
	.choices = states,
	.meaning = "running, shut off, ..."},
    {.name = "vcpus",
	.type = SCHEMA_INT,
	.offset = offsetof(struct read_vm, vcpus),
	.min = 1,
	.max = CORES_MAX,
	.meaning = "its virtual CPUs"},
    {.name = "memory",
	.type = SCHEMA_BYTES,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_vm, memory),
	.min = 1,
	.max = BYTES_MAX,
	.meaning = "bytes of its memory"},
    {.name = "cpu_used",
	.type = SCHEMA_CUSTOM,
	.read = read_vm_cpu_used,
	.meaning = "cores' worth of its load"},
    {.name = "dirty_rate",
	.type = SCHEMA_RATE,
	.offset = offsetof(struct read_vm, dirty_rate),
	.min = 0,
	.max = BYTES_MAX,
	.meaning = "bytes of memory that it writes in a second"},
    {.name = "storage",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct read_vm, storage),
	.choices = storages,
	.meaning = "shared, local, mixed or diskless"},
    {.name = "disk_allocated",
	.type = SCHEMA_BYTES,
	.offset = offsetof(struct read_vm, disk_allocated),
	.min = 0,
	.max = BYTES_MAX,
	.meaning = "bytes that its disks take"},
    {.name = "pinned",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct read_vm, pinned),
	.fallback = "false",
	.meaning = "it cannot leave its host"},
    {.name = "labels",
	.type = SCHEMA_PAIRS,
	.offset = offsetof(struct read_vm, labels),
	.count_offset = offsetof(struct read_vm, label_count),
	.flags = SCHEMA_EMPTY,
	.max = 64,
	.check = check_label,
	.meaning = "words of the operator, as app: web"},
    {.name = NULL},
};

const struct schema plan_read_vm_schema = {
    .what = "a guest",
    .size = sizeof(struct read_vm),
    .keys = vm_keys,
    .place = place_vm,
};

static const struct schema_key limits_keys[] = {
    {.name = "total",
	.type = SCHEMA_INT,
	.offset = offsetof(struct settings_limits, total),
	.fallback = "6",
	.min = 0,
	.max = 1000,
	.meaning = "moves at once; 0: any number"},
    {.name = "per_source",
	.type = SCHEMA_INT,
	.offset = offsetof(struct settings_limits, per_source),
	.fallback = "2",
	.min = 0,
	.max = 1000,
	.meaning = "moves away from one host at once"},
    {.name = "per_target",
	.type = SCHEMA_INT,
	.offset = offsetof(struct settings_limits, per_target),
	.fallback = "2",
	.min = 0,
	.max = 1000,
	.meaning = "moves to one host at once"},
    {.name = "bandwidth",
	.type = SCHEMA_RATE,
	.offset = offsetof(struct settings_limits, bandwidth),
	.fallback = "0",
	.min = 0,
	.max = BYTES_MAX,
	.meaning = "bytes/s of a host's link; 0: unknown"},
    {.name = NULL},
};

const struct schema plan_read_limits_schema = {
    .what = "the limits",
    .size = sizeof(struct settings_limits),
    .keys = limits_keys,
};

static const struct schema_key snapshot_keys[] = {
    {.name = "schema",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED,
	.read = plan_read_check_version,
	.meaning = "the language of this file, as schema: " SNAPSHOT_SCHEMA},
    {.name = "hosts",
	.type = SCHEMA_LIST,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_snapshot, hosts),
	.count_offset = offsetof(struct read_snapshot, host_count),
	.min = 0,
	.max = PLAN_READ_HOSTS_MAX,
	.of = &plan_read_host_schema,
	.meaning = "the list of hosts"},
    {.name = "vms",
	.type = SCHEMA_LIST,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_snapshot, vms),
	.count_offset = offsetof(struct read_snapshot, vm_count),
	.min = 0,
	.max = PLAN_READ_GUESTS_MAX,
	.of = &plan_read_vm_schema,
	.meaning = "the list of guests"},
    {.name = "limits",
	.type = SCHEMA_GROUP,
	.of = &plan_read_limits_schema,
	.offset = offsetof(struct read_snapshot, limits),
	.meaning = "how many moves at once, and how fast"},
    {.name = "apart",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct read_snapshot, apart),
	.max = 63,
	.meaning = "the label whose value keeps guests on different hosts"},
    {.name = NULL},
};

const struct schema plan_read_schema = {
    .what = "a snapshot",
    .size = sizeof(struct read_snapshot),
    .keys = snapshot_keys,
};

const struct schema *const plan_read_schemas[] = {&plan_read_schema, NULL};
