/*
 * The hook by which tests end the daemon at an exact place: with
 * DROVER_KILL_AT_JOURNAL=N in the environment the process gets SIGKILL right
 * after the N-th journal entry since the store was opened has been committed,
 * so that nothing follows that is not on disk.  Only where configured with
 * --enable-fault-injection; elsewhere the environment is not even looked at.
 */
#include "record/private.h"

#ifdef DROVER_FAULTS
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void
faults_open(struct store_faults *faults)
{
	const char *at = getenv("DROVER_KILL_AT_JOURNAL");

	*faults = (struct store_faults){0};
	if (at != NULL)
		faults->kill_at = strtoll(at, NULL, 10);
}

void
faults_journal_added(struct store_faults *faults)
{
	faults->waiting++;
}

void
faults_ended(struct store_faults *faults, bool committed)
{
	int64_t before = faults->durable;

	if (committed)
		faults->durable += faults->waiting;
	faults->waiting = 0;
	if (before < faults->kill_at && faults->durable >= faults->kill_at)
		(void)kill(getpid(), SIGKILL);
}
#else
void
faults_open(struct store_faults *faults)
{
	*faults = (struct store_faults){0};
}

void
faults_journal_added(struct store_faults *faults)
{
	(void)faults;
}

void
faults_ended(struct store_faults *faults, bool committed)
{
	(void)faults;
	(void)committed;
}
#endif
