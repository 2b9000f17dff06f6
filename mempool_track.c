// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds the elements of a pool's reserve, since when, and where he took them.
 *
 * Off at first.  While it is on, the pool goes its long way (mempool_slow.c): each
 * element that leaves the reserve, or that a free hands to a waiter, is noted by
 * whoever gets it before he returns, and each free looks whether it was noted.  So
 * an element is noted while somebody has it, and nobody else can be at its entry.
 *
 * An element that is freed while the reserve is full goes to the backend, so those
 * in use that were once the reserve's may be more than it has.  There is room for
 * twice as many, and what does not fit is counted.  All of it is allocated when
 * tracking is switched on, stacks included: elements are taken in atomic context,
 * where the stack depot may have no memory, and on PREEMPT_RT cannot ask for any.
 *
 * What was taken before tracking was on is not known.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "mempool_internal.h"

#define HOLDERS_MIN	64U
#define HOLDERS_MAX	4096U
#define SCAN_BATCH	128	/* of the reserve, under one hold of pool->lock */

/**
 * struct holder - an element in somebody's hands
 * @node: in its bucket, by @element
 * @list: on pool_track.held, or unused
 * @element: the element
 * @since: when it was taken, in nanoseconds
 * @pid: by whom, as @comm
 * @comm: his name; he may be gone when somebody asks
 * @stack_nr: entries of @stack
 * @stack: where
 */
struct holder {
	struct hlist_node node;
	struct list_head list;
	void *element;
	u64 since;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	unsigned int stack_nr;
	unsigned long stack[POOL_STACK];
};

/**
 * struct pool_track - who holds a pool's elements
 * @lock: guards all of it; never together with pool->lock
 * @held: those that are held, the oldest first
 * @unused: the others
 * @missed: elements that there was no room for
 * @bits: the number of buckets, as a power of 2
 * @bucket: they
 * @holder: all there are
 */
struct pool_track {
	raw_spinlock_t lock;
	struct list_head held;
	struct list_head unused;
	u64 missed;
	unsigned int bits;
	struct hlist_head *bucket;
	struct holder holder[];
};

static struct pool_track *track_alloc(struct mpslab_pool *pool)
{
	unsigned int i, nr = clamp(2U * READ_ONCE(pool->min_nr), HOLDERS_MIN,
				   HOLDERS_MAX);
	struct pool_track *track;

	track = setup_alloc(kvzalloc(struct_size(track, holder, nr), GFP_KERNEL));
	if (!track)
		return NULL;
	track->bits = ilog2(roundup_pow_of_two(nr));
	track->bucket = setup_alloc(kvcalloc(1UL << track->bits,
					     sizeof(*track->bucket),
					     GFP_KERNEL));
	if (!track->bucket) {
		kvfree(track);
		return NULL;
	}
	raw_spin_lock_init(&track->lock);
	INIT_LIST_HEAD(&track->held);
	INIT_LIST_HEAD(&track->unused);
	for (i = 0; i < nr; i++)
		list_add_tail(&track->holder[i].list, &track->unused);
	return track;
}

static struct hlist_head *bucket_of(struct pool_track *track, void *element)
{
	return &track->bucket[hash_ptr(element, track->bits)];
}

static void drop(struct pool_track *track, struct holder *h)
{
	lockdep_assert_held(&track->lock);
	hlist_del_init(&h->node);
	list_move(&h->list, &track->unused);
}

/* No longer held; false if it was not known to be. */
static bool forget(struct pool_track *track, void *element)
{
	struct holder *h;

	lockdep_assert_held(&track->lock);
	hlist_for_each_entry(h, bucket_of(track, element), node) {
		if (h->element == element) {
			drop(track, h);
			return true;
		}
	}
	return false;
}

/* The oldest ones are unused by and by; no hold of the lock is long. */
static void forget_all(struct pool_track *track)
{
	struct holder *h;
	bool more = true;

	while (more) {
		raw_spin_lock_irq(&track->lock);
		h = list_first_entry_or_null(&track->held, struct holder, list);
		if (h)
			drop(track, h);
		else
			track->missed = 0;
		raw_spin_unlock_irq(&track->lock);
		more = h;
	}
}

/**
 * pool_track() - switch tracking on or off
 * @pool: the pool
 * @on: on, anew if it is on already?
 *
 * Whoever notes an element does so under track->lock and only while the bit is
 * set; so when the entries are dropped after it was cleared, none comes later.
 *
 * Context: task; sleeps.
 * Return: 0, or -ENOMEM.
 */
int pool_track(struct mpslab_pool *pool, bool on)
{
	int err = 0;

	mutex_lock(&pool->resize_lock);
	pool_set_slow(pool, POOL_SLOW_TRACK, false);
	if (pool->track)
		forget_all(pool->track);
	else if (on)
		/* pairs with smp_load_acquire() in pool_holders() */
		smp_store_release(&pool->track, track_alloc(pool));
	if (on && pool->track)
		pool_set_slow(pool, POOL_SLOW_TRACK, true);
	else if (on)
		err = -ENOMEM;
	mutex_unlock(&pool->resize_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(pool_track);

/**
 * pool_track_exit() - forget about it
 * @pool: the pool, which nobody uses any more
 *
 * Context: task; may sleep.
 */
void pool_track_exit(struct mpslab_pool *pool)
{
	if (!pool->track)
		return;
	kvfree(pool->track->bucket);
	kvfree(pool->track);
	pool->track = NULL;
}

/**
 * pool_track_take() - note that the caller has elements of the reserve
 * @pool: the pool, %POOL_SLOW_TRACK seen in pool->slow
 * @elems: the elements
 * @nr: how many
 *
 * Context: any but NMI.
 */
void pool_track_take(struct mpslab_pool *pool, void **elems, unsigned int nr)
{
	unsigned long stack[POOL_STACK], flags;
	unsigned int i, stack_nr;
	struct pool_track *track = READ_ONCE(pool->track);
	struct holder *h;

	stack_nr = compat_stack_trace(stack, POOL_STACK, 1);
	for (i = 0; i < nr; i++) {
		raw_spin_lock_irqsave(&track->lock, flags);
		forget(track, elems[i]);
		h = list_first_entry_or_null(&track->unused, struct holder, list);
		if (!(READ_ONCE(pool->slow) & POOL_SLOW_TRACK)) {
			;	/* switched off meanwhile */
		} else if (h) {
			h->element = elems[i];
			h->since = ktime_get_mono_fast_ns();
			h->pid = task_pid_nr(current);
			memcpy(h->comm, current->comm, sizeof(h->comm));
			h->stack_nr = stack_nr;
			memcpy(h->stack, stack, sizeof(stack));
			hlist_add_head(&h->node, bucket_of(track, elems[i]));
			list_move_tail(&h->list, &track->held);
		} else {
			track->missed++;
		}
		raw_spin_unlock_irqrestore(&track->lock, flags);
	}
}

/**
 * pool_track_forget() - note that an element is being freed
 * @pool: the pool, %POOL_SLOW_TRACK seen in pool->slow
 * @element: the element
 *
 * Context: any but NMI.
 * Return: true if it was the reserve's.
 */
bool pool_track_forget(struct mpslab_pool *pool, void *element)
{
	struct pool_track *track = READ_ONCE(pool->track);
	unsigned long flags;
	bool known;

	raw_spin_lock_irqsave(&track->lock, flags);
	known = forget(track, element);
	raw_spin_unlock_irqrestore(&track->lock, flags);
	return known;
}

/*
 * Whoever has an element may be sure that it is not in the reserve; so to see it
 * there once, however much the rest changes between two looks, says that he has
 * not.
 */
static bool is_in_reserve(struct mpslab_pool *pool, void *element)
{
	bool found = false, more = true;
	unsigned long flags;
	int i = 0, end;

	while (more && !found) {
		raw_spin_lock_irqsave(&pool->lock, flags);
		end = min(i + SCAN_BATCH, pool->curr_nr);
		for (; i < end && !found; i++)
			found = pool->elements[i] == element;
		more = end < pool->curr_nr;
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	}
	return found;
}

/**
 * pool_track_free() - note that an element is being freed, if that can be right
 * @pool: the pool, %POOL_SLOW_TRACK seen in pool->slow
 * @element: the element
 *
 * Context: any but NMI.
 * Return: false, with a report, if it is in the reserve already.
 */
bool pool_track_free(struct mpslab_pool *pool, void *element)
{
	if (pool_track_forget(pool, element) || !is_in_reserve(pool, element))
		return true;
	pool_bad_free(pool, "free of an element that is in the reserve already");
	return false;
}

/**
 * pool_holders() - who holds elements of the reserve, the longest first
 * @pool: the pool
 * @info: filled
 * @max: room in @info
 * @missed: elements that there was no room to note
 *
 * Context: any but NMI.
 * Return: how many were filled in.
 */
unsigned int pool_holders(struct mpslab_pool *pool,
			  struct pool_holder_info *info, unsigned int max,
			  u64 *missed)
{
	/* pairs with smp_store_release() in pool_track() */
	struct pool_track *track = smp_load_acquire(&pool->track);
	u64 now = ktime_get_mono_fast_ns();
	unsigned long flags;
	unsigned int nr = 0;
	struct holder *h;

	*missed = 0;
	if (!track)
		return 0;
	raw_spin_lock_irqsave(&track->lock, flags);
	*missed = track->missed;
	list_for_each_entry(h, &track->held, list) {
		if (nr == max)
			break;
		memcpy(info[nr].comm, h->comm, sizeof(h->comm));
		info[nr].pid = h->pid;
		info[nr].held_ns = max_t(s64, 0, now - h->since);
		info[nr].stack_nr = h->stack_nr;
		memcpy(info[nr].stack, h->stack, sizeof(h->stack));
		nr++;
	}
	raw_spin_unlock_irqrestore(&track->lock, flags);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(pool_holders);
