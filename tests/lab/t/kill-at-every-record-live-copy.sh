# shellcheck shell=bash
# seconds: 420
# kill -9 of droverd after each journal record of a live move with its disks,
# handed over strictly.
need_fault_injection
fixture 2 'limits: { bandwidth: 48MiB/s }'
strategy_guests lc1
kill_at_every_record lc1 4
ctl_journal=$(sqlite3 -readonly "$WORK/state/drover.db" \
	"SELECT DISTINCT step FROM journal" | paste -s -d ' ')
say "steps: $ctl_journal"
[[ $ctl_journal == *resume-target* ]] || fail "it was not handed over strictly"
