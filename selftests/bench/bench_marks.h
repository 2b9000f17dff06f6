/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest tells the counting plugin (qemu_counts.c): no-ops with an
 * address that nothing reads, so that they cost one instruction and mean nothing
 * to a CPU.  Included by both sides.
 */
#ifndef MPSLAB_BENCH_MARKS_H
#define MPSLAB_BENCH_MARKS_H

/* nopl (MARK_MAGIC + mark)(%rax) */
#define MARK_MAGIC	0x6d707300

#define MARK_ZERO	0	/* bits of this CPU's text, the highest of each */
#define MARK_ONE	1	/* character first */
#define MARK_ARM	2	/* look at all code that runs from soon on */
#define MARK_START	3	/* this CPU counts from here */
#define MARK_STOP	4	/* to here */
#define MARK_ROW	5	/* sum up under this CPU's text; begin anew */
#define MARK_NR		6

#endif /* MPSLAB_BENCH_MARKS_H */
