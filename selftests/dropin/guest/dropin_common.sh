# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the scripts that run somebody else's module on mpslab share; sourced by
# each of them.  The host leaves, beside them in the guest's root:
#
#   /dropin/*.ko	modules built with mpslab_dropin.h
#   /stock/*.ko	the distribution's own of the same version
#   /dropin/needs	what both depend on
#   /lib/modules	this, of the kernel's own
#
# shellcheck disable=SC2154 # common.sh sets $mpslab

export PATH=/bin:/sbin:/tools LD_LIBRARY_PATH=/tools/lib

# A debug kernel is many times slower: do less.
# shellcheck disable=SC2034 # for those who source this
{
	slow=
	! grep -q kmemleak_scan /proc/kallsyms || slow=1
}

# What the modules depend on, and others that are named.
# shellcheck disable=SC2120 # most need no others
load_needs() {
	for module in $(cat /dropin/needs) "$@"; do
		modprobe "$module" || return
	done
}

seconds() {
	cut -d ' ' -f 1 /proc/uptime
}

# elapsed SINCE: seconds
elapsed() {
	awk -v a="$1" -v b="$(seconds)" 'BEGIN { print b - a }'
}

# module_loaded NAME
module_loaded() {
	grep -q "^$1 " /proc/modules
}

# ------------------------------------------------- what the caches went through

# Objects that are not free in their slabs, of every cache, each second.
sampler_start() {
	: >/tmp/samples
	while sleep 1; do
		cat "$mpslab/slabinfo" >>/tmp/samples
	done &
	sampler=$!
}

sampler_stop() {
	cat "$mpslab/slabinfo" >>/tmp/samples
	kill "$sampler"
	wait "$sampler" 2>/dev/null
}

# counts CACHE-DIRECTORY: allocations and frees, through arrays and past them.
counts() {
	awk 'FNR == 1 { file++ }
	     file == 1 && $1 ~ /^[0-9]+$/ { allocs += $7; frees += $8 }
	     file == 2 && $1 ~ /^[0-9]+$/ { allocs += $11; frees += $12 }
	     END { print allocs + 0, frees + 0 }' "$1/cpus" "$1/nodes"
}

# A line for each cache: size, peak, allocations, frees, in use, how far off.
cache_table() {
	printf '# %-28s %6s %8s %10s %10s %8s %s\n' cache size peak allocs frees in-use off-by
	for dir in "$mpslab"/caches/*; do
		[ -d "$dir" ] || continue
		name=${dir##*/}
		peak=$(awk -v name="$name" '$1 == name && $2 > max { max = $2 }
			END { print max + 0 }' /tmp/samples)
		size=$(sed -n 's/^object size *\([0-9]*\) bytes/\1/p' "$dir/geometry")
		in_use=$(sed -n 's/.*in use \(-*[0-9]*\) .*/\1/p' "$dir/balance")
		# shellcheck disable=SC2046 # two numbers
		set -- $(counts "$dir")
		printf '# %-28s %6s %8s %10s %10s %8s %s\n' "$name" "$size" "$peak" \
			"$1" "$2" "$in_use" "$(balance_off "$dir")"
	done
}

# And one for each pool.
pool_table() {
	printf '# %-28s %s\n' pool 'min_nr, and where elements came from'
	for dir in "$mpslab"/pools/*; do
		[ -d "$dir" ] || continue
		printf '# %-28s %s\n' "${dir##*/}" \
			"$(awk '{ printf "%s%s", sep, $0; sep = ", " }' "$dir/stats")"
	done
}

# at_least NUMBER KIND: so many caches or pools are there, and all balance.
at_least() {
	number=0
	for dir in "$mpslab/$2"/*; do
		[ -d "$dir" ] || continue
		number=$((number + 1))
		[ "$2" = pools ] || [ "$(balance_off "$dir")" = 0 ] || {
			echo "# ${dir##*/}: $(cat "$dir/balance")"
			return 1
		}
	done
	echo "# $number $2"
	[ $number -ge "$1" ]
}

# Once the modules are gone, so are their caches: one with an object in use would
# have stayed, and kept mpslab loaded.
nothing_left() {
	for dir in "$mpslab"/caches/* "$mpslab"/pools/*; do
		[ ! -e "$dir" ] || {
			echo "# still there: $dir: $(cat "$dir/balance" 2>/dev/null)"
			left=1
		}
	done
	[ -z "${left:-}" ]
}
