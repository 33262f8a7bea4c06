# shellcheck shell=bash
# seconds: 600
# kill -9 of droverd after each journal record of a restart, disks shared.
need_fault_injection
fixture 2
strategy_guests rs1
kill_at_every_record rs1 10
