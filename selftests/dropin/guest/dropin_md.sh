#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# drivers/md as a set, as the distribution's source package has it, on mpslab:
# dm-crypt, thin provisioning, snapshots, dm-integrity, RAID 1 and 5.  Each device
# takes random direct I/O, which is verified; on the kernel's allocator first, then
# on mpslab, then with every third allocation of every pool's backend failing, so
# that the reserves are what is used.

# shellcheck source-path=SCRIPTDIR/../..
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh
. ./dropin_common.sh

export DM_DISABLE_UDEV=1
sectors=98304
# Of a device, how much takes I/O.
share=1
[ -z "$slow" ] || share=8

# --------------------------------------------------------------------- the modules

set_modules='dm-mod dm-bufio dm-bio-prison dm-persistent-data dm-thin-pool
	dm-crypt dm-snapshot dm-integrity md-mod raid1 raid456'

load_set() {
	for module in $set_modules; do
		insmod "$1/$module.ko" || return
	done
}

unload_set() {
	for module in $(echo "$set_modules" | tr -s ' \t' '\n' | tac); do
		rmmod "$module" || return
	done
}

# ------------------------------------------------------------------------- the load

# verified DEVICE MEGABYTES
verified() {
	fio --name="${1##*/}" --filename="$1" --size="$(($2 * 1024 / share))k" --rw=randrw --bs=4k \
		--direct=1 --ioengine=libaio --iodepth=32 --verify=crc32c --do_verify=1 \
		--verify_fatal=1 --randseed=1 --thread --minimal >/tmp/fio 2>&1 || {
		sed 's/^/# /' /tmp/fio
		return 1
	}
}

checksum() {
	dd if="$1" bs=64k count="$2" iflag=direct 2>/dev/null | md5sum
}

# What the pools of a device did, before they go with it.
note_pools() {
	for dir in "$mpslab"/pools/*; do
		[ ! -d "$dir" ] || awk -v target="$1" '
			{ value[$1] = $2 }
			END { print target, value["creator"], value["min_nr"],
				value["low_water"], value["backend_allocs"],
				value["reserve_allocs"], value["frees"],
				value["outstanding"] }' "$dir/stats"
	done >>/tmp/pools
}

try_crypt() {
	key=$(printf '%064d' 0 | sed 's/00/5a/g')
	dmsetup create crypt --table \
		"0 $sectors crypt aes-xts-plain64 $key$(echo "$key" | tr 5 6) 0 /dev/ram0 0" &&
		verified /dev/mapper/crypt 12 && note_pools crypt && dmsetup remove crypt
}

# A thin device, its snapshot, and writes to both: the first share of a block is
# copied, the rest is not.
try_thin() {
	dd if=/dev/zero of=/dev/ram1 bs=4k count=16 2>/dev/null
	dmsetup create pool --table "0 $sectors thin-pool /dev/ram1 /dev/ram2 128 0" &&
		dmsetup message /dev/mapper/pool 0 "create_thin 0" &&
		dmsetup create thin --table "0 65536 thin /dev/mapper/pool 0" &&
		verified /dev/mapper/thin 8 || return
	before=$(checksum /dev/mapper/thin 128)
	dmsetup suspend thin &&
		dmsetup message /dev/mapper/pool 0 "create_snap 1 0" &&
		dmsetup resume thin &&
		dmsetup create thinsnap --table "0 65536 thin /dev/mapper/pool 1" &&
		[ "$before" = "$(checksum /dev/mapper/thinsnap 128)" ] &&
		verified /dev/mapper/thinsnap 4 &&
		[ "$before" = "$(checksum /dev/mapper/thin 128)" ] &&
		note_pools thin && dmsetup remove thinsnap && dmsetup remove thin &&
		dmsetup remove pool
}

try_snapshot() {
	dd if=/dev/zero of=/dev/ram3 bs=4k count=16 2>/dev/null
	dmsetup create snap --table "0 $sectors snapshot /dev/ram0 /dev/ram3 P 16" &&
		dmsetup create origin --table "0 $sectors snapshot-origin /dev/ram0" || return
	before=$(checksum /dev/mapper/snap 128)
	verified /dev/mapper/origin 8 &&
		[ "$before" = "$(checksum /dev/mapper/snap 128)" ] &&
		verified /dev/mapper/snap 4 &&
		note_pools snapshot && dmsetup remove origin && dmsetup remove snap
}

# Given one sector, it formats the device, and notes how many there are.
try_integrity() {
	dd if=/dev/zero of=/dev/ram1 bs=4k count=1 2>/dev/null
	table="integrity /dev/ram1 0 - J 1 internal_hash:crc32c"
	dmsetup create integrity --table "0 1 $table" && dmsetup remove integrity || return
	usable=$(od -A n -t u8 -j 16 -N 8 /dev/ram1 | tr -d ' ')
	# What was never written has no checksum.
	dmsetup create integrity --table "0 $usable $table" &&
		dd if=/dev/zero of=/dev/mapper/integrity bs=64k count=128 oflag=direct \
			2>/dev/null &&
		verified /dev/mapper/integrity 8 && note_pools integrity &&
		dmsetup remove integrity
}

md_idle() {
	[ "$(cat /sys/block/md0/md/sync_action)" = idle ]
}

# A disk more, for which raid1 makes itself another pool, then one that fails.
try_raid1() {
	mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --bitmap=none \
		--metadata=1.2 /dev/ram0 /dev/ram1 >/tmp/mdadm 2>&1 &&
		verified /dev/md0 8 && wait_until 60 md_idle &&
		mdadm /dev/md0 --add /dev/ram2 >>/tmp/mdadm 2>&1 &&
		mdadm --grow /dev/md0 --raid-devices=3 >>/tmp/mdadm 2>&1 &&
		wait_until 60 md_idle && verified /dev/md0 4 &&
		mdadm /dev/md0 --fail /dev/ram0 >>/tmp/mdadm 2>&1 &&
		verified /dev/md0 4 || return
	note_pools raid1
	mdadm --stop /dev/md0 >>/tmp/mdadm 2>&1
}

# Degraded, so that reads and writes have to compute; then rebuilt.
try_raid5() {
	mdadm --create /dev/md0 --run --level=5 --raid-devices=3 --bitmap=none \
		--metadata=1.2 /dev/ram0 /dev/ram1 missing >/tmp/mdadm 2>&1 &&
		verified /dev/md0 8 || return
	before=$(checksum /dev/md0 128)
	mdadm /dev/md0 --add /dev/ram2 >>/tmp/mdadm 2>&1 && sleep 1 &&
		wait_until 120 md_idle && [ "$before" = "$(checksum /dev/md0 128)" ] &&
		mdadm /dev/md0 --fail /dev/ram1 >>/tmp/mdadm 2>&1 &&
		[ "$before" = "$(checksum /dev/md0 128)" ] &&
		verified /dev/md0 4 || return
	note_pools raid5
	mdadm --stop /dev/md0 >>/tmp/mdadm 2>&1
}

# From disks of zeroes, so that all runs are the same.
fresh_disks() {
	rmmod brd 2>/dev/null
	modprobe brd rd_nr=4 rd_size=65536
}

load() {
	for target in crypt thin snapshot integrity raid1 raid5; do
		before_target=$(seconds)
		if ! { fresh_disks && "try_$target"; }; then
			echo "# failed: $target"
			sed 's/^/# /' /tmp/mdadm 2>/dev/null
			return 1
		fi
		echo "# $target: $(elapsed "$before_target") s"
	done
}

# ------------------------------------------------------------------------ the cases

set_up() {
	load_needs xts
}

on_the_kernels() {
	load_set /stock || return
	began=$(seconds)
	load || return
	stock_time=$(elapsed "$began")
	unload_set
}

on_mpslab() {
	insmod "$MODS/mpslab.ko" && load_set /dropin || return
	sampler_start
	began=$(seconds)
	: >/tmp/pools
	load
	status=$?
	dropin_time=$(elapsed "$began")
	show_pools
	return "$status"
}

with_failing_backends() {
	: >/tmp/pools
	echo every=3 >"$mpslab/fault/backend" || return
	load
	status=$?
	sed 's/^/# /' "$mpslab/fault/backend"
	echo off >"$mpslab/fault/backend"
	show_pools
	sampler_stop
	return "$status"
}

show_pools() {
	printf '# %-10s %-34s %6s %9s %9s %9s %9s\n' target "pool of" min_nr low-water \
		backend reserve frees
	awk '{ printf "# %-10s %-34s %6d %9d %9d %9d %9d\n", $1, $2, $3, $4, $5, $6, $7 }' \
		/tmp/pools
}

reserves_used() {
	awk '$5 + $6 >= 100 { busy++; used += $6 > 0 }
	     END { printf "# of %d busy pools, %d used their reserve\n", busy, used
		   exit !(busy && used == busy) }' /tmp/pools
}

# As many as the modules create when they are loaded; dm-mod has one if it was built with
# CONFIG_DM_UEVENT.
all_caches() {
	nr=8
	! grep -q 'dm_uevent_init.*\[dm_mod\]' /proc/kallsyms || nr=9
	at_least "$nr" caches
}

ktap_print_header
ktap_set_plan 10
ktap_test_result "what the set needs of the kernel" set_up
ktap_test_result "the load on the kernel's allocators" on_the_kernels
ktap_test_result "the load on mpslab" on_mpslab
ktap_test_result "the load on the reserves" with_failing_backends
ktap_test_result "each busy pool used its reserve" reserves_used
cache_table
ktap_test_result "all caches were made, and are in balance" all_caches
ktap_test_result "the modules unload" unload_set
ktap_test_result "nothing is left" nothing_left
ktap_test_result "the kernel's log is clean" no_complaints
ktap_test_result "mpslab unloads" rmmod mpslab
echo "# time: ${dropin_time:-?} s on mpslab, ${stock_time:-?} s on the kernel's allocators"
ktap_finished
