/*
 * Placing, with few words kept.
 *
 * Where hundreds of guests find no host among a thousand, the reasons of all
 * hosts for all guests are a gigabyte of text that nobody reads.  So where an
 * evaluation has become large the reasons are written into memory of their own,
 * and what is kept is the target, the reason in short, and of the hosts that
 * refuse two for each rule.  What is decided is the same; whoever wants to know
 * all of it about one guest asks for that one (explain).
 */
#include "decide/guard.h"
#include "decide/place_look.h"

#include <string.h>

#define BRIEF_SCRATCH_MAX ((size_t)64 << 20)
#define BRIEF_WHY_MAX 1024 /* bytes */
#define BRIEF_RULES (PLACE_NOT_ASKED + 1)

/* Whole, or cut between two characters. */
static const char *
brief_words(struct arena *arena, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len <= BRIEF_WHY_MAX)
		return arena_strdup(arena, text);
	len = BRIEF_WHY_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return arena_printf(
	    arena, "%.*s ... (there is more; see explain)", (int)len, text);
}

static struct place_rejection
brief_rejection(struct arena *arena, const struct place_rejection *from)
{
	struct place_rejection to = *from;
	struct strategy_refusal *refusals =
	    arena_array(arena, from->refusal_count, sizeof(refusals[0]));

	to.why = brief_words(arena, from->why);
	for (size_t i = 0; i < from->refusal_count; i++) {
		refusals[i] = from->refusals[i];
		refusals[i].why = brief_words(arena, from->refusals[i].why);
	}
	to.refusals = from->refusal_count > 0 ? refusals : NULL;
	return to;
}

static void
brief_keep(struct arena *arena, const struct place_choice *all,
    struct place_choice *out)
{
	int kept[BRIEF_RULES] = {0};
	size_t count = 0;

	out->rejection_count = 0;
	for (size_t i = 0; i < all->rejection_count; i++)
		count += kept[all->rejections[i].rule]++ < PLACE_BRIEF_PER_RULE;
	out->rejections = arena_array(arena, count, sizeof(all->rejections[0]));
	memset(kept, 0, sizeof(kept));
	for (size_t i = 0; i < all->rejection_count; i++) {
		const struct place_rejection *from = &all->rejections[i];

		if (kept[from->rule]++ < PLACE_BRIEF_PER_RULE)
			out->rejections[out->rejection_count++] =
			    brief_rejection(arena, from);
	}
}

void
place_choose_briefly(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, struct place_ledger *ledger,
    const struct place_request *request, struct place_choice *out)
{
	struct arena *scratch = arena_new(BRIEF_SCRATCH_MAX);
	struct place_request asked = *request;
	struct guard guard;
	struct place_choice all;
	struct place_look look = {scratch, settings, s, ledger, &asked,
	    &s->hosts[request->vm->host], NULL, NULL};

	if (request->guard != NULL) {
		guard = *request->guard;
		guard.arena = scratch;
		asked.guard = &guard;
	}
	placement_write_to(ledger, scratch);
	place_choose(scratch, settings, s, ledger, &asked, &all);
	*out = all;
	out->why = brief_words(arena, all.why);
	brief_keep(arena, &all, out);
	out->strategy = (struct strategy_result){0};
	if (all.target != NULL) {
		struct place_verdict verdict;

		place_find_taken(&look);
		look.placement = placement_see(
		    settings, ledger, request->vm, request->leaving);
		placement_write_to(ledger, arena);
		look.arena = arena;
		if (request->guard != NULL)
			guard.arena = arena;
		place_check_host(&look, all.target, &verdict);
		out->strategy = verdict.strategy;
	}
	placement_write_to(ledger, NULL);
	arena_free(scratch);
}
