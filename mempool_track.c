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
 * twice as many as the reserve has then, within bounds, and what does not fit is
 * counted.  All of it is allocated when tracking is switched on, stacks included:
 * elements are taken in atomic context, where the stack depot may have no memory, and
 * on PREEMPT_RT cannot ask for any.
 *
 * Each switching on makes a new table, and RCU keeps the old one for those who are at
 * it.  What was taken before tracking was on is not known.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
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
 * @rcu: for its end
 * @lock: guards all of it; never together with pool->lock
 * @held: those that are held, the oldest first
 * @nr_held: how many
 * @unused: the others
 * @missed: elements that there was no room for
 * @bits: the number of buckets, as a power of 2
 * @bucket: they, behind the holders
 * @holder: all there are
 */
struct pool_track {
	struct rcu_head rcu;
	raw_spinlock_t lock;
	struct list_head held;
	unsigned int nr_held;
	struct list_head unused;
	u64 missed;
	unsigned int bits;
	struct hlist_head *bucket;
	struct holder holder[];
};

static struct pool_track *track_alloc(struct mpslab_pool *pool)
{
	unsigned int i, nr = clamp(2U * pool->min_nr, HOLDERS_MIN, HOLDERS_MAX);
	unsigned int bits = ilog2(roundup_pow_of_two(nr));
	struct pool_track *track;

	lockdep_assert_held(&pool->resize_lock);
	track = setup_alloc(kvzalloc(struct_size(track, holder, nr) +
				     (sizeof(*track->bucket) << bits),
				     GFP_KERNEL));
	if (!track)
		return NULL;
	track->bits = bits;
	track->bucket = (struct hlist_head *)&track->holder[nr];
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
	track->nr_held--;
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

/**
 * pool_track() - switch tracking on or off
 * @pool: the pool
 * @on: on, anew if it is on already?
 *
 * Whoever notes an element does so only while the bit is set, and has the table that
 * is the pool's, or one that was.  An old one's entries nobody will look for; to the
 * new one, which is published with the bit cleared, nobody adds before the bit is set
 * again, and so none whose free may overlook it.
 *
 * Context: task; sleeps.
 * Return: 0; or -ENOMEM, and then nothing has changed.
 */
int pool_track(struct mpslab_pool *pool, bool on)
{
	struct pool_track *new = NULL, *old;

	mutex_lock(&pool->resize_lock);
	if (on)
		new = track_alloc(pool);
	if (on && !new) {
		mutex_unlock(&pool->resize_lock);
		return -ENOMEM;
	}
	pool_set_slow(pool, POOL_SLOW_TRACK, false);
	/*
	 * pairs with rcu_dereference() in pool_track_take(), forget_freed() and
	 * pool_holders()
	 */
	old = rcu_replace_pointer(pool->track, new,
				  lockdep_is_held(&pool->resize_lock));
	if (on)
		pool_set_slow(pool, POOL_SLOW_TRACK, true);
	mutex_unlock(&pool->resize_lock);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
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
	kvfree(rcu_dereference_protected(pool->track, true));
	RCU_INIT_POINTER(pool->track, NULL);
}

static void note(struct mpslab_pool *pool, struct pool_track *track, void *element,
		 const unsigned long *stack, unsigned int stack_nr)
{
	struct holder *h;

	lockdep_assert_held(&track->lock);
	forget(track, element);
	if (!(READ_ONCE(pool->slow) & POOL_SLOW_TRACK))
		return;		/* switched off meanwhile */
	h = list_first_entry_or_null(&track->unused, struct holder, list);
	if (!h) {
		track->missed++;
		return;
	}
	h->element = element;
	h->since = ktime_get_mono_fast_ns();
	h->pid = task_pid_nr(current);
	memcpy(h->comm, current->comm, sizeof(h->comm));
	h->stack_nr = stack_nr;
	memcpy(h->stack, stack, stack_nr * sizeof(*stack));
	hlist_add_head(&h->node, bucket_of(track, element));
	list_move_tail(&h->list, &track->held);
	track->nr_held++;
}

/**
 * pool_track_take() - note that the caller has elements of the reserve
 * @pool: the pool, %POOL_SLOW_TRACK seen in pool->slow
 * @elems: the elements
 * @nr: how many
 *
 * There may be no table: nothing orders the look at the bit and that at the pointer,
 * and tracking may have been switched off since.  Then nothing is noted, as if they
 * had been taken before.
 *
 * Context: any but NMI.
 */
void pool_track_take(struct mpslab_pool *pool, void **elems, unsigned int nr)
{
	unsigned long stack[POOL_STACK], flags;
	unsigned int i, stack_nr;
	struct pool_track *track;

	stack_nr = compat_stack_trace(stack, POOL_STACK, 1);
	rcu_read_lock();
	/* pairs with rcu_replace_pointer() in pool_track() */
	track = rcu_dereference(pool->track);
	for (i = 0; track && i < nr; i++) {
		raw_spin_lock_irqsave(&track->lock, flags);
		note(pool, track, elems[i], stack, stack_nr);
		raw_spin_unlock_irqrestore(&track->lock, flags);
	}
	rcu_read_unlock();
}

/* An element is being freed; was it known to be held?  Of the table, see above. */
static bool forget_freed(struct mpslab_pool *pool, void *element)
{
	struct pool_track *track;
	unsigned long flags;
	bool known = false;

	rcu_read_lock();
	/* pairs with rcu_replace_pointer() in pool_track() */
	track = rcu_dereference(pool->track);
	if (track) {
		raw_spin_lock_irqsave(&track->lock, flags);
		known = forget(track, element);
		raw_spin_unlock_irqrestore(&track->lock, flags);
	}
	rcu_read_unlock();
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
	if (forget_freed(pool, element) || !is_in_reserve(pool, element))
		return true;
	pool_bad_free(pool, FREED_TO_RESERVE);
	return false;
}

static void copy_holders(struct pool_track *track, struct pool_holder_info *info,
			 unsigned int max)
{
	u64 now = ktime_get_mono_fast_ns();
	struct holder *h;

	lockdep_assert_held(&track->lock);
	list_for_each_entry(h, &track->held, list) {
		if (!max--)
			break;
		memcpy(info->comm, h->comm, sizeof(h->comm));
		info->pid = h->pid;
		info->held_ns = max_t(s64, 0, now - h->since);
		info->stack_nr = h->stack_nr;
		memcpy(info->stack, h->stack, h->stack_nr * sizeof(*h->stack));
		info++;
	}
}

/**
 * pool_holders() - who holds elements of the reserve, the longest first
 * @pool: the pool
 * @info: filled with the first
 * @max: room in @info
 * @missed: elements that there was no room to note
 *
 * Context: any but NMI.
 * Return: how many are held; those beyond @max are counted only.
 */
unsigned int pool_holders(struct mpslab_pool *pool,
			  struct pool_holder_info *info, unsigned int max,
			  u64 *missed)
{
	struct pool_track *track;
	unsigned int nr = 0;
	unsigned long flags;

	*missed = 0;
	rcu_read_lock();
	/* pairs with rcu_replace_pointer() in pool_track() */
	track = rcu_dereference(pool->track);
	if (track) {
		raw_spin_lock_irqsave(&track->lock, flags);
		*missed = track->missed;
		nr = track->nr_held;
		copy_holders(track, info, max);
		raw_spin_unlock_irqrestore(&track->lock, flags);
	}
	rcu_read_unlock();
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(pool_holders);
