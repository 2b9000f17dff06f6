#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# XFS, as the distribution's source package has it, on mpslab: within a memory
# cgroup that is too small for it, so that its inodes are reclaimed by their
# cgroup's lists.  The same load runs on the kernel's allocator first.

# shellcheck source-path=SCRIPTDIR/../..
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh
. ./dropin_common.sh

files=8000 io=32m
[ -z "$slow" ] || files=2000 io=4m

# ------------------------------------------------------------------- the load

# Files of 1 byte to 24 KiB in 50 directories, whose content follows from their
# number; awk writes them without a process for each.
# shellcheck disable=SC2016 # awk's variables
content='
function text(n,  s, len) {
	len = (n * n * 7919 + n) % (n % 10 ? 2000 : 24576) + 1
	s = "file " n ": " (n * 2654435761) " "
	while (length(s) < len)
		s = s s
	return substr(s, 1, len)
}
function name(n) { return dir "/" n % 50 "/" n }
'

write_files() {
	i=0
	while [ "$i" -lt 50 ]; do
		mkdir -p "/mnt/$i" || return
		i=$((i + 1))
	done
	awk -v dir=/mnt -v files="$files" "$content"'BEGIN {
		for (n = 0; n < files; n++) {
			printf "%s", text(n) >name(n)
			close(name(n))
		}
	}'
}

# Every third one goes, every seventh is renamed and back, every 20th is linked.
shuffle_files() {
	n=0
	while [ "$n" -lt "$files" ]; do
		set --
		while [ $# -lt 20 ] && [ "$n" -lt "$files" ]; do
			[ $((n % 3)) -ne 1 ] || set -- "$@" "/mnt/$((n % 50))/$n"
			[ $((n % 700)) -ne 0 ] || {
				mv "/mnt/$((n % 50))/$n" "/mnt/renamed" &&
					mv "/mnt/renamed" "/mnt/$((n % 50))/$n" &&
					ln -s "../$((n % 50))/$n" "/mnt/1/link$n"
			} || return
			n=$((n + 1))
		done
		[ $# -eq 0 ] || rm "$@" || return
	done
}

# Read without the lines' ends, of which the content has none.
check_files() {
	awk -v dir=/mnt -v files="$files" "$content"'BEGIN {
		for (n = 0; n < files; n++) {
			there = (getline line <name(n)) > 0
			close(name(n))
			if (n % 3 == 1 ? there : !there || line != text(n)) {
				print "# wrong: " name(n)
				bad++
			}
		}
		exit bad > 0
	}'
}

verified_io() {
	fio --name=verify --directory=/mnt --size="$io" --numjobs=2 --rw=randrw --bs=4k \
		--ioengine=psync --verify=crc32c --do_verify=1 --verify_fatal=1 \
		--randseed=1 --fsync=64 --thread --group_reporting --minimal \
		>/tmp/fio 2>&1 || { sed 's/^/# /' /tmp/fio; return 1; }
	rm -f /mnt/verify.*
}

drop_caches() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

remount() {
	umount /mnt && mount -t xfs /dev/ram0 /mnt
}

step() {
	echo "# $(seconds) $*"
	"$@"
}

load() {
	step mkfs.xfs -q -f /dev/ram0 &&
		mount -t xfs /dev/ram0 /mnt &&
		step write_files &&
		step shuffle_files &&
		step verified_io &&
		step drop_caches &&
		step check_files &&
		step remount &&
		step check_files
}

# In a subshell that joins the cgroup, so that nothing else is charged to it.
in_cgroup() {
	# shellcheck disable=SC3028 # not $$, which is the script
	(echo 0 >/sys/fs/cgroup/dropin/cgroup.procs && "$@")
}

# ------------------------------------------------------------------- the cases

set_up() {
	mount -t cgroup2 none /sys/fs/cgroup &&
		echo +memory >/sys/fs/cgroup/cgroup.subtree_control &&
		mkdir /sys/fs/cgroup/dropin && echo 40M >/sys/fs/cgroup/dropin/memory.max &&
		modprobe brd rd_nr=1 rd_size=327680 && load_needs &&
		mkdir -p /mnt
}

on_the_kernels() {
	insmod /stock/xfs.ko || return
	before=$(seconds)
	in_cgroup load || return
	stock_time=$(elapsed "$before")
	umount /mnt && rmmod xfs
}

on_mpslab() {
	insmod "$MODS/mpslab.ko" && insmod /dropin/xfs.ko || return
	sampler_start
	before=$(seconds)
	in_cgroup load
	status=$?
	dropin_time=$(elapsed "$before")
	sampler_stop
	return "$status"
}

charged() {
	echo "# memory of the cgroup: $(grep -E '^(slab|slab_reclaimable|kernel) ' \
		/sys/fs/cgroup/dropin/memory.stat | tr '\n' ' ')"
}

repaired() {
	umount /mnt || return
	xfs_repair -n /dev/ram0 >/tmp/repair 2>&1 || {
		sed 's/^/# /' /tmp/repair
		return 1
	}
}

unloaded() {
	rmmod xfs
}

ktap_print_header
ktap_set_plan 9
ktap_test_result "a disk and a memory cgroup" set_up
ktap_test_result "the load on the kernel's allocator" on_the_kernels
ktap_test_result "the load on mpslab" on_mpslab
charged
cache_table
ktap_test_result "at least 30 caches, in balance" at_least 30 caches
ktap_test_result "xfs_repair finds nothing" repaired
ktap_test_result "the module unloads" unloaded
ktap_test_result "nothing is left" nothing_left
ktap_test_result "the kernel's log is clean" no_complaints
ktap_test_result "mpslab unloads" rmmod mpslab
echo "# time: ${dropin_time:-?} s on mpslab, ${stock_time:-?} s on the kernel's allocator"
ktap_finished
