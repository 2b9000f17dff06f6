# SPDX-License-Identifier: GPL-2.0
#
# Rows for the results, from what the plugin counted:
#
#	awk -f counts.awk -v prefix=KERNEL,INIT_ON_ALLOC,CPUS -v places=FILE \
#		SYMBOLS COUNTS
#
# SYMBOLS is lines of the guest's /proc/kallsyms, sorted, of functions only.
# To FILE goes where in the code the longest stretch of an allocator begins: the
# function, and who called it.
#
# COUNTS has the rows of the workload scale_check, too, of which it is known what
# must have been counted.  If anything else was, that is said, and the status is 1.

BEGIN { FS = "[ \t]+"; OFS = "," }

# "" makes a number of digits a string, too: addresses of one length sort so.
FILENAME == ARGV[ARGC - 2] {
	address[++symbols] = $1 ""
	name[symbols] = $3
	module[symbols] = $4
	next
}

FNR == 1 { FS = ","; $0 = $0 }

function wrong(what) {
	print "counts.awk: " what >"/dev/stderr"
	status = 1
}

function expect(what, is, should) {
	checked++
	if (is != should)
		wrong(what ": " is " counted, not " should)
}

$2 == "check_irqs_off" && $1 == "irqs_off" { off = off " " $7 }
$2 == "check_lock_hold" && $1 == "lock_hold" { held = held " " $7 }
$1 == "row" && $2 == "check_insns" { expect("instructions", $7, 2001) }
$1 == "row" && $2 == "check_locked" { expect("locked instructions", $8, 1500) }
$1 == "row" && $2 == "check_irqs_off" { expect("interrupts off", off, " 101 11") }
$1 == "row" && $2 == "check_lock_hold" {
	expect("lock held", held, " 51")
	expect("locks", $9, 1)
}
$1 == "row" && $2 == "check_lines" { expect("lines", $10, 5999) }
$2 ~ /^check_/ { next }

function symbol(pc,    low, high, middle) {
	pc = pc ""
	low = 1
	high = symbols
	while (low < high) {
		middle = int((low + high + 1) / 2)
		if (address[middle] <= pc)
			low = middle
		else
			high = middle - 1
	}
	return low
}

function is_primitive(s) {
	return name[s] ~ /^_raw_|^(native_)?queued_|^__pv_|^pv_native|^__raw_/
}

# Functions of mm/slub.c and mm/slab.c that switch interrupts off or lock.
function is_kernels(s) {
	return name[s] ~ /^_*(kmem_cache|kfree|slab|new_slab|allocate_slab|free_slab|discard_slab|get_partial|get_from_partial|get_any_partial|put_partial|put_cpu_partial|unfreeze|deactivate_slab|flush_|free_to_|refill_|alloc_full_sheaf|pcs_|barn_|sheaf_|rcu_free_sheaf|cmpxchg_double_slab|cache_|drain_array|drain_freelist|free_block|do_drain|do_cache|alloc_from_|alloc_single|fallback_alloc)/
}

# This is of the allocator itself if the first function that is more than a
# spinlock's is.
function owner(    i, s) {
	for (i = 9; i <= 12; i++) {
		s = symbol($i)
		if ($i == "0" || is_primitive(s))
			continue
		where = name[s]
		for (i++; i <= 12 && $i != "0"; i++)
			where = where " < " name[symbol($i)]
		if (module[s] == "[mpslab]")
			return "mpslab"
		return is_kernels(s) ? "kmem_cache" : "kernel"
	}
}

# 1 what, 2 workload, 3 size, 4 n, 5 allocator, 6 operations, 7... figures
$1 == "irqs_off" || $1 == "lock_hold" {
	key = $1 SUBSEP $2 SUBSEP $3 SUBSEP $4 SUBSEP $5
	if (owner() != $5)
		next
	times[key] += $8
	if ($7 + 0 > longest[key]) {
		longest[key] = $7 + 0
		place[key] = where
	}
}

function longest_row(what,    key, as) {
	key = what SUBSEP $2 SUBSEP $3 SUBSEP $4 SUBSEP $5
	as = $2
	sub(/^off/, what, as)
	print prefix, as, $3, $4, $5, sprintf("%.3f", longest[key]), "insn"
	if (key in place)
		print as " " $4 " " $5 ": " place[key] >places
}

function per_M(what, count) {
	print prefix, $2 "_" what, $3, $4, $5, sprintf("%.3f", count * 1000000 / $6), "per_M"
}

$1 == "row" && $2 ~ /^off_/ {
	longest_row("irqs_off")
	longest_row("lock_hold")
}

$1 == "row" && $2 ~ /^scale_/ {
	if ($11 > 0)
		wrong($11 " writes were not looked at")
	print prefix, $2, $3, $4, $5, sprintf("%.3f", $7 / $6), "insn"
	per_M("locked", $8)
	per_M("locks", $9)
	per_M("own_locks", times["lock_hold" SUBSEP $2 SUBSEP $3 SUBSEP $4 SUBSEP $5])
	per_M("lines", $10)
}

END {
	if (checked != 6)
		wrong("of 6 checks " checked + 0 " were made")
	exit status
}
