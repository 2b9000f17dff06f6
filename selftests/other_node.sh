#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A task may run on one node and have memory of another only.  What it allocates
# fills slabs there, as well as at home.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

objects=2000

# In a cpuset of CPU 0, which is of node 0, with the memory of one node.
confine_to_node() {
	echo 0 >/sys/fs/cgroup/mpslab/cpuset.cpus &&
		echo "$1" >/sys/fs/cgroup/mpslab/cpuset.mems &&
		echo $$ >/sys/fs/cgroup/mpslab/cgroup.procs
}

confine() {
	mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
		echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control &&
		mkdir /sys/fs/cgroup/mpslab
}

release() {
	echo $$ >/sys/fs/cgroup/cgroup.procs && rmdir /sys/fs/cgroup/mpslab &&
		umount /sys/fs/cgroup
}

# The first number of the balance line is all objects, the third those in use.
objects_in_slabs() {
	awk '$1 == "objects" { print $2 }' "$cache/balance"
}

objects_of_node() {
	awk -v node="$1" '$1 == node { print $5 }' "$cache/nodes"
}

# fills_node NODE: whoever writes min_nr allocates the reserve.  Half as much
# again is room for arrays and for a slab that is not full.
fills_node() {
	confine_to_node "$1" || return
	echo "$objects" >"$pool/min_nr" || return
	echo "# node $1: $(objects_of_node "$1") objects in its slabs for $objects"
	[ "$(objects_of_node "$1")" -ge $((objects * 9 / 10)) ] || return
	[ "$(objects_in_slabs)" -le $((objects * 3 / 2)) ] || return
	echo 0 >"$pool/min_nr" && echo 1 >"$cache/shrink"
}

ktap_print_header
[ -d /sys/devices/system/node/node1 ] || ktap_skip_all "no second node"
grep -q '^nodev.*cgroup2' /proc/filesystems || ktap_skip_all "no cgroups"
ktap_set_plan 7
ktap_test_result "the modules load" load_modules
ktap_test_result "a task can be confined" confine
ktap_test_result "objects of the own node fill its slabs" fills_node 0
ktap_test_result "objects of the other node fill its slabs" fills_node 1
ktap_test_result "nothing is off" balanced
ktap_test_result "the task is set free" release
ktap_test_result "the modules unload" unload_modules
ktap_finished
