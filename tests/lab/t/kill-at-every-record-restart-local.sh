# shellcheck shell=bash
# seconds: 900
# kill -9 of droverd after each journal record of a restart whose disks are
# copied while the guest runs.
need_fault_injection
fixture 2
strategy_guests -m 12 rl1
kill_at_every_record rl1 16
