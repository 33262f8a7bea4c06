# shellcheck shell=bash
# seconds: 300
# kill -9 of droverd after each journal record of a live move over shared
# storage: the next one finishes or undoes it.
need_fault_injection
fixture 2 'limits: { bandwidth: 32MiB/s }'
strategy_guests ls1
kill_at_every_record ls1 2
