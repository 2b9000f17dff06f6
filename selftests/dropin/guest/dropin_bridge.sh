#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# net/bridge, as the distribution's source package has it, on mpslab: a bridge with
# four ports, each to a network namespace that talks to the others; entries of its
# forwarding table, which kfree_rcu() frees although they are of a cache, by the
# thousand.  On the kernel's allocator first, then on mpslab.

# shellcheck source-path=SCRIPTDIR/../..
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh
. ./dropin_common.sh

entries=8000 pings=50
[ -z "$slow" ] || entries=2000 pings=10
ports='1 2 3 4'

# ------------------------------------------------------------------------- the load

# The shell has one of its own, which can do less.
ip() {
	/tools/ip "$@"
}

build_network() {
	ip link add br0 type bridge && ip link set br0 up || return
	for n in $ports; do
		ip netns add "n$n" &&
			ip link add "port$n" type veth peer name eth0 netns "n$n" &&
			ip link set "port$n" master br0 up &&
			ip -n "n$n" address add "10.0.0.$n/24" dev eth0 &&
			ip -n "n$n" link set eth0 up || return
	done
}

# Every namespace reaches every other, by addresses that the bridge has learnt.
all_reach_all() {
	for from in $ports; do
		for to in $ports; do
			[ "$from" = "$to" ] ||
				ip netns exec "n$from" ping -q -c "$pings" -i 0.01 -W 5 "10.0.0.$to" \
					>/tmp/ping 2>&1 || { sed 's/^/# /' /tmp/ping; return 1; }
		done
	done
}

# batch COMMAND PORT FIRST LAST: entries by number, for `bridge -batch`.
batch() {
	awk -v command="$1" -v port="$2" -v first="$3" -v last="$4" 'BEGIN {
		for (n = first; n <= last; n++)
			printf "fdb %s 02:00:00:00:%02x:%02x dev port%d master static\n",
				command, n / 256, n % 256, port
	}' >/tmp/batch
	bridge -batch /tmp/batch
}

# Of the entries that were made here; each is there once more for the VLAN.
nr_entries() {
	bridge fdb show br br0 | grep '^02:00:00:00:.* static' | grep -vc ' vlan '
}

entries_are() {
	[ "$(nr_entries)" -eq "$1" ] || { echo "# $(nr_entries) entries, not $1"; return 1; }
}

# Made, half of them unmade, the rest moved to another port, and unmade.
fill_table() {
	for turn in 1 2 3; do
		batch add 1 1 "$entries" && entries_are "$entries" &&
			batch del 1 1 $((entries / 2)) && entries_are $((entries / 2)) &&
			batch replace "$turn" $((entries / 2 + 1)) "$entries" &&
			entries_are $((entries / 2)) || return
		batch del "$turn" $((entries / 2 + 1)) "$entries" && entries_are 0 || return
	done
}

remove_network() {
	for n in $ports; do
		ip netns del "n$n" || return
	done
	ip link del br0
}

load() {
	build_network && all_reach_all && fill_table && all_reach_all && remove_network
}

# ------------------------------------------------------------------------ the cases

set_up() {
	mkdir -p /run/netns && load_needs
}

on_the_kernels() {
	insmod /stock/bridge.ko || return
	before=$(seconds)
	load || return
	stock_time=$(elapsed "$before")
	rmmod bridge
}

on_mpslab() {
	insmod "$MODS/mpslab.ko" && insmod /dropin/bridge.ko || return
	sampler_start
	before=$(seconds)
	load
	status=$?
	dropin_time=$(elapsed "$before")
	sampler_stop
	return "$status"
}

# Three turns, each with so many entries, which all came back.
entries_were_ours() {
	# shellcheck disable=SC2046 # two numbers
	set -- $(counts "$mpslab"/caches/*fdb*)
	[ "$1" -ge $((3 * entries)) ]
}

ktap_print_header
ktap_set_plan 8
ktap_test_result "what the module needs of the kernel" set_up
ktap_test_result "the load on the kernel's allocator" on_the_kernels
ktap_test_result "the load on mpslab" on_mpslab
cache_table
ktap_test_result "the entries were mpslab's" entries_were_ours
ktap_test_result "the module unloads" rmmod bridge
ktap_test_result "nothing is left" nothing_left
ktap_test_result "the kernel's log is clean" no_complaints
ktap_test_result "mpslab unloads" rmmod mpslab
echo "# time: ${dropin_time:-?} s on mpslab, ${stock_time:-?} s on the kernel's allocator"
ktap_finished
