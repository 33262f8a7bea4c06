/*
 * What the rules of placement say of the hosts that a guest could go to.
 *
 * A rule makes classes of guests, and what it says of a host depends on where the
 * others of the guest's class are and where they will be.  A site may have
 * twenty thousand guests, and a drain asks about hundreds of them and every
 * host.  So the classes of a rule are made when it is first asked about, once for
 * each ledger; then, for each guest, its class is gone through once, and what
 * that comes to is kept by host.
 *
 * Rules that are about nobody who is asked about cost one test of the guest.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/units.h"
#include "decide/placement.h"

#define NOWHERE UINT32_MAX

struct member {
	const char *value; /* of the label; "" where the rule compares none */
	uint32_t vm;       /* index in the snapshot */
};

/* Of the others of the class, at one host. */
struct presence {
	const struct snap_vm *there;   /* and will be; the first by UUID */
	bool arriving;                 /* that one is on its way */
	const struct snap_vm *parting; /* is there and leaves */
	int guests;                    /* that will be there */
};

struct rule_index {
	const struct placement *rule;
	bool built;
	struct member *members; /* by value, then as in the snapshot */
	size_t count;
	uint32_t *group; /* by host: number of its value; NOWHERE */
	int *crowd;      /* by group */
	/* For the guest that is looked at. */
	struct presence *at;      /* by host */
	const struct snap_vm *by; /* with TOGETHER: it is with this one; NULL:
				   * it may go anywhere */
	uint32_t only;            /* at this host */
	int64_t need;             /* memory of those that go together */
	size_t together;          /* how many those are */
};

struct placement_index {
	struct arena *arena;
	struct arena *words; /* of what is said about hosts */
	const struct settings *settings;
	const struct snapshot *s;
	const struct place_ledger *ledger;
	uint32_t *going;                /* by guest: where to; NOWHERE */
	const struct place_going *seen; /* up to here */
	struct rule_index *rules;
	struct placement_view {
		struct placement_index *index;
		const struct snap_vm *vm;
		bool leaving;
		struct rule_index **rules; /* that are about the guest */
		size_t count;
	} view;
};

/* ---- classes ---- */

static int
compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->value, y->value);

	if (order != 0)
		return order;
	return x->vm < y->vm ? -1 : x->vm > y->vm;
}

/* What a rule compares of its guests; "" where it takes all of them as one. */
static const char *
value_of(const struct placement *rule, const struct snap_vm *vm)
{
	switch (rule->kind) {
	case PLACEMENT_APART:
	case PLACEMENT_TOGETHER:
		return placement_guest_label(vm, rule->label);
	case PLACEMENT_HOSTS:
	case PLACEMENT_SPREAD:
		break;
	}
	return "";
}

static void
number_hosts(struct placement_index *index, struct rule_index *r)
{
	const struct snapshot *s = index->s;
	struct map *values = map_new(NULL);

	r->group =
	    arena_array(index->arena, s->host_count, sizeof(r->group[0]));
	r->crowd =
	    arena_array(index->arena, s->host_count, sizeof(r->crowd[0]));
	for (size_t i = 0; i < s->host_count; i++) {
		const char *value =
		    placement_host_label(&s->hosts[i], r->rule->label);
		uintptr_t number;

		r->group[i] = NOWHERE;
		if (value == NULL)
			continue;
		number = (uintptr_t)map_get(values, value);
		if (number == 0) {
			number = map_count(values) + 1;
			map_set(values, value, (void *)number);
		}
		r->group[i] = (uint32_t)(number - 1);
	}
	map_free(values);
}

static void
build(struct placement_index *index, struct rule_index *r)
{
	const struct snapshot *s = index->s;

	r->built = true;
	r->at = arena_array(index->arena, s->host_count, sizeof(r->at[0]));
	if (r->rule->kind == PLACEMENT_HOSTS)
		return;
	if (r->rule->kind == PLACEMENT_SPREAD)
		number_hosts(index, r);
	r->members =
	    arena_array(index->arena, s->vm_count, sizeof(r->members[0]));
	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];

		/* A definition that a guest left behind is not the guest. */
		if (placement_is_about(r->rule, index->arena, s, vm) &&
		    snapshot_vm_is_it(s, vm))
			r->members[r->count++] =
			    (struct member){value_of(r->rule, vm), (uint32_t)i};
	}
	if (r->count > 0)
		qsort(r->members, r->count, sizeof(r->members[0]),
		    compare_members);
}

/* Members before those of that value; with `past`, and those too. */
static size_t
count_before(const struct rule_index *r, const char *value, bool past)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(r->members[middle].value, value);

		if (order < 0 || (past && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The class of that value: *out_count from the first. */
static const struct member *
find_class(const struct rule_index *r, const char *value, size_t *out_count)
{
	size_t first = count_before(r, value, false);

	*out_count = count_before(r, value, true) - first;
	return &r->members[first];
}

/* ---- where the others are ---- */

static void
add_presence(const struct placement_index *index, struct rule_index *r,
    const struct snap_vm *other)
{
	uint32_t to = index->going[other - index->s->vms];
	bool goes = to != NOWHERE && to != other->host;
	struct presence *at = &r->at[goes ? to : other->host];

	at->guests++;
	if (at->there == NULL || (at->arriving && !goes)) {
		at->there = other;
		at->arriving = goes;
	}
	if (goes && r->at[other->host].parting == NULL)
		r->at[other->host].parting = other;
}

/* Where the others will be, when that is one host; of a host that is being
 * emptied, those that stay behind are left out. */
static void
find_together(const struct placement_index *index, struct rule_index *r,
    const struct snap_vm *vm, bool leaving)
{
	r->by = NULL;
	for (uint32_t h = 0; h < index->s->host_count; h++) {
		if (r->at[h].guests == 0 || (leaving && h == vm->host))
			continue;
		if (r->by != NULL) {
			r->by = NULL;
			return;
		}
		r->by = r->at[h].there;
		r->only = h;
	}
}

static void
look_at_others(const struct placement_index *index, struct rule_index *r,
    const struct snap_vm *vm, bool leaving)
{
	const struct snapshot *s = index->s;
	size_t count;
	const struct member *class =
	    find_class(r, value_of(r->rule, vm), &count);
	/* Members are those that snapshot_find_vm() gives. */
	const struct snap_vm *self = snapshot_find_vm(s, vm->uuid);

	memset(r->at, 0, s->host_count * sizeof(r->at[0]));
	r->need = 0;
	r->together = 0;
	for (size_t i = 0; i < count; i++) {
		const struct snap_vm *other = &s->vms[class[i].vm];

		if (leaving && other->host == vm->host &&
		    index->going[class[i].vm] == NOWHERE &&
		    snapshot_vm_active(other)) {
			r->need += place_memory_need(other->memory);
			r->together++;
		}
		if (other != self)
			add_presence(index, r, other);
	}
	if (r->rule->kind == PLACEMENT_TOGETHER)
		find_together(index, r, vm, leaving);
	if (r->rule->kind != PLACEMENT_SPREAD)
		return;
	memset(r->crowd, 0, s->host_count * sizeof(r->crowd[0]));
	for (size_t h = 0; h < s->host_count; h++)
		if (r->group[h] != NOWHERE)
			r->crowd[r->group[h]] += r->at[h].guests;
}

static struct placement_index *
new_index(const struct settings *settings, const struct place_ledger *ledger)
{
	struct arena *arena = ledger->arena;
	struct placement_index *index = arena_alloc(arena, sizeof(*index));
	const struct snapshot *s = ledger->s;
	size_t count = settings->placement_count;

	index->arena = index->words = arena;
	index->settings = settings;
	index->s = s;
	index->ledger = ledger;
	index->rules = arena_array(arena, count, sizeof(index->rules[0]));
	index->view.index = index;
	index->view.rules =
	    arena_array(arena, count, sizeof(index->view.rules[0]));
	for (size_t i = 0; i < count; i++)
		index->rules[i].rule = &settings->placements[i];
	index->going = arena_array(arena, s->vm_count, sizeof(index->going[0]));
	for (size_t i = 0; i < s->vm_count; i++)
		index->going[i] = NOWHERE;
	for (size_t i = 0; i < s->move_count; i++) {
		const struct snap_vm *vm =
		    snapshot_find_vm(s, s->moves[i].uuid);
		const struct snap_host *to =
		    snapshot_find_host(s, s->moves[i].to);

		if (vm != NULL && to != NULL)
			index->going[vm - s->vms] = (uint32_t)(to - s->hosts);
	}
	return index;
}

const struct placement_view *
placement_see(const struct settings *settings, struct place_ledger *ledger,
    const struct snap_vm *vm, bool leaving)
{
	struct placement_index *index = ledger->placement;
	struct placement_view *view;

	if (settings->placement_count == 0)
		return NULL;
	if (index == NULL)
		index = ledger->placement = new_index(settings, ledger);
	view = &index->view;
	leaving = leaving || index->s->hosts[vm->host].maintenance;
	if (view->vm == vm && view->leaving == leaving &&
	    index->seen == ledger->going)
		return view->count > 0 ? view : NULL;
	for (const struct place_going *going = ledger->going;
	     going != index->seen; going = going->next)
		index->going[going->vm - index->s->vms] = (uint32_t)going->to;
	index->seen = ledger->going;
	*view = (struct placement_view){index, vm, leaving, view->rules, 0};
	for (size_t i = 0; i < settings->placement_count; i++) {
		struct rule_index *r = &index->rules[i];

		if (!placement_is_about(r->rule, index->arena, index->s, vm))
			continue;
		if (!r->built)
			build(index, r);
		if (r->rule->kind != PLACEMENT_HOSTS)
			look_at_others(index, r, vm, leaving);
		view->rules[view->count++] = r;
	}
	return view->count > 0 ? view : NULL;
}

void
placement_write_to(struct place_ledger *ledger, struct arena *words)
{
	struct placement_index *index = ledger->placement;

	if (index != NULL)
		index->words = words != NULL ? words : index->arena;
}

/* ---- what that means for a host ---- */

static const char *
refuse_apart(const struct placement_view *view, const struct rule_index *r,
    const struct presence *at, bool *out_wait)
{
	const struct snap_vm *other =
	    at->there != NULL ? at->there : at->parting;
	const struct placement *rule = r->rule;

	if (other == NULL)
		return NULL;
	*out_wait = at->there == NULL;
	return arena_printf(view->index->words,
	    "keeps %s and %s (label %s=%s) on different hosts: %s %s (rule "
	    "%s, %s:%u)",
	    view->vm->name, other->name, rule->label, value_of(rule, other),
	    other->name,
	    at->there == NULL  ? "is still there"
		: at->arriving ? "is on its way there"
			       : "is there",
	    rule->name, rule->file, rule->line);
}

static const char *
refuse_together(const struct placement_view *view, const struct rule_index *r,
    size_t host, int64_t free)
{
	const struct placement *rule = r->rule;
	const char *value = value_of(rule, view->vm);
	char need[UNITS_TEXT_SIZE], left[UNITS_TEXT_SIZE];

	if (r->by != NULL && r->only == host)
		return NULL;
	if (r->by != NULL)
		return arena_printf(view->index->words,
		    "keeps %s and %s (label %s=%s) on one host: %s is %s %s "
		    "(rule %s, %s:%u)",
		    view->vm->name, r->by->name, rule->label, value,
		    r->by->name,
		    r->at[r->only].arriving ? "on its way to" : "on",
		    view->index->s->hosts[r->only].name, rule->name, rule->file,
		    rule->line);
	if (r->together < 2 || free == SNAPSHOT_UNKNOWN || r->need <= free)
		return NULL;
	units_format_bytes(r->need, need);
	units_format_bytes(free > 0 ? free : 0, left);
	return arena_printf(view->index->words,
	    "keeps %zu guests (label %s=%s) on one host: they need %s, %s "
	    "free (rule %s, %s:%u)",
	    r->together, rule->label, value, need, left, rule->name, rule->file,
	    rule->line);
}

static const char *
refuse_host(const struct placement_view *view, const struct placement *rule,
    const struct snap_host *host)
{
	if (placement_allows(rule, view->index->words, view->index->s, view->vm,
		host, view->index->ledger))
		return NULL;
	return arena_printf(view->index->words,
	    "is none of the hosts for %s, of which \"%s\" must be true (rule "
	    "%s, %s:%u)",
	    view->vm->name, rule->hosts.text, rule->name, rule->file,
	    rule->line);
}

static const char *
refuse(const struct placement_view *view, const struct rule_index *r,
    const struct snap_host *host, int64_t free, bool *out_wait)
{
	size_t h = (size_t)(host - view->index->s->hosts);

	*out_wait = false;
	switch (r->rule->kind) {
	case PLACEMENT_APART:
		return refuse_apart(view, r, &r->at[h], out_wait);
	case PLACEMENT_TOGETHER:
		return refuse_together(view, r, h, free);
	case PLACEMENT_HOSTS:
		return refuse_host(view, r->rule, host);
	case PLACEMENT_SPREAD:
		break;
	}
	return NULL;
}

const char *
placement_refuse(const struct placement_view *view,
    const struct snap_host *host, int64_t free, bool *out_wait)
{
	const char *passing = NULL;

	*out_wait = false;
	for (size_t i = 0; view != NULL && i < view->count; i++) {
		bool wait;
		const char *why;

		if (!view->rules[i]->rule->hard)
			continue;
		why = refuse(view, view->rules[i], host, free, &wait);
		if (why != NULL && !wait)
			return why;
		if (passing == NULL)
			passing = why;
	}
	*out_wait = passing != NULL;
	return passing;
}

int
placement_count_broken(const struct placement_view *view,
    const struct snap_host *host, const char **out_why)
{
	int broken = 0;

	for (size_t i = 0; view != NULL && i < view->count; i++) {
		bool wait;
		const char *why;

		if (view->rules[i]->rule->hard)
			continue;
		why =
		    refuse(view, view->rules[i], host, SNAPSHOT_UNKNOWN, &wait);
		/* What leaves is no reason to go elsewhere. */
		if (why == NULL || wait)
			continue;
		if (broken++ == 0)
			*out_why = why;
	}
	return broken;
}

size_t
placement_list_crowds(const struct placement_view *view,
    const struct snap_host *host,
    struct placement_crowd out[PLACEMENT_CROWDS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; view != NULL && i < view->count; i++) {
		const struct rule_index *r = view->rules[i];
		uint32_t group;

		if (r->rule->kind != PLACEMENT_SPREAD ||
		    count == PLACEMENT_CROWDS_MAX)
			continue;
		group = r->group[host - view->index->s->hosts];
		out[count++] = (struct placement_crowd){.rule = r->rule,
		    .value = placement_host_label(host, r->rule->label),
		    .guests = group != NOWHERE ? r->crowd[group] : 0};
	}
	return count;
}
