#ifndef DROVER_HV_EXPLAIN_H
#define DROVER_HV_EXPLAIN_H

/*
 * libvirt's and QEMU's messages in words that say what to do.  A table of
 * substrings, most specific first; pure.  What a guest's owner may have written
 * (names, paths) does not decide.
 */
struct hv_explanation {
	const char *token;  /* "unsafe-storage", "no-bridge": for programs */
	const char *cause;  /* one sentence */
	const char *remedy; /* one sentence */
	/* Will the same move to the same target fail again until a person acts?
	 * And does it hold for other targets too? */
	int permanent;
	int any_target;
};

/* Never NULL: an unknown message gets the token "other" and a NULL cause. */
const struct hv_explanation *hv_explain(const char *message);

#endif
