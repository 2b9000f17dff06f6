/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the memory pool share: its private structures, and the
 * prototypes, grouped by the file that defines them.  The lock order is in
 * internal.h.
 */
#ifndef MPSLAB_MEMPOOL_INTERNAL_H
#define MPSLAB_MEMPOOL_INTERNAL_H

#include "internal.h"

/* Calls that are kept of the stack of who waits for, or holds, an element. */
#define POOL_STACK		12
/* How long newcomers may overtake a pool's first waiter, and at most. */
#define BYPASS_US		4000U
#define BYPASS_US_MAX		1000000U

/* -------------------------------------------------------- data: the pool -- */

/**
 * struct mpslab_pool_stat - one CPU's counts of a pool
 * @backend_allocs: elements from the backend
 * @frees: elements freed
 * @pops: elements from this CPU's array, without the backend; mpslab_pool_alloc()
 * @pushes: elements freed to it; pool_push()
 *
 * From any context; the first two by this_cpu_add(), which needs no pointer on
 * x86 but interrupts off elsewhere.
 */
struct mpslab_pool_stat {
	unsigned long backend_allocs;
	unsigned long frees;
	local_t pops;
	local_t pushes;
};

/**
 * struct pool_waiter - somebody who waits for elements; lies on his stack
 * @list: place in the queue, under pool->lock
 * @task: who
 * @elems: where the elements go
 * @wanted: how many
 * @got: how many there are; under pool->lock while queued
 * @own: of these, how many the reserve never had; they come first
 * @woken: he was woken to look at the reserve, and has not looked yet; written
 *	under pool->lock
 * @since: when he queued, in nanoseconds
 * @overtakes: the pool's count when he queued
 * @stack_nr: entries of @stack, 0 as long as there is none; under pool->lock
 * @stack: where he waits; under pool->lock
 *
 * @got == @wanted says that the waiter has left the queue.  He looks at it with
 * pool->lock held, so whoever served him, under the same lock, is done with this
 * struct before it goes.
 */
struct pool_waiter {
	struct list_head list;
	struct task_struct *task;
	void **elems;
	unsigned int wanted;
	unsigned int got;
	unsigned int own;
	bool woken;
	u64 since;
	u64 overtakes;
	unsigned int stack_nr;
	unsigned long stack[POOL_STACK];
};

/**
 * struct pool_bound - how long a wait may last
 * @state: the task's, %TASK_KILLABLE if it may be killed
 * @timeout: in jiffies, or %MAX_SCHEDULE_TIMEOUT
 */
struct pool_bound {
	unsigned int state;
	long timeout;
};

static inline bool is_bulk(const struct pool_waiter *w)
{
	return w->wanted > 1;
}

/* A waiter as debugfs and the tests see it. */
struct pool_waiter_info {
	char comm[TASK_COMM_LEN];
	pid_t pid;
	unsigned int wanted;
	unsigned int got;
	u64 waited_ns;
	u64 overtaken;		/* allocations of newcomers meanwhile */
	bool overdue;		/* waited too long to be overtaken */
	unsigned int stack_nr;	/* 0: not known (yet) */
	unsigned long stack[POOL_STACK];
};

/* Who holds an element of the reserve, likewise. */
struct pool_holder_info {
	char comm[TASK_COMM_LEN];
	pid_t pid;
	u64 held_ns;
	unsigned int stack_nr;
	unsigned long stack[POOL_STACK];
};

/* A pool's sums, read without stopping anybody. */
struct pool_counts {
	u64 backend_allocs;
	u64 reserve_allocs;
	u64 frees;
	s64 outstanding;	/* elements in clients' hands */
};

/* ------------------------------------------------------- mempool_setup.c -- */

/*
 * mpslab_pool.magic of a pool that is set up.  A module may be passed another
 * struct where it takes a pool: that of the kernel, by a module that was not
 * rebuilt with it.  That one begins with a spinlock, of which the low byte is 0 or
 * 1; or, without SMP, with the size of its reserve.
 */
#define POOL_LONG_WAY	0x6d70736cU
/* Over an mpslab cache, and nothing else is wanted: the CPUs' arrays are asked. */
#define POOL_SHORT_WAY	(POOL_LONG_WAY + 1)
/* Of one that was. */
#define POOL_GONE	(POOL_LONG_WAY + 2)

static __always_inline bool pool_goes_short_way(const struct mpslab_pool *pool)
{
	/* pool_set_slow() may change it; who comes early sees the old value. */
	return likely(data_race(pool->magic) == POOL_SHORT_WAY);
}

static __always_inline bool pool_is_ours(const struct mpslab_pool *pool)
{
	u32 magic;

	/* Who asks is mostly on the long way.  Of a change, see below. */
	if (likely(data_race(pool->magic) == POOL_LONG_WAY))
		return true;
	/* Anew, but once, as pool_set_slow() may turn either into the other. */
	magic = READ_ONCE(pool->magic);
	return magic == POOL_SHORT_WAY || magic == POOL_LONG_WAY;
}

void pool_report_foreign(const struct mpslab_pool *pool, const char *what);

/* Is it none of ours?  Then that is reported; @what is asked for, and not done. */
static __always_inline bool pool_refused(const struct mpslab_pool *pool,
					 const char *what)
{
	if (pool_is_ours(pool))
		return false;
	pool_report_foreign(pool, what);
	return true;
}

/*
 * A pool whose min_nr is 0 still keeps one element, as the kernel's does: so a
 * free always has somewhere to bring an element where a waiter is bound to look.
 */
static inline int reserve_size(int min_nr)
{
	return max(min_nr, 1);
}

int pool_force_drain(struct mpslab_pool *pool);
int pool_force_refill(struct mpslab_pool *pool);

/* -------------------------------------------------------- mempool_core.c -- */

void *pool_remove_element(struct mpslab_pool *pool);
bool pool_keep_element(struct mpslab_pool *pool, void *element);
unsigned int pool_take_reserve(struct mpslab_pool *pool, void **elems,
			       unsigned int count);
unsigned int pool_take_reserve_all(struct mpslab_pool *pool, void **elems,
				   unsigned int count);
unsigned int pool_take_backend(struct mpslab_pool *pool, gfp_t gfp,
			       void **elems, unsigned int count);
void pool_counts(struct mpslab_pool *pool, struct pool_counts *counts);

/* -------------------------------------------------------- mempool_slow.c -- */

/* Why a pool's allocations and frees go the long way; see pool_set_slow(). */
#define POOL_SLOW_RESERVE_FIRST	MPSLAB_POOL_RESERVE_FIRST
#define POOL_SLOW_NO_RECLAIM	MPSLAB_POOL_NO_RECLAIM
#define POOL_SLOW_FAULTS	BIT(2)	/* a fault plan is about it */
#define POOL_SLOW_TRACK		BIT(3)	/* mempool_track.c is to know */

static inline bool pool_is_slow(struct mpslab_pool *pool)
{
	return unlikely(READ_ONCE(pool->slow)) || fault_attr_on(FAULT_BACKEND) ||
	       fault_attr_on(FAULT_RESERVE);
}

void pool_set_slow(struct mpslab_pool *pool, unsigned int why, bool on);
unsigned int pool_take_slow(struct mpslab_pool *pool, gfp_t gfp, gfp_t allowed,
			    void **elems, unsigned int count);
void *pool_take_one_slow(struct mpslab_pool *pool, gfp_t gfp, gfp_t allowed);
void *pool_take_preallocated_slow(struct mpslab_pool *pool);

/* ------------------------------------------------------- mempool_track.c -- */

int pool_track(struct mpslab_pool *pool, bool on);
void pool_track_exit(struct mpslab_pool *pool);
void pool_track_take(struct mpslab_pool *pool, void **elems, unsigned int nr);
bool pool_track_free(struct mpslab_pool *pool, void *element);
unsigned int pool_holders(struct mpslab_pool *pool,
			  struct pool_holder_info *info, unsigned int max,
			  u64 *missed);

/* -------------------------------------------------------- mempool_wait.c -- */

bool pool_admit(struct mpslab_pool *pool, unsigned int count);
bool pool_hand_over(struct mpslab_pool *pool, void *element, bool room);
void pool_wake_first(struct mpslab_pool *pool);
int pool_wait(struct mpslab_pool *pool, gfp_t gfp, void **elems,
	      unsigned int got, unsigned int wanted,
	      const struct pool_bound *bound);
int pool_set_bypass(struct mpslab_pool *pool, unsigned int usecs);
unsigned int pool_waiters(struct mpslab_pool *pool,
			  struct pool_waiter_info *info, unsigned int max);

/* -------------------------------------------------------- debugfs_pool.c -- */

int debugfs_pool_add(struct mpslab_pool *pool, unsigned long creator);
void debugfs_pool_remove(struct mpslab_pool *pool);
void debugfs_pool_moved(struct mpslab_pool *pool);
void debugfs_pool_rename(struct mpslab_pool *pool, const char *name);
const char *debugfs_pool_name(struct mpslab_pool *pool);

/* ---------------------------------------------------------- slab_debug.c -- */

#define FREED_TO_RESERVE	"free of an element that is in the reserve already"

__printf(2, 3) bool pool_bug(struct mpslab_pool *pool, const char *fmt, ...);
void pool_bad_free(struct mpslab_pool *pool, const char *what);
void pool_report_holder(struct mpslab_pool *pool);
void pool_wait_report(struct mpslab_pool *pool,
		      const struct pool_waiter_info *info);

#endif /* MPSLAB_MEMPOOL_INTERNAL_H */
