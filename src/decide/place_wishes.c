/*
 * The steps of the ladder that are the rules of placement: what is wished and is
 * not a must.  They come after what keeps a guest and its host well, and before
 * what merely evens things out, because somebody asked for them.
 */
#include "decide/place_look.h"

void
place_weigh_wishes(
    const struct place_look *look, struct place_candidate *candidate)
{
	candidate->broken = placement_count_broken(
	    look->placement, candidate->host, &candidate->broken_why);
	candidate->crowd_count = placement_list_crowds(
	    look->placement, candidate->host, candidate->crowds);
}

/* 7. Fewest soft rules of placement broken. */
int
place_compare_broken(
    const struct place_candidate *a, const struct place_candidate *b)
{
	return a->broken < b->broken ? -1 : a->broken > b->broken;
}

const char *
place_words_broken(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	return arena_printf(arena,
	    "fewer wishes of placement are broken (%d against %d: %s)",
	    a->broken, b->broken, b->broken_why);
}

/* 8. Fewest other guests in its rack, or whatever they are spread over: by the
 * first rule that has a difference.  Unknown is worse than known. */
int
place_compare_crowds(
    const struct place_candidate *a, const struct place_candidate *b)
{
	for (size_t i = 0; i < a->crowd_count; i++) {
		const struct placement_crowd *x = &a->crowds[i];
		const struct placement_crowd *y = &b->crowds[i];

		if ((x->value == NULL) != (y->value == NULL))
			return x->value == NULL ? 1 : -1;
		if (x->guests != y->guests)
			return x->guests < y->guests ? -1 : 1;
	}
	return 0;
}

const char *
place_words_crowds(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	size_t i = 0;

	while ((a->crowds[i].value == NULL) == (b->crowds[i].value == NULL) &&
	    a->crowds[i].guests == b->crowds[i].guests)
		i++;
	if (b->crowds[i].value == NULL)
		return arena_printf(arena,
		    "it has the label %s (%s), by which rule %s spreads",
		    a->crowds[i].rule->label, a->crowds[i].value,
		    a->crowds[i].rule->name);
	return arena_printf(arena,
	    "fewer guests of rule %s in %s %s than in %s (%d against %d)",
	    a->crowds[i].rule->name, a->crowds[i].rule->label,
	    a->crowds[i].value, b->crowds[i].value, a->crowds[i].guests,
	    b->crowds[i].guests);
}
