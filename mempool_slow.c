// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's long way: what an allocation or a free does for a pool of which more
 * is wanted than the shortest way to an element.
 *
 * One word of the pool, @slow, has a bit for each such reason.  While there is
 * one, pool->magic is POOL_LONG_WAY, so mpslab_pool_alloc() and pool_push() find
 * nothing to do, and what comes after them looks at @slow; a pool without a reason
 * pays for that one look, and only where it has to go to its backend or reserve.
 */
#include <linux/export.h>

#include "mempool_internal.h"

/* Is it over an mpslab cache? */
static bool backend_is_slab(const struct mpslab_pool *pool)
{
	return pool->alloc == mpslab_pool_alloc_slab &&
	       pool->free == mpslab_pool_free_slab && pool->pool_data;
}

/**
 * pool_set_slow() - let allocations and frees go the long way, or not
 * @pool: the pool
 * @why: the reasons, of POOL_SLOW_*
 * @on: do they hold from now on?
 *
 * Without a reason left they go the short way.  Who has just read pool->magic in
 * mpslab_pool_alloc() or pool_push() still does so; both ways lead to the same
 * cache, and all that is counted is a sum over both.
 *
 * Context: any but NMI.
 */
void pool_set_slow(struct mpslab_pool *pool, unsigned int why, bool on)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	WRITE_ONCE(pool->slow, on ? pool->slow | why : pool->slow & ~why);
	WRITE_ONCE(pool->magic, !pool->slow && backend_is_slab(pool) ?
				POOL_SHORT_WAY : POOL_LONG_WAY);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(pool_set_slow);

/**
 * mpslab_pool_set_policy() - say where a pool's allocations look for elements
 * @pool: the pool
 * @policy: the policies that hold from now on; 0 for none, as at first
 *
 * %MPSLAB_POOL_RESERVE_FIRST
 *	The reserve comes before the backend.  Elements that are used again and
 *	again stay few, and the backend is left alone while they suffice.
 * %MPSLAB_POOL_NO_RECLAIM
 *	Allocations never ask the backend to reclaim memory, whatever their flags;
 *	instead of that they wait for a free, or fail if they are to have nothing of
 *	the reserve (mpslab_pool_alloc_noreserve()).  Setting up the pool and growing
 *	it may still reclaim.
 *
 * Allocations that are under way may go by what held before.
 *
 * Context: any but NMI.
 * Return: 0, or -EINVAL, with a report, for no pool or an unknown policy.
 */
int mpslab_pool_set_policy(struct mpslab_pool *pool, unsigned int policy)
{
	const unsigned int all = MPSLAB_POOL_RESERVE_FIRST |
				 MPSLAB_POOL_NO_RECLAIM;

	if (!pool || (policy & ~all)) {
		usage_bug(pool ? debugfs_pool_name(pool) : "pool",
			  "policy not set to %#x", policy);
		return -EINVAL;
	}
	if (pool_refused(pool, "policy"))
		return -EINVAL;
	pool_set_slow(pool, all & ~policy, false);
	pool_set_slow(pool, policy, true);
	return 0;
}
EXPORT_SYMBOL_GPL(mpslab_pool_set_policy);

/* All @count from the reserve, or none. */
static unsigned int take_reserve(struct mpslab_pool *pool, gfp_t allowed,
				 void **elems, unsigned int count)
{
	unsigned int got;

	if (fault(pool->faults, FAULT_RESERVE, allowed))
		return 0;
	got = pool_take_reserve_all(pool, elems, count);
	if (READ_ONCE(pool->slow) & POOL_SLOW_TRACK)
		pool_track_take(pool, elems, got);
	return got;
}

/**
 * pool_take_slow() - elements that are at hand, where there is more to think of
 * @pool: the pool; pool_is_slow()
 * @gfp: flags for the backend
 * @allowed: what the caller may do
 * @elems: filled with the elements
 * @count: how many
 *
 * The backend, then the reserve, unless the policy is another one, and each as far
 * as fault plans let us.
 *
 * Context: any but NMI; sleeps if @gfp has %__GFP_DIRECT_RECLAIM, and, for a plan that
 * makes it late, if @allowed has.
 * Return: how many of @count there were.
 */
unsigned int pool_take_slow(struct mpslab_pool *pool, gfp_t gfp, gfp_t allowed,
			    void **elems, unsigned int count)
{
	bool reserve_first = READ_ONCE(pool->slow) & POOL_SLOW_RESERVE_FIRST;
	unsigned int got = 0;

	if (reserve_first)
		got = take_reserve(pool, allowed, elems, count);
	while (got < count && !fault(pool->faults, FAULT_BACKEND, allowed) &&
	       pool_take_backend(pool, gfp, elems + got, 1))
		got++;
	/* Reserve first: when all could not be had, what the backend lacks may. */
	if (got < count && !(reserve_first && !got))
		got += take_reserve(pool, allowed, elems + got, count - got);
	return got;
}

/**
 * pool_take_one_slow() - the same for one element
 * @pool: the pool
 * @gfp: flags for the backend
 * @allowed: what the caller may do
 *
 * Context: as pool_take_slow().
 * Return: the element, or NULL.
 */
void *pool_take_one_slow(struct mpslab_pool *pool, gfp_t gfp, gfp_t allowed)
{
	void *element = NULL;

	pool_take_slow(pool, gfp, allowed, &element, 1);
	return element;
}

/**
 * pool_take_preallocated_slow() - one element from the reserve
 * @pool: the pool; pool_is_slow()
 *
 * Context: any but NMI.
 * Return: the element, or NULL.
 */
void *pool_take_preallocated_slow(struct mpslab_pool *pool)
{
	void *element = NULL;

	take_reserve(pool, 0, &element, 1);
	return element;
}
