/*
 * Runs an automaton of pattern.c over a text.
 *
 * The state is the set of positions that took the last symbol.  Those that may
 * come next are the followers of all in it, and those where the pattern begins;
 * of them the ones that take the next symbol are the new state.  A match is
 * known as soon as a position is reached where the pattern may end, since what
 * comes before and after is only bound by the positions for the ends.
 *
 * Several positions may take the same end of the text, one after the other
 * (^(^a|b)), and so the state of an end is closed over its followers.
 */
#include "base/pattern_priv.h"

struct state {
	uint64_t w[PATTERN_WORDS];
};

static void
add_followers(const struct pattern *pattern, const struct state *state,
    struct state *next)
{
	for (unsigned i = 0; i < pattern->words; i++) {
		for (uint64_t left = state->w[i]; left != 0; left &= left - 1) {
			unsigned p = i * 64 + (unsigned)__builtin_ctzll(left);
			const uint64_t *follow =
			    pattern->follow + p * pattern->words;

			for (unsigned k = 0; k < pattern->words; k++)
				next->w[k] |= follow[k];
		}
	}
}

/* True when the new state has an end of the pattern. */
static bool
step(const struct pattern *pattern, struct state *state, unsigned symbol,
    bool begins)
{
	const uint64_t *accepting =
	    pattern->accepting + symbol * pattern->words;
	struct state next = {{0}};
	uint64_t ends = 0;

	if (begins)
		for (unsigned i = 0; i < pattern->words; i++)
			next.w[i] = pattern->first[i];
	add_followers(pattern, state, &next);
	for (unsigned i = 0; i < pattern->words; i++) {
		state->w[i] = next.w[i] & accepting[i];
		ends |= state->w[i] & pattern->last[i];
	}
	return ends != 0;
}

static bool
step_end(const struct pattern *pattern, struct state *state, unsigned symbol)
{
	struct state before;
	uint64_t changed;

	if (step(pattern, state, symbol, true))
		return true;
	do {
		before = *state;
		if (step(pattern, state, symbol, true))
			return true;
		changed = 0;
		for (unsigned i = 0; i < pattern->words; i++) {
			state->w[i] |= before.w[i];
			changed |= state->w[i] ^ before.w[i];
		}
	} while (changed != 0);
	return false;
}

/* The two ends of an empty text are at one place, in either order ($^). */
static bool
match_empty(const struct pattern *pattern)
{
	struct state all = {{0}}, begin, end;
	uint64_t changed;

	do {
		begin = end = all;
		if (step(pattern, &begin, PATTERN_BEGIN, true) ||
		    step(pattern, &end, PATTERN_END, true))
			return true;
		changed = 0;
		for (unsigned i = 0; i < pattern->words; i++) {
			changed |= (begin.w[i] | end.w[i]) & ~all.w[i];
			all.w[i] |= begin.w[i] | end.w[i];
		}
	} while (changed != 0);
	return false;
}

bool
pattern_matches(const struct pattern *pattern, const char *text)
{
	struct state state = {{0}};
	uint64_t any;

	if (pattern->nullable)
		return true;
	if (*text == '\0')
		return match_empty(pattern);
	if (step_end(pattern, &state, PATTERN_BEGIN))
		return true;
	for (; *text != '\0'; text++) {
		if (step(pattern, &state, (unsigned char)*text,
			!pattern->anchored))
			return true;
		any = 0;
		for (unsigned i = 0; i < pattern->words; i++)
			any |= state.w[i];
		if (any == 0 && pattern->anchored)
			return false;
	}
	return step_end(pattern, &state, PATTERN_END);
}
