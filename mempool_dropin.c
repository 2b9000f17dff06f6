// SPDX-License-Identifier: GPL-2.0
/*
 * What a driver written for the kernel's pool does with it beside the functions of
 * linux/mempool.h.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "mempool_internal.h"

/**
 * mpslab_pool_moved() - the struct of a pool has been copied to another place
 * @pool: the copy, which is the pool from now on
 *
 * raid1 sets up a pool in a local variable, assigns it to another, and makes the
 * new one's wait queue anew, which is all in the kernel's pool that knows where it
 * is.  This one's locks and lists are made anew, and its files in debugfs.
 *
 * Context: task; sleeps.  Nobody uses the pool meanwhile, and nobody waits.
 */
void mpslab_pool_moved(struct mpslab_pool *pool)
{
	if (pool_refused(pool, "move"))
		return;
	raw_spin_lock_init(&pool->lock);
	mutex_init(&pool->resize_lock);
	INIT_LIST_HEAD(&pool->waiters);
	fault_pool_moved(pool->faults, pool);
	debugfs_pool_moved(pool);
}
EXPORT_SYMBOL_GPL(mpslab_pool_moved);

/**
 * mpslab_pool_alloc_noreserve() - allocate an element from the backend only
 * @pool: the pool
 * @gfp: allocation flags, which the backend gets as they are; but not to reclaim
 *	memory, if %MPSLAB_POOL_NO_RECLAIM is the policy
 *
 * Context: as the backend's allocation; a fault plan's delay may sleep as well, if
 * @gfp lets it.
 * Return: an element, or NULL if the backend has none, a plan says so, or @pool is
 * NULL.
 */
void *mpslab_pool_alloc_noreserve(struct mpslab_pool *pool, gfp_t gfp)
{
	void *element;

	if (unlikely(!pool)) {
		usage_bug("pool", "allocation refused: a NULL pool");
		return NULL;
	}
	if (pool_refused(pool, "allocation"))
		return NULL;
	if (fault(pool->faults, FAULT_BACKEND, gfp))
		return NULL;
	/* Without the one, a promise not to fail can't be kept by the backend. */
	if (READ_ONCE(pool->slow) & POOL_SLOW_NO_RECLAIM)
		gfp &= ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
	element = pool->alloc(gfp, pool->pool_data);
	if (likely(element))
		this_cpu_inc(pool->stat->backend_allocs);
	return element;
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_noreserve);

/**
 * mpslab_pool_kvmalloc() - backend: the kernel's kvmalloc()
 * @gfp: allocation flags
 * @pool_data: size in bytes
 *
 * Context: as kvmalloc().
 * Return: the memory or NULL.
 */
void *mpslab_pool_kvmalloc(gfp_t gfp, void *pool_data)
{
	return kvmalloc((size_t)pool_data, gfp);
}
EXPORT_SYMBOL_GPL(mpslab_pool_kvmalloc);

/**
 * mpslab_pool_kvfree() - backend: the kernel's kvfree()
 * @element: what mpslab_pool_kvmalloc() returned
 * @pool_data: unused
 *
 * Context: as kvfree().
 */
void mpslab_pool_kvfree(void *element, void *pool_data)
{
	kvfree(element);
}
EXPORT_SYMBOL_GPL(mpslab_pool_kvfree);
