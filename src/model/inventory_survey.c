/*
 * What is not in a listing and was asked for in addition: the figures of a
 * guest's images, how fast it writes its memory, and whether pools of two hosts
 * are one and the same storage.
 *
 * Each kind of answer has its own time of being true.  Figures of images hold
 * for the images they were taken of: a guest that has others (a medium was
 * changed, a snapshot put a layer on top) has to be looked at again, one whose
 * XML differs in something else has not.  They are kept apart from the parsed
 * XML and put onto the disks when a snapshot is taken, so that a new survey
 * costs no new parsing.  A proof holds for the two pools as they were; a host
 * that was away may come back with nothing mounted where the storage was, and
 * then a wrong proof would be the worst of all wrong answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/copy.h"
#include "model/hash.h"
#include "model/inventory_impl.h"

/* Pairs of pools; more than any site has, so that nothing can grow for ever. */
#define SURVEY_PROOFS_MAX 65536
#define SURVEY_KEY_MAX 2048

/* Both names of each side point into the same block as the struct. */
struct inventory_proof {
	struct snap_proof proof; /* host_a < host_b */
	uint64_t print_a, print_b;
};

static bool
survey_is_surveyable(const struct snap_disk *disk)
{
	if (disk->backing)
		return false;
	switch (disk->kind) {
	case SNAP_DISK_FILE:
	case SNAP_DISK_BLOCK:
	case SNAP_DISK_VOLUME:
		return true;
	case SNAP_DISK_NETWORK:
	case SNAP_DISK_EMPTY:
	case SNAP_DISK_OTHER:
		return false;
	}
	return false;
}

static bool
survey_is_wanted(const struct snap_vm *vm)
{
	for (size_t i = 0; i < vm->disk_count; i++) {
		if (survey_is_surveyable(&vm->disks[i]))
			return true;
	}
	return false;
}

static uint64_t
survey_print_images(const struct snap_vm *vm)
{
	uint64_t print = HASH_START;

	for (size_t i = 0; i < vm->disk_count; i++) {
		const struct snap_disk *disk = &vm->disks[i];

		print = hash_string(print, disk->target);
		print = hash_number(print, disk->kind);
		print = hash_string(print, disk->source);
		print = hash_string(print, disk->format);
	}
	return print;
}

static uint64_t
survey_print(const struct facts_survey *survey)
{
	uint64_t print = HASH_START;

	for (size_t i = 0; survey != NULL && i < survey->disk_count; i++) {
		const struct facts_disk *disk = &survey->disks[i];

		print = hash_string(print, disk->target);
		print = hash_string(print, disk->path);
		print = hash_string(print, disk->format);
		print = hash_string(print, disk->pool);
		print = hash_string(print, disk->volume);
		print = hash_string(print, disk->backing);
		print = hash_string(print, disk->backing_format);
		print = hash_number(print, disk->capacity);
		print = hash_number(print, disk->allocation);
		print = hash_number(print, disk->top_allocation);
	}
	return print;
}

static void
survey_drop(struct inventory_domain *domain)
{
	facts_survey_free(domain->survey);
	domain->survey = NULL;
}

void
inventory_survey_settle(struct inventory_domain *domain)
{
	uint64_t print = survey_print_images(&domain->vm);

	if (print != domain->images_print)
		survey_drop(domain);
	domain->images_print = print;
	domain->vm.surveyed =
	    domain->survey != NULL || !survey_is_wanted(&domain->vm);
}

static void
survey_remember(struct inventory *inventory, const struct snap_vm *vm)
{
	struct inventory_sample *sample = calloc(1, sizeof(*sample));

	if (sample == NULL)
		abort();
	*sample = (struct inventory_sample){.dirty_rate = vm->dirty_rate,
	    .dirty_rate_long = vm->dirty_rate_long,
	    .memory_rss = vm->memory_rss,
	    .at = vm->dirty_at};
	if (map_count(inventory->samples) >= INVENTORY_SAMPLES_MAX) {
		map_free(inventory->samples);
		inventory->samples = map_new(free);
	}
	map_set(inventory->samples, vm->uuid, sample);
}

/* Of where it ran before, until it is sampled where it runs now. */
static void
survey_recall(const struct inventory *inventory,
    const struct inventory_domain *domain, struct snap_vm *vm)
{
	const struct inventory_sample *sample;

	vm->unsampled = snapshot_vm_runs(vm) && !domain->sampled;
	if (!vm->unsampled)
		return;
	sample = map_get(inventory->samples, vm->uuid);
	if (sample == NULL)
		return;
	vm->dirty_rate = sample->dirty_rate;
	vm->dirty_rate_long = sample->dirty_rate_long;
	vm->memory_rss = sample->memory_rss;
	vm->dirty_at = sample->at;
	vm->unsampled = false;
}

/* Samples are few pages, so that one says little; but what was just started
 * writes otherwise than it will. */
static int64_t
survey_smooth(const struct inventory_domain *domain, int64_t old, int64_t new)
{
	if (old == SNAPSHOT_UNKNOWN || domain->samples < INVENTORY_SAMPLES_FEW)
		return new;
	return old / 2 + new / 2;
}

static void
survey_take_rate(struct inventory_domain *domain,
    const struct facts_survey *survey, struct mono now)
{
	struct snap_vm *vm = &domain->vm;

	if (survey->dirty_window_ms > FACTS_SAMPLE_MS) {
		vm->dirty_rate_long = survey_smooth(
		    domain, vm->dirty_rate_long, survey->dirty_rate);
		vm->dirty_long_at = now;
		return;
	}
	vm->dirty_rate =
	    survey_smooth(domain, vm->dirty_rate, survey->dirty_rate);
	vm->dirty_at = now;
	if (domain->samples < INVENTORY_SAMPLES_SHORT)
		domain->samples++;
}

bool
inventory_survey_read(struct inventory *inventory, struct inventory_host *host,
    struct inventory_event *event)
{
	struct facts_survey *survey = event->survey;
	struct inventory_domain *domain;
	bool changed;

	if (survey == NULL || survey->uuid == NULL)
		return false;
	domain = map_get(host->domains, survey->uuid);
	if (domain == NULL)
		return false;
	if (survey->dirty_rate != FACTS_UNKNOWN &&
	    snapshot_vm_active(&domain->vm))
		survey_take_rate(domain, survey, event->now);
	if (survey->memory_rss > 0 && snapshot_vm_active(&domain->vm))
		domain->vm.memory_rss = survey->memory_rss;
	if (domain->vm.dirty_rate != SNAPSHOT_UNKNOWN)
		survey_remember(inventory, &domain->vm);
	changed = domain->survey == NULL ||
	    survey_print(domain->survey) != survey_print(survey);
	survey_drop(domain);
	domain->survey = survey;
	domain->surveyed_at = event->now;
	domain->vm.surveyed = true;
	event->survey = NULL;
	return changed;
}

bool
inventory_sample_read(
    struct inventory_host *host, const struct inventory_event *event)
{
	struct inventory_domain *domain =
	    event->uuid != NULL ? map_get(host->domains, event->uuid) : NULL;
	bool first = domain != NULL && !domain->sampled;

	if (first)
		domain->sampled = true;
	return first;
}

static void
survey_forget_figures(struct snap_disk *disk)
{
	disk->capacity = SNAPSHOT_UNKNOWN;
	disk->allocation = SNAPSHOT_UNKNOWN;
	disk->top_allocation = SNAPSHOT_UNKNOWN;
}

/* The XML was read at another time than the image: is it still this one? */
static bool
survey_is_of(const struct facts_disk *found, const struct snap_disk *disk)
{
	if (found->target == NULL || strcmp(found->target, disk->target) != 0)
		return false;
	if (disk->kind == SNAP_DISK_VOLUME)
		return true;
	return found->path != NULL && disk->source != NULL &&
	    strcmp(found->path, disk->source) == 0;
}

void
inventory_survey_show(const struct inventory *inventory, struct arena *arena,
    const struct inventory_domain *domain, struct snap_vm *vm)
{
	const struct facts_survey *survey = domain->survey;

	survey_recall(inventory, domain, vm);
	for (size_t i = 0; i < vm->disk_count; i++) {
		struct snap_disk *disk = &vm->disks[i];

		survey_forget_figures(disk);
		if (!survey_is_surveyable(disk))
			continue;
		for (size_t j = 0; survey != NULL && j < survey->disk_count;
		     j++) {
			const struct facts_disk *found = &survey->disks[j];

			if (!survey_is_of(found, disk))
				continue;
			disk->capacity = found->capacity;
			disk->allocation = found->allocation;
			disk->top_allocation = found->top_allocation;
			if (disk->format == NULL)
				disk->format =
				    arena_strdup(arena, found->format);
			disk->path_found = arena_strdup(arena, found->path);
			disk->pool_found = arena_strdup(arena, found->pool);
			disk->volume_found = arena_strdup(arena, found->volume);
			disk->backing_found =
			    arena_strdup(arena, found->backing);
			disk->backing_format =
			    arena_strdup(arena, found->backing_format);
		}
	}
}

void
inventory_each_unsurveyed(const struct inventory *inventory, struct mono now,
    int64_t max_age_ms, inventory_guest_fn fn, void *arg)
{
	for (size_t h = 0; h < inventory->host_count; h++) {
		const struct inventory_host *host = inventory->hosts[h];
		void *value;
		size_t i = 0;

		while (host->up && host->known &&
		    map_next(host->domains, &i, NULL, &value)) {
			const struct inventory_domain *domain = value;

			if (!survey_is_wanted(&domain->vm) ||
			    (domain->survey != NULL &&
				mono_diff(now, domain->surveyed_at) <
				    max_age_ms))
				continue;
			fn(host->config.name, &domain->vm, arg);
		}
	}
}

static bool
survey_sample_is_old(
    const struct inventory_domain *domain, struct mono now, int64_t max_age_ms)
{
	int64_t age = INVENTORY_SAMPLE_FIRST_MS;

	if (domain->vm.dirty_rate == SNAPSHOT_UNKNOWN ||
	    snapshot_wants_long_sample(&domain->vm))
		return true;
	age <<= domain->samples > 0 ? domain->samples - 1 : 0;
	if (age > max_age_ms)
		age = max_age_ms;
	return mono_diff(now, domain->vm.dirty_at) >= age;
}

void
inventory_each_unsampled(const struct inventory *inventory, struct mono now,
    int64_t max_age_ms, inventory_guest_fn fn, void *arg)
{
	for (size_t h = 0; h < inventory->host_count; h++) {
		const struct inventory_host *host = inventory->hosts[h];
		void *value;
		size_t i = 0;

		while (host->up && host->known &&
		    map_next(host->domains, &i, NULL, &value)) {
			const struct inventory_domain *domain = value;

			if (snapshot_vm_runs(&domain->vm) &&
			    survey_sample_is_old(domain, now, max_age_ms))
				fn(host->config.name, &domain->vm, arg);
		}
	}
}

/* What a proof depends on; false: there is no such pool. */
static bool
proof_print_pool(
    const struct inventory_host *host, const char *name, uint64_t *out)
{
	for (size_t i = 0; i < host->seen.pool_count; i++) {
		const struct snap_pool *pool = &host->seen.pools[i];

		if (strcmp(pool->name, name) != 0)
			continue;
		*out = hash_number(HASH_START, pool->active);
		*out = hash_string(*out, pool->type);
		*out = hash_string(*out, pool->path);
		*out = hash_string(*out, pool->source);
		return pool->active;
	}
	return false;
}

static struct inventory_proof *
proof_new(const struct snap_proof *from)
{
	const char *const names[] = {
	    from->host_a, from->pool_a, from->host_b, from->pool_b};
	struct inventory_proof *proof;
	size_t len = 0;
	char *text, *copies[4];

	for (size_t i = 0; i < 4; i++)
		len += strlen(names[i]) + 1;
	proof = malloc(sizeof(*proof) + len);
	if (proof == NULL)
		abort();
	text = (char *)(proof + 1);
	for (size_t i = 0; i < 4; i++) {
		len = strlen(names[i]) + 1;
		copies[i] = memcpy(text, names[i], len);
		text += len;
	}
	*proof = (struct inventory_proof){
	    .proof = {copies[0], copies[1], copies[2], copies[3], from->same}};
	return proof;
}

bool
inventory_proof_read(struct inventory *inventory, const struct snap_proof *from)
{
	struct snap_proof ordered = *from;
	const struct inventory_host *a, *b;
	struct inventory_proof *proof, *old;
	char key[SURVEY_KEY_MAX];
	bool changed;

	if (from->host_a == NULL || from->pool_a == NULL ||
	    from->host_b == NULL || from->pool_b == NULL ||
	    strcmp(from->host_a, from->host_b) == 0)
		return false;
	if (strcmp(from->host_a, from->host_b) > 0)
		ordered = (struct snap_proof){from->host_b, from->pool_b,
		    from->host_a, from->pool_a, from->same};
	/* Names of hosts have no slash. */
	if ((size_t)snprintf(key, sizeof(key), "%s/%s/%zu/%s/%s",
		ordered.host_a, ordered.host_b, strlen(ordered.pool_a),
		ordered.pool_a, ordered.pool_b) >= sizeof(key))
		return false;
	if (ordered.same == SNAP_VERDICT_UNKNOWN)
		return map_remove(inventory->proofs, key);
	a = inventory_find(inventory, ordered.host_a);
	b = inventory_find(inventory, ordered.host_b);
	/* An answer that was under way when a host was lost. */
	if (a == NULL || b == NULL || !a->up || !b->up ||
	    map_count(inventory->proofs) >= SURVEY_PROOFS_MAX)
		return false;
	proof = proof_new(&ordered);
	if (!proof_print_pool(a, ordered.pool_a, &proof->print_a) ||
	    !proof_print_pool(b, ordered.pool_b, &proof->print_b)) {
		free(proof);
		return map_remove(inventory->proofs, key);
	}
	old = map_get(inventory->proofs, key);
	changed = old == NULL || old->proof.same != ordered.same;
	map_set(inventory->proofs, key, proof);
	return changed;
}

/* Does what was proven still hold at this host's side? */
static bool
proof_is_valid(
    const struct inventory_proof *proof, const struct inventory_host *host)
{
	bool first = strcmp(proof->proof.host_a, host->config.name) == 0;
	uint64_t print;

	if (!proof_print_pool(host,
		first ? proof->proof.pool_a : proof->proof.pool_b, &print))
		return false;
	return print == (first ? proof->print_a : proof->print_b);
}

bool
inventory_proof_sweep(
    struct inventory *inventory, const struct inventory_host *host, bool all)
{
	const char *name = host->config.name, *key;
	bool changed = false;
	void *value;
	size_t i = 0;

	while (map_next(inventory->proofs, &i, &key, &value)) {
		const struct inventory_proof *proof = value;

		if (strcmp(proof->proof.host_a, name) != 0 &&
		    strcmp(proof->proof.host_b, name) != 0)
			continue;
		if (!all && proof_is_valid(proof, host))
			continue;
		map_remove(inventory->proofs, key);
		changed = true;
	}
	return changed;
}

void
inventory_proof_show(const struct inventory *inventory, struct snapshot *s)
{
	void *value;
	size_t i = 0;

	s->proofs = arena_array(
	    s->arena, map_count(inventory->proofs), sizeof(s->proofs[0]));
	while (map_next(inventory->proofs, &i, NULL, &value)) {
		const struct snap_proof *from =
		    &((const struct inventory_proof *)value)->proof;

		s->proofs[s->proof_count++] =
		    (struct snap_proof){arena_strdup(s->arena, from->host_a),
			arena_strdup(s->arena, from->pool_a),
			arena_strdup(s->arena, from->host_b),
			arena_strdup(s->arena, from->pool_b), from->same};
	}
	if (s->proof_count > 0)
		qsort(s->proofs, s->proof_count, sizeof(s->proofs[0]),
		    snapshot_compare_proofs);
}
