# shellcheck shell=bash
# What the benchmarks of the lab have in common.

now_ms()
{
	local t=${EPOCHREALTIME/[.,]/}
	echo $((t / 1000))
}

# median [FILE...]: of a number per line; "-" when there is none
median()
{
	sort -n "$@" | awk -v OFMT=%.10g '{ v[NR] = $1 } END {
		if (NR == 0) print "-"
		else print NR % 2 ? v[(NR + 1) / 2] : \
			(v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
